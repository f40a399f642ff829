package graphqlhttp_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// legacy connects with the legacy subprotocol, whose clients may start operations before the acknowledgement.
func (b *environment) legacy() *wsClient {
	b.t.Helper()
	return b.dial("graphql-ws")
}

func (c *wsClient) start(id, document string) {
	c.b.t.Helper()
	c.write(`{"type":"start","id":` + quote(id) + `,"payload":{"query":` + quote(document) + `}}`)
}

func TestLegacy_Operations_Executed(t *testing.T) {
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

func TestLegacy_Stop_ResolverStops(t *testing.T) {
	b := start(t, nil)
	c := b.legacy()
	c.init("alice")
	c.start("1", `subscription { idle }`)
	c.write(`{"type":"stop","id":"1"}`)
	receive(t, b.root.Ended, "the resolver to end")
}

func TestLegacy_StartWithUsedID_ReplacesOperation(t *testing.T) {
	b := start(t, nil)
	c := b.legacy()
	c.init("alice")
	c.expect("connection_ack", "", "")
	c.expect("ka", "", "")
	c.start("1", `subscription { idle }`)
	c.start("1", `subscription { count(to: 1) }`)
	c.expect("data", "1", `{"data":{"count":1}}`)
	c.expect("complete", "1", "")
	settle(t, b.root) // the first one too
}

func TestLegacy_Terminate_ClosedWith1000(t *testing.T) {
	b := start(t, nil)
	c := b.legacy()
	c.init("alice")
	c.write(`{"type":"connection_terminate"}`)
	code, _ := c.closed()
	require.Equal(t, 1000, code)
}

func TestLegacy_InvalidToken_ConnectionError(t *testing.T) {
	b := start(t, nil)
	c := b.legacy()
	c.init("bad")
	m := c.read()
	require.Equal(t, "connection_error", m.Type)
	require.Contains(t, string(m.Payload), "UNAUTHENTICATED")
	c.closesWith(4403)
}

func TestLegacy_NoToken_ConnectionError(t *testing.T) {
	b := start(t, nil)
	c := b.legacy()
	c.init("")
	m := c.read()
	require.Equal(t, "connection_error", m.Type)
	require.Contains(t, string(m.Payload), "UNAUTHENTICATED")
	c.closesWith(4401)
}

func TestLegacy_Idle_SendsKeepAlive(t *testing.T) {
	b := start(t, func(o *serverOptions) { o.HTTP.KeepAlive, o.HTTP.Socket.KeepAlive = unhurried, unhurried })
	c := b.legacy()
	c.init("alice")
	c.expect("connection_ack", "", "")
	for range 4 {
		c.expect("ka", "", "")
	}
}

func TestLegacy_Ping_ClosedWith4400(t *testing.T) {
	b := start(t, nil)
	c := b.legacy()
	c.write(`{"type":"ping"}`)
	c.closesWith(4400)
}

func TestLegacy_PayloadOfWrongTypes_Error(t *testing.T) {
	b := start(t, nil)
	c := b.legacy()
	c.init("alice")
	c.expect("connection_ack", "", "")
	c.expect("ka", "", "")
	for _, payload := range []string{`{"query":5}`, `{}`, `{"query":"{hello}","variables":[]}`} {
		c.write(`{"type":"start","id":"1","payload":` + payload + `}`)
		require.Equal(t, "error", c.read().Type, payload)
	}
}
