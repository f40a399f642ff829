package graphqlhttp_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"errand/internal/graphqlhttp/internal/fixture"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

const (
	initMessage  = `{"type":"connection_init","payload":{"token":"alice"}}`
	helloMessage = `{"type":"subscribe","id":"1","payload":{"query":"{hello}"}}`
	idleMessage  = `{"type":"subscribe","id":"1","payload":{"query":"subscription{idle}"}}`
)

func TestSocket_EachOperationKind_Executed(t *testing.T) {
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

func TestSocket_InvalidMessages_ClosedWithCode(t *testing.T) {
	for name, tc := range map[string]struct {
		send []string
		code int
	}{
		"not JSON":                    {[]string{`nonsense`}, 4400},
		"trailing data":               {[]string{initMessage + `{}`}, 4400},
		"a list":                      {[]string{`[]`}, 4400},
		"type missing":                {[]string{`{}`}, 4400},
		"type a number":               {[]string{`{"type":1}`}, 4400},
		"type twice":                  {[]string{`{"type":"ping","type":"pong"}`}, 4400},
		"unknown type":                {[]string{`{"type":"nope"}`}, 4400},
		"type of the legacy protocol": {[]string{`{"type":"start","id":"1"}`}, 4400},
		"payload of init not object":  {[]string{`{"type":"connection_init","payload":[]}`}, 4400},
		"payload of ping not object":  {[]string{`{"type":"ping","payload":"x"}`}, 4400},
		"payload of pong not object":  {[]string{`{"type":"pong","payload":1}`}, 4400},
		"subscribe without id":        {[]string{initMessage, `{"type":"subscribe","payload":{"query":"{hello}"}}`}, 4400},
		"subscribe with empty id": {
			[]string{initMessage, `{"type":"subscribe","id":"","payload":{"query":"{hello}"}}`},
			4400,
		},
		"subscribe with number id": {
			[]string{initMessage, `{"type":"subscribe","id":1,"payload":{"query":"{hello}"}}`},
			4400,
		},
		"subscribe with a long id": {
			[]string{initMessage, `{"type":"subscribe","id":"` + strings.Repeat("x", 201) + `","payload":{"query":"{hello}"}}`},
			4400,
		},
		"subscribe without payload": {[]string{initMessage, `{"type":"subscribe","id":"1"}`}, 4400},
		"subscribe with a string":   {[]string{initMessage, `{"type":"subscribe","id":"1","payload":"{hello}"}`}, 4400},
		"complete without id":       {[]string{initMessage, `{"type":"complete"}`}, 4400},
		"subscribe before init":     {[]string{helloMessage}, 4401},
		"init without payload":      {[]string{`{"type":"connection_init"}`}, 4401},
		"init without token":        {[]string{`{"type":"connection_init","payload":{}}`}, 4401},
		"init with an empty token":  {[]string{`{"type":"connection_init","payload":{"authorization":"Bearer "}}`}, 4401},
		"bad token":                 {[]string{`{"type":"connection_init","payload":{"token":"bad"}}`}, 4403},
		"token cannot be verified":  {[]string{`{"type":"connection_init","payload":{"token":"down"}}`}, 1013},
		"an id in use":              {[]string{initMessage, idleMessage, helloMessage}, 4409},
		"init twice":                {[]string{initMessage, initMessage}, 4429},
		"not UTF-8":                 {[]string{"{\"type\":\"ping\",\"x\":\"\xff\"}"}, 1007},
		"too large before init": {
			[]string{`{"type":"ping","payload":{"x":"` + strings.Repeat("x", 20<<10) + `"}}`},
			1009,
		},
		"too large": {
			[]string{initMessage, `{"type":"ping","payload":{"x":"` + strings.Repeat("x", 300<<10) + `"}}`},
			1009,
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, nil)
			c := b.dial("graphql-transport-ws")
			for _, message := range tc.send {
				c.write(message)
			}
			code, reason := c.closed()
			require.Equal(t, tc.code, code, reason)
			require.Equal(t, tc.code, receive(t, b.codes, "the observer to see the close"))
			settle(t, b.root)
		})
	}
}

