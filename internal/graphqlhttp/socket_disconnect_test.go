package graphqlhttp_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDisconnect_User_SocketsClosedAfterOperations(t *testing.T) {
	b := start(t, nil)
	idle, busy, other := b.ready("alice"), b.ready("alice"), b.ready("bob")
	busy.subscribe("1", notes)
	b.waitForSources(1)
	b.handler.Disconnect("alice")
	code, reason := idle.closed()
	require.Equal(t, 4403, code)
	require.Contains(t, reason, "no longer exists")
	b.publish("a", 1, 1)
	busy.expect("next", "1", `{"data":{"notes":{"n":1,"executed":1}}}`)
	b.root.End("a", nil)
	busy.expect("complete", "1", "")
	code, _ = busy.closed()
	require.Equal(t, 4403, code)
	other.subscribe("1", `{ me }`)
	require.Contains(t, string(other.read().Payload), `{"me":"bob"}`)
}
