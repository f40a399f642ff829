package graphqlhttp_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"errand/internal/graphqlhttp/internal/fixture"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

func TestSocket_ConnectionLost_ResolversStop(t *testing.T) {
	b := start(t, nil)
	c := b.ready("alice")
	c.subscribe("1", `subscription { idle }`)
	c.subscribe("2", `{ wait }`)
	receive(t, b.root.Waiting, "the query to begin")
	require.NoError(t, c.conn.NetConn().Close())
	receive(t, b.root.Ended, "the subscription to end")
	receive(t, b.root.Stopped, "the query to stop")
	require.Equal(t, 1006, receive(t, b.codes, "the close"))
}

func TestSocket_ClientCloses_CodeEchoed(t *testing.T) {
	b := start(t, nil)
	c := b.ready("alice")
	require.NoError(
		t,
		c.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1000, "bye"), time.Now().Add(time.Second)),
	)
	code, _ := c.closed()
	require.Equal(t, 1000, code)
	require.Equal(t, 1000, receive(t, b.codes, "the close"))
}

func TestSocket_TooManyOperations_RateLimited(t *testing.T) {
	b := start(t, func(o *serverOptions) { o.HTTP.Socket.OperationsPerSocket = 2 })
	c := b.ready("alice")
	c.subscribe("1", `subscription { idle }`)
	c.subscribe("2", `subscription { idle }`)
	c.subscribe("3", `subscription { idle }`)
	m := c.read()
	require.Equal(t, "error 3", m.Type+" "+m.ID)
	require.Contains(t, string(m.Payload), "RATE_LIMITED")
	c.write(`{"type":"complete","id":"1"}`)
	c.subscribe("3", `subscription { count(to: 1) }`)
	c.expect("next", "3", `{"data":{"count":1}}`)
}

func TestSocket_TooManyOfUser_ClosedWith1013(t *testing.T) {
	b := start(t, func(o *serverOptions) { o.HTTP.Socket.SocketsPerUser = 2 })
	first := b.ready("alice")
	b.ready("alice")
	c := b.dial("graphql-transport-ws")
	c.init("alice")
	c.closesWith(1013)
	b.ready("bob")
	require.NoError(t, first.conn.Close())
	require.Equal(t, 1006, receive(t, b.codes, "the close"))
	b.ready("alice")
}

func TestSocket_TooManyInTotal_503(t *testing.T) {
	b := start(t, func(o *serverOptions) { o.HTTP.Socket.Sockets = 1 })
	b.ready("alice")
	_, response, err := b.tryDial([]string{"graphql-transport-ws"})
	require.Error(t, err)
	require.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
	require.Equal(t, "1", response.Header.Get("Retry-After"))
}

// Sockets before connection_init hold a tenth of the places, so that the others stay free for users.
func TestSocket_TooManyBeforeInit_503(t *testing.T) {
	b := start(t, func(o *serverOptions) { o.HTTP.Socket.Sockets, o.HTTP.Socket.CloseTimeout = 20, time.Millisecond })
	first, second := b.dial("graphql-transport-ws"), b.dial("graphql-ws")
	_, response, err := b.tryDial([]string{"graphql-transport-ws"})
	require.Error(t, err)
	require.Equal(t, http.StatusServiceUnavailable, response.StatusCode)

	first.init("alice")
	first.expect("connection_ack", "", "")
	b.ready("bob") // in the place that first has left
	third := b.dial("graphql-transport-ws")
	third.init("")
	third.closesWith(4401)
	require.NoError(t, second.conn.Close())
	receive(t, b.codes, "the second socket to end")
	b.dial("graphql-transport-ws")
	b.dial("graphql-transport-ws")
}

// A user's sockets that are authenticated by their upgrade count before connection_init.
func TestSocket_TooManyUpgradesOfUser_429(t *testing.T) {
	b := start(t, func(o *serverOptions) { o.HTTP.Socket.SocketsPerUser = 1 })
	first := b.dial("graphql-transport-ws", "Authorization", "Bearer alice")
	_, response, err := b.tryDial([]string{"graphql-transport-ws"}, "Authorization", "Bearer alice")
	require.Error(t, err)
	require.Equal(t, http.StatusTooManyRequests, response.StatusCode)
	require.Equal(t, "1", response.Header.Get("Retry-After"))
	first.init("bob") // another user's token, for whom the socket then counts
	first.expect("connection_ack", "", "")
	b.dial("graphql-transport-ws", "Authorization", "Bearer alice").init("")
	c := b.dial("graphql-transport-ws")
	c.init("bob")
	c.closesWith(1013)
}

// unhurried is an interval between pings that is long enough for a busy machine.
const unhurried = 500 * time.Millisecond

func TestSocket_ClientAnswersPings_StaysOpen(t *testing.T) {
	b := start(t, func(o *serverOptions) { o.HTTP.KeepAlive, o.HTTP.Socket.KeepAlive = unhurried, unhurried })
	c := b.ready("alice")
	pings := make(chan struct{}, 100)
	c.conn.SetPingHandler(func(data string) error {
		pings <- struct{}{}
		return c.conn.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(time.Second))
	})
	go func() { _, _, _ = c.conn.ReadMessage() }()
	for range 4 { // longer than a silent client stays connected
		receive(t, pings, "a ping")
	}
	require.Empty(t, b.codes)
}

func TestSocket_ClientSilent_Dropped(t *testing.T) {
	b := start(t, func(o *serverOptions) { o.HTTP.KeepAlive, o.HTTP.Socket.KeepAlive = unhurried, unhurried })
	c := b.ready("alice") // does not read, so that its library answers no ping
	c.subscribe("1", `subscription { idle }`)
	require.Equal(t, 1006, receive(t, b.codes, "the close"))
	receive(t, b.root.Ended, "the resolver to end")
}

func TestShutdown_OpenSockets_ClosedWith1012(t *testing.T) {
	b := start(t, nil)
	c := b.ready("alice")
	waiting := b.dial("graphql-transport-ws")
	c.subscribe("1", `subscription { topic(name: "a") { n } }`)
	b.root.Topic("a") <- &fixture.Event{N: 1}
	c.expect("next", "1", `{"data":{"topic":{"n":1}}}`)
	done := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		done <- b.handler.Shutdown(ctx)
	}()
	for _, client := range []*wsClient{c, waiting} {
		code, reason := client.closed()
		require.Equal(t, 1012, code)
		require.Equal(t, "Service restart; reconnect", reason)
	}
	require.NoError(t, receive(t, done, "shutdown"))
	settle(t, b.root)
	_, response, err := b.tryDial([]string{"graphql-transport-ws"})
	require.Error(t, err)
	require.Equal(t, 503, response.StatusCode)
}

func TestShutdown_ContextEnds_ReturnsItsError(t *testing.T) {
	b := start(t, nil)
	c := b.ready("alice")
	c.subscribe("1", `subscription { idle }`)
	c.subscribe("2", `{ hello }`)
	c.read()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, b.handler.Shutdown(ctx), context.Canceled)
}