// The members of a subscribe message have the types that the protocol gives them. What is inside a document, or in
// extensions, is the operation's error.
func TestSocket_SubscribePayload_TypesOfMembers(t *testing.T) {
	for payload, want := range map[string]string{
		`{"query":5}`:                                 "4400",
		`{"query":null}`:                              "4400",
		`{"query":{}}`:                                "4400",
		`{"query":["{hello}"]}`:                       "4400",
		`{}`:                                          "4400",
		`{"operationName":"A"}`:                       "4400",
		`null`:                                        "4400",
		`[]`:                                          "4400",
		`[{"query":"{hello}"}]`:                       "4400",
		`{"query":"{hello}","query":"{hello}"}`:       "4400",
		`{"query":"{hello}","variables":[]}`:          "4400",
		`{"query":"{hello}","variables":"{}"}`:        "4400",
		`{"query":"{hello}","variables":1}`:           "4400",
		`{"query":"{hello}","operationName":5}`:       "4400",
		`{"query":"{hello}","operationName":{}}`:      "4400",
		`{"query":"{hello}","extensions":[]}`:         "4400",
		`{"query":"{hello}","extensions":"a"}`:        "4400",
		`{"query":"{hello}","documentId":5}`:          "4400",
		`{"documentId":null}`:                         "4400",
		`{"query":""}`:                                "error",
		`{"query":"{"}`:                               "error",
		`{"query":"{hello}","operationName":"B"}`:     "error",
		`{"documentId":"md5:00"}`:                     "error",
		`{"documentId":"x"}`:                          "error",
		`{"extensions":{"persistedQuery":5}}`:         "error",
		`{"query":"{hello}","variables":null}`:        "next",
		`{"query":"{hello}","operationName":null}`:    "next",
		`{"query":"{hello}","extensions":null,"x":1}`: "next",
	} {
		t.Run(payload, func(t *testing.T) {
			b := start(t, nil)
			c := b.ready("alice")
			c.write(`{"type":"subscribe","id":"1","payload":` + payload + `}`)
			if want == "4400" {
				c.closesWith(4400)
				return
			}
			require.Equal(t, want, c.read().Type)
		})
	}
}

func TestSocket_BinaryMessage_ClosedWith4400(t *testing.T) {
	b := start(t, nil)
	c := b.dial("graphql-transport-ws")
	require.NoError(t, c.conn.WriteMessage(websocket.BinaryMessage, []byte(initMessage)))
	c.closesWith(4400)
}

func TestSocket_NoInit_ClosedWith4408(t *testing.T) {
	b := start(t, func(o *serverOptions) { o.HTTP.Socket.InitTimeout = 30 * time.Millisecond })
	c := b.dial("graphql-transport-ws")
	require.NoError(
		t,
		c.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(time.Second)),
		"pings do not extend the timeout",
	)
	c.closesWith(4408)
}

func TestSocket_Subprotocols_Negotiated(t *testing.T) {
	b := start(t, nil)
	_, response, err := b.tryDial(nil)
	require.Error(t, err)
	require.Equal(t, 400, response.StatusCode)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Contains(t, string(body), "graphql-transport-ws")

	for _, both := range [][]string{{"graphql-ws", "graphql-transport-ws"}, {"graphql-transport-ws", "graphql-ws"}} {
		conn, _, err := b.tryDial(both)
		require.NoError(t, err)
		require.Equal(t, "graphql-transport-ws", conn.Subprotocol())
	}

	conn, _, err := b.tryDial([]string{"mqtt"})
	require.NoError(t, err)
	c := &wsClient{b: b, conn: conn}
	code, _ := c.closed()
	require.Equal(t, 4406, code)
}

func TestSocket_TokenInUpgrade_Authenticates(t *testing.T) {
	b := start(t, nil)
	_, response, err := b.tryDial([]string{"graphql-transport-ws"}, "Authorization", "Bearer bad")
	require.Error(t, err)
	require.Equal(t, 401, response.StatusCode)

	c := b.dial("graphql-transport-ws", "Authorization", "Bearer alice")
	c.init("")
	c.expect("connection_ack", "", "")
	c.subscribe("1", `{ me }`)
	require.Contains(t, string(c.read().Payload), `{"me":"alice"}`)
}

func TestSocket_TokenInPayload_Authenticates(t *testing.T) {
	b := start(t, nil)
	for _, payload := range []string{
		`{"authorization":"Bearer alice"}`, `{"Authorization":"alice"}`, `{"token":"alice"}`,
		`{"headers":{"Authorization":"bearer alice"}}`, `{"headers":{"authorization":"alice"}}`,
	} {
		c := b.dial("graphql-transport-ws")
		c.write(`{"type":"connection_init","payload":` + payload + `}`)
		c.expect("connection_ack", "", "")
		c.subscribe("1", `{ me }`)
		require.Contains(t, string(c.read().Payload), `{"me":"alice"}`, payload)
	}
}

func TestSocket_Ping_AnsweredBeforeAndAfterInit(t *testing.T) {
	b := start(t, nil)
	c := b.dial("graphql-transport-ws")
	c.write(`{"type":"ping"}`)
	c.expect("pong", "", "")
	c.init("alice")
	c.expect("connection_ack", "", "")
	c.write(`{"type":"ping","payload":{"n":1}}`)
	c.expect("pong", "", `{"n":1}`)
	c.write(`{"type":"pong"}`)
	c.subscribe("1", `subscription { count(to: 1) }`)
	c.expect("next", "1", `{"data":{"count":1}}`)
}

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
