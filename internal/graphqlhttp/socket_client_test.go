package graphqlhttp_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

// wsClient is a raw client of either subprotocol.
type wsClient struct {
	b    *environment
	conn *websocket.Conn
}

// wsMessage is a message of either subprotocol.
type wsMessage struct {
	ID      string          `json:"id"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload"`
}

// dial connects; headers come in pairs.
func (b *environment) dial(subprotocol string, headers ...string) *wsClient {
	b.t.Helper()
	conn, response, err := b.tryDial([]string{subprotocol}, headers...)
	require.NoError(b.t, err)
	require.Equal(b.t, http.StatusSwitchingProtocols, response.StatusCode)
	return &wsClient{b: b, conn: conn}
}

func (b *environment) tryDial(subprotocols []string, headers ...string) (*websocket.Conn, *http.Response, error) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	header := http.Header{}
	for i := 0; i+1 < len(headers); i += 2 {
		header.Add(headers[i], headers[i+1])
	}
	dialer := websocket.Dialer{Subprotocols: subprotocols}
	conn, response, err := dialer.DialContext(ctx, "ws"+strings.TrimPrefix(b.server.URL, "http"), header)
	if conn != nil {
		b.t.Cleanup(func() { _ = conn.Close() })
	}
	return conn, response, err
}

// ready connects and initialises with a token ("" for none).
func (b *environment) ready(token string) *wsClient {
	b.t.Helper()
	c := b.dial("graphql-transport-ws")
	c.init(token)
	require.Equal(b.t, "connection_ack", c.read().Type)
	return c
}

func (c *wsClient) init(token string) {
	c.b.t.Helper()
	if token == "" {
		c.write(`{"type":"connection_init"}`)
		return
	}
	c.write(`{"type":"connection_init","payload":{"authorization":"Bearer ` + token + `"}}`)
}

func (c *wsClient) write(text string) {
	c.b.t.Helper()
	require.NoError(c.b.t, c.conn.WriteMessage(websocket.TextMessage, []byte(text)))
}

func (c *wsClient) subscribe(id, document string) {
	c.b.t.Helper()
	c.write(`{"type":"subscribe","id":` + quote(id) + `,"payload":{"query":` + quote(document) + `}}`)
}

func (c *wsClient) read() wsMessage {
	c.b.t.Helper()
	require.NoError(c.b.t, c.conn.SetReadDeadline(time.Now().Add(patience)))
	_, data, err := c.conn.ReadMessage()
	require.NoError(c.b.t, err)
	var m wsMessage
	require.NoError(c.b.t, json.Unmarshal(data, &m), "%s", data)
	return m
}

// expect reads one message and compares its parts.
func (c *wsClient) expect(kind, id, payload string) {
	c.b.t.Helper()
	m := c.read()
	require.Equal(c.b.t, kind+" "+id, m.Type+" "+m.ID, "payload %s", m.Payload)
	if payload == "" {
		require.Empty(c.b.t, m.Payload)
		return
	}
	require.JSONEq(c.b.t, payload, string(m.Payload))
}

// closed reads until the close frame and returns its code and reason.
func (c *wsClient) closed() (int, string) {
	c.b.t.Helper()
	require.NoError(c.b.t, c.conn.SetReadDeadline(time.Now().Add(patience)))
	for {
		if _, _, err := c.conn.ReadMessage(); err != nil {
			var e *websocket.CloseError
			require.ErrorAs(c.b.t, err, &e)
			_ = c.conn.Close() // as real clients do
			return e.Code, e.Text
		}
	}
}

// closesWith checks the close code that comes next, with no message before it, on both sides.
func (c *wsClient) closesWith(code int) {
	c.b.t.Helper()
	require.NoError(c.b.t, c.conn.SetReadDeadline(time.Now().Add(patience)))
	_, data, err := c.conn.ReadMessage()
	var e *websocket.CloseError
	require.ErrorAs(c.b.t, err, &e, "%s", data)
	require.Equal(c.b.t, code, e.Code)
	_ = c.conn.Close() // as real clients do
	require.Equal(c.b.t, code, receive(c.b.t, c.b.codes, "the observer to see the close"))
}
