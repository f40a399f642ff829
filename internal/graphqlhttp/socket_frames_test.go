package graphqlhttp_test

import (
	"context"
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

// raw writes bytes to the connection, without the client library.
func (c *wsClient) raw(data ...[]byte) {
	c.b.t.Helper()
	for _, part := range data {
		_, err := c.conn.NetConn().Write(part)
		require.NoError(c.b.t, err)
	}
}

// frame returns a frame of at most 64 KiB, masked with zeros, whose first byte is bits.
func frame(bits byte, payload string) []byte {
	f := []byte{bits, 0x80 | 126, 0, 0, 0, 0, 0, 0}
	binary.BigEndian.PutUint16(f[2:], uint16(len(payload)))
	return append(f, payload...)
}

const (
	final      = 0x80
	compressed = 0x40
	text       = 1
	binaryData = 2
	ping       = 9
)

func TestFrames_FragmentedMessage_Joined(t *testing.T) {
	b := start(t, nil)
	c := b.ready("alice")
	c.raw(
		frame(text, `{"type":"ping",`),
		[]byte{final | ping, 0x80, 0, 0, 0, 0},
		frame(0, `"payload":`),
		frame(0, ""),
		frame(final, `{"ü":1}}`),
	)
	c.expect("pong", "", `{"ü":1}`)
}

func TestFrames_Invalid_ClosedWithCode(t *testing.T) {
	fragment := frame(0, strings.Repeat(" ", 8<<10))
	for name, tc := range map[string]struct {
		frames [][]byte
		code   int
	}{
		"compressed, which was not negotiated": {[][]byte{frame(final|compressed|text, "x")}, 1002},
		"a compressed continuation":            {[][]byte{frame(text, "{"), frame(final|compressed, "}")}, 1002},
		"a reserved opcode":                    {[][]byte{frame(final|3, "x")}, 1002},
		"a continuation of nothing":            {[][]byte{frame(final, "x")}, 1002},
		"a message within a message":           {[][]byte{frame(text, "{"), frame(final|text, "{}")}, 1002},
		"a fragmented ping":                    {[][]byte{frame(ping, "")}, 1002},
		"a ping of 126 bytes":                  {[][]byte{frame(final|ping, strings.Repeat("x", 126))}, 1002},
		"not masked":                           {[][]byte{{final | text, 2, '{', '}'}}, 1002},
		"an invalid close code":                {[][]byte{{final | 8, 0x82, 0, 0, 0, 0, 0x03, 0xed}}, 1002}, // 1005
		"a reason that is not UTF-8":           {[][]byte{{final | 8, 0x83, 0, 0, 0, 0, 0x03, 0xe8, 0xff}}, 1002},
		"UTF-8 split between frames":           {[][]byte{frame(text, "{\"\xc3"), frame(final, "\xbc\":1}")}, 4400},
		"a message that is not UTF-8":          {[][]byte{frame(text, "{\""), frame(final, "\xff\":1}")}, 1007},
		"binary":                               {[][]byte{frame(final|binaryData, initMessage)}, 4400},
		"too large before authentication":      {[][]byte{frame(text, "{"), fragment, fragment, fragment}, 1009},
		"the largest length": {
			[][]byte{{final | text, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}},
			1009,
		},
		"a negative length": {
			[][]byte{{final | text, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}},
			1009,
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, nil)
			c := b.dial("graphql-transport-ws")
			c.raw(tc.frames...)
			c.closesWith(tc.code)
		})
	}
}

func TestFrames_CompressionOffered_NotNegotiated(t *testing.T) {
	b := start(t, nil)
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}, EnableCompression: true}
	conn, response, err := dialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(b.server.URL, "http"), nil)
	require.NoError(t, err)
	defer conn.Close()
	require.Empty(t, response.Header.Get("Sec-WebSocket-Extensions"))
}

// Clients that are not authenticated must not hold much memory.
func TestSocket_LargeMessage_AcceptedOnlyAuthenticated(t *testing.T) {
	b := start(t, nil)
	large := `{"type":"ping","payload":{"x":"` + strings.Repeat("x", 200<<10) + `"}}`
	c := b.ready("alice")
	c.write(large)
	require.Equal(t, "pong", c.read().Type)
	c.write(`{"type":"ping","payload":{"x":"` + strings.Repeat("x", 256<<10) + `"}}`)
	c.closesWith(1009)
	anonymous := b.dial("graphql-transport-ws")
	anonymous.write(large)
	anonymous.closesWith(1009)
}

// slowAuthentication sends to called when it is called and returns when release is closed.
func slowAuthentication(called, release chan struct{}) func(*serverOptions) {
	return func(o *serverOptions) {
		o.Authenticate = func(ctx context.Context, token string) (context.Context, string, time.Time, error) {
			called <- struct{}{}
			<-release
			return authenticate(ctx, token)
		}
	}
}

func TestSocket_ClosedDuringAuthentication_Released(t *testing.T) {
	called, release := make(chan struct{}, 1), make(chan struct{})
	b := start(t, slowAuthentication(called, release))
	c := b.dial("graphql-transport-ws")
	c.init("alice")
	receive(t, called, "the authentication")
	require.NoError(t, c.conn.Close())
	close(release)
	require.Equal(t, 1006, receive(t, b.codes, "the socket to end"))
	b.ready("alice")
}

func TestSocket_SlowAuthentication_ClosedWith4408(t *testing.T) {
	called, release := make(chan struct{}, 1), make(chan struct{})
	b := start(t, func(o *serverOptions) {
		slowAuthentication(called, release)(o)
		o.HTTP.Socket.InitTimeout = 50 * time.Millisecond
	})
	c := b.dial("graphql-transport-ws")
	c.init("alice")
	receive(t, called, "the authentication")
	code, _ := c.closed()
	require.Equal(t, 4408, code)
	close(release)
	require.Equal(t, 4408, receive(t, b.codes, "the socket to end"))
}

func TestSocket_Pings_AnsweredWithPayload(t *testing.T) {
	b := start(t, nil)
	c := b.ready("alice")
	got := make(chan string, 1)
	c.conn.SetPongHandler(func(data string) error { got <- data; return nil })
	require.NoError(t, c.conn.WriteControl(websocket.PingMessage, []byte("are you there"), time.Now().Add(patience)))
	c.write(`{"type":"ping","payload":{"n":[1,{"x":null}]}}`)
	c.expect("pong", "", `{"n":[1,{"x":null}]}`)
	require.Equal(t, "are you there", receive(t, got, "the pong"))
	c.write(`{"type":"pong","payload":{"any":"thing"}}`)
	c.write(`{"type":"ping"}`)
	c.expect("pong", "", "")
}

// The client sends large pings and reads no pongs; the write queue is bounded.
func TestSocket_PongsNotRead_ClosedWith4490(t *testing.T) {
	b := start(t, func(o *serverOptions) {
		o.HTTP.Socket.SlowReaderTimeout = 100 * time.Millisecond
		o.HTTP.Socket.CloseTimeout = 50 * time.Millisecond
	})
	c := b.ready("alice")
	before := heap()
	message := []byte(`{"type":"ping","payload":{"x":"` + strings.Repeat("x", 100<<10) + `"}}`)
	require.NoError(t, c.conn.SetWriteDeadline(time.Now().Add(patience)))
	for c.conn.WriteMessage(websocket.TextMessage, message) == nil { // until the server closes the connection
	}
	require.Equal(t, 4490, receive(t, b.codes, "the close"))
	require.Less(t, heap(), before+(20<<20))
}
