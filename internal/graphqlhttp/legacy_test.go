package graphqlhttp_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// legacy connects with the old subprotocol; its clients may start before the ack.
func (b *bench) legacy() *wsClient {
	b.t.Helper()
	return b.dial("graphql-ws")
}

func (c *wsClient) start(id, document string) {
	c.b.t.Helper()
	c.write(`{"type":"start","id":` + quote(id) + `,"payload":{"query":` + quote(document) + `}}`)
}

func TestLegacyOperations(t *testing.T) {
	b := start(t, nil)
	c := b.legacy()
	c.init("alice")
	c.start("1", `subscription { count(to: 2) }`)
	c.expect("connection_ack", "", "")
	c.expect("ka", "", "")
	c.expect("data", "1", `{"data":{"count":1}}`)
	c.expect("data", "1", `{"data":{"count":2}}`)
	c.expect("complete", "1", "")
	c.start("2", `{ me }`)
	require.Contains(t, string(c.read().Payload), `{"me":"alice"}`)
	c.expect("complete", "2", "")
	c.start("3", `{ x }`)
	m := c.read()
	require.Equal(t, "error 3", m.Type+" "+m.ID)
	require.Equal(t, "{", string(m.Payload[:1]), "one error, not a list")
}

func TestLegacyStop(t *testing.T) {
	b := start(t, nil)
	c := b.legacy()
	c.init("")
	c.start("1", `subscription { idle }`)
	c.write(`{"type":"stop","id":"1"}`)
	receive(t, b.root.Ended, "the resolver to end")
}

func TestLegacyStartReplacesItsId(t *testing.T) {
	b := start(t, nil)
	c := b.legacy()
	c.init("")
	c.expect("connection_ack", "", "")
	c.expect("ka", "", "")
	c.start("1", `subscription { idle }`)
	c.start("1", `subscription { count(to: 1) }`)
	c.expect("data", "1", `{"data":{"count":1}}`)
	c.expect("complete", "1", "")
	settle(t, b.root) // the first one too
}

func TestLegacyTerminate(t *testing.T) {
	b := start(t, nil)
	c := b.legacy()
	c.init("")
	c.write(`{"type":"connection_terminate"}`)
	code, _ := c.closed()
	require.Equal(t, 1000, code)
}

func TestLegacyRefusedInit(t *testing.T) {
	b := start(t, nil)
	c := b.legacy()
	c.init("bad")
	m := c.read()
	require.Equal(t, "connection_error", m.Type)
	require.Contains(t, string(m.Payload), "UNAUTHENTICATED")
	c.closesWith(4403)
}

func TestLegacyKeepAlive(t *testing.T) {
	b := start(t, func(o *serverOptions) { o.HTTP.KeepAlive, o.HTTP.Socket.KeepAlive = unhurried, unhurried })
	c := b.legacy()
	c.init("")
	c.expect("connection_ack", "", "")
	for range 4 {
		c.expect("ka", "", "")
	}
}

func TestLegacyHasNoPing(t *testing.T) {
	b := start(t, nil)
	c := b.legacy()
	c.write(`{"type":"ping"}`)
	c.closesWith(4400)
}
