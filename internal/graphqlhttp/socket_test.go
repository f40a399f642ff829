package graphqlhttp_test

import (
	"io"
	"strings"
	"testing"
	"time"

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
