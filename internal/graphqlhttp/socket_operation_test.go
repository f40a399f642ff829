package graphqlhttp_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSocket_RequestError_EndsOperationAndFreesID(t *testing.T) {
	b := start(t, nil)
	c := b.ready("alice")
	for document, code := range map[string]string{
		`{`:                                      "GRAPHQL_PARSE_FAILED",
		`{ x }`:                                  "GRAPHQL_VALIDATION_FAILED",
		`query($v: Int!) { echo(n: $v) }`:        "BAD_USER_INPUT",
		`subscription { refused }`:               "NOT_FOUND",
		`{` + strings.Repeat(" hello", 31) + `}`: "COMPLEXITY_LIMIT_EXCEEDED",
	} {
		c.subscribe("1", document)
		m := c.read()
		require.Equal(t, "error 1", m.Type+" "+m.ID, document)
		require.Equal(t, "[", string(m.Payload[:1]), "the payload is a list")
		require.Contains(t, string(m.Payload), code)
		// The ID is free at once, and the next messages belong to its new operation.
		c.subscribe("1", `subscription { count(to: 1) }`)
		c.expect("next", "1", `{"data":{"count":1}}`)
		c.expect("complete", "1", "")
	}
}

func TestSocket_FieldError_SentWithData(t *testing.T) {
	b := start(t, nil)
	c := b.ready("alice")
	c.subscribe("1", `{ required }`)
	m := c.read()
	require.Equal(t, "next", m.Type)
	require.Contains(t, string(m.Payload), `"data":null`)
	require.Contains(t, string(m.Payload), "NOT_FOUND")
	c.expect("complete", "1", "")
}

func TestSocket_ResolverPanic_OtherOperationsContinue(t *testing.T) {
	b := start(t, nil)
	c := b.ready("alice")
	c.subscribe("1", `subscription { explodes { bang } }`)
	m := c.read()
	require.Contains(t, string(m.Payload), "INTERNAL_SERVER_ERROR")
	require.NotContains(t, string(m.Payload), "secret")
	require.Contains(t, string(m.Payload), `"path":["explodes","bang"]`)
	c.expect("complete", "1", "")
	c.subscribe("2", `{ panics hello }`)
	require.Contains(t, string(c.read().Payload), `"hello":"world"`)
}

func TestSocket_Complete_ResolverStops(t *testing.T) {
	b := start(t, nil)
	c := b.ready("alice")
	c.subscribe("1", `subscription { idle }`)
	c.write(`{"type":"complete","id":"1"}`)
	require.Equal(t, "idle", receive(t, b.root.Ended, "the resolver to end"))
	c.subscribe("1", `{ wait }`)
	receive(t, b.root.Waiting, "the query to begin")
	c.write(`{"type":"complete","id":"1"}`)
	receive(t, b.root.Stopped, "the query to stop")
	c.write(`{"type":"complete","id":"unknown"}`)
	c.subscribe("1", `subscription { count(to: 1) }`)
	c.expect("next", "1", `{"data":{"count":1}}`)
	c.expect("complete", "1", "")
}

func TestSocket_ManySubscriptions_OrderedAndComplete(t *testing.T) {
	b := start(t, nil)
	c := b.ready("alice")
	const n = 50
	for i := range n {
		c.subscribe(fmt.Sprint(i), `subscription { count(to: 10) }`)
	}
	next, complete := map[string]int{}, 0
	for complete < n {
		m := c.read()
		if m.Type == "complete" {
			require.Equal(t, 10, next[m.ID], "complete came before the last event")
			complete++
			continue
		}
		next[m.ID]++
		require.JSONEq(t, fmt.Sprintf(`{"data":{"count":%d}}`, next[m.ID]), string(m.Payload), "in order")
	}
}
