package transport_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSocketCarriesEveryKindOfOperation(t *testing.T) {
	b := start(t, nil)
	c := b.ready("alice")
	c.subscribe("1", `subscription { count(to: 2) }`)
	c.expect("next", "1", `{"data":{"count":1}}`)
	c.expect("next", "1", `{"data":{"count":2}}`)
	c.expect("complete", "1", "")
	c.subscribe("1", `query { me }`)
	m := c.read()
	require.Equal(t, "next", m.Type)
	require.Contains(t, string(m.Payload), `{"me":"alice"}`)
	c.expect("complete", "1", "")
	c.subscribe("2", `mutation { add(n: 3) }`)
	require.Contains(t, string(c.read().Payload), `{"add":3}`)
	c.expect("complete", "2", "")
}

func TestSocketStopsTheResolverOnComplete(t *testing.T) {
	b := start(t, nil)
	c := b.ready("")
	c.subscribe("1", `subscription { idle }`)
	c.write(`{"type":"complete","id":"1"}`)
	require.Equal(t, "idle", receive(t, b.root.Ended, "the resolver to end"))
	c.subscribe("1", `subscription { count(to: 1) }`)
	c.expect("next", "1", `{"data":{"count":1}}`)
	c.expect("complete", "1", "")
}

func TestSocketCloseCodes(t *testing.T) {
	for name, tc := range map[string]struct {
		send []string
		code int
	}{
		"not JSON":                   {[]string{`nonsense`}, 4400},
		"subscribe before init":      {[]string{`{"type":"subscribe","id":"1","payload":{"query":"{hello}"}}`}, 4401},
		"bad token":                  {[]string{`{"type":"connection_init","payload":{"token":"bad"}}`}, 4403},
		"token cannot be checked":    {[]string{`{"type":"connection_init","payload":{"token":"down"}}`}, 1013},
		"unknown type":               {[]string{`{"type":"start","id":"1"}`}, 4400},
		"type missing":               {[]string{`{}`}, 4400},
		"payload of init not object": {[]string{`{"type":"connection_init","payload":[]}`}, 4400},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, nil)
			c := b.dial("graphql-transport-ws")
			for _, message := range tc.send {
				c.write(message)
			}
			c.closesWith(tc.code)
		})
	}
}
