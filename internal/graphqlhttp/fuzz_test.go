package graphqlhttp_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"errand/internal/graphqlhttp"
	"errand/internal/graphqlhttp/exec"
	"errand/internal/graphqlhttp/internal/fixture"
	"errand/internal/graphqlhttp/ws"
)

// FuzzFrames writes arbitrary bytes to a socket after the handshake, then closes the connection. The socket and its
// resolvers must end, and the messages that it wrote must follow the protocol.
func FuzzFrames(f *testing.F) {
	for _, conversation := range [][]string{
		{initMessage, helloMessage},
		{initMessage, idleMessage, `{"type":"complete","id":"1"}`, helloMessage},
		{initMessage, idleMessage, helloMessage},
		{
			initMessage,
			`{"type":"subscribe","id":"1","payload":{"query":"subscription{count(to:3)}"}}`,
			`{"type":"ping","payload":{"token":"bob"}}`,
		},
		{
			initMessage,
			`{"type":"subscribe","id":"1","payload":{"query":"{"}}`,
			`{"type":"subscribe","id":"1","payload":{"query":"{hello}"}}`,
		},
		{`{"type":"ping"}`, `nonsense`},
	} {
		var stream []byte
		for _, message := range conversation {
			stream = append(stream, maskedFrame(1, message)...)
		}
		f.Add(stream)
	}
	f.Add(append(maskedFrame(9, "ping"), maskedFrame(8, "\x03\xe8bye")...))
	f.Add([]byte{0x01, 0x82, 0, 0, 0, 0, '{', '}', 0x80, 0x80, 0, 0, 0, 0}) // fragmented
	root := fixture.New()
	closed := make(chan int, 1)
	engine := exec.New(exec.Options{
		Schema:       root.Schema(),
		Authenticate: authenticate,
		Logger:       slog.New(slog.NewTextHandler(io.Discard, nil)),
		Observer:     exec.Observer{SocketClosed: func(code int) { closed <- code }},
	})
	handler := graphqlhttp.New(engine, graphqlhttp.Options{
		Socket: ws.Options{InitTimeout: time.Minute, CloseTimeout: time.Millisecond},
	})
	f.Fuzz(func(t *testing.T, input []byte) {
		conn := &scriptedConn{input: bytes.NewReader(input)}
		r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/", nil)
		for key, value := range map[string]string{
			"Connection": "Upgrade", "Upgrade": "websocket", "Sec-Websocket-Version": "13",
			"Sec-Websocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-Websocket-Protocol": "graphql-transport-ws",
		} {
			r.Header.Set(key, value)
		}
		handler.ServeHTTP(&hijackRecorder{ResponseRecorder: httptest.NewRecorder(), conn: conn}, r)
		receive(t, closed, "the socket to end")
		settle(t, root)
		conn.check(t)
	})
}

func maskedFrame(opcode byte, payload string) []byte {
	frame := []byte{0x80 | opcode, 0x80 | 126, 0, 0, 0, 0, 0, 0}
	binary.BigEndian.PutUint16(frame[2:], uint16(len(payload)))
	return append(frame, payload...)
}

// hijackRecorder gives the upgrader a scripted connection.
type hijackRecorder struct {
	*httptest.ResponseRecorder
	conn *scriptedConn
}

func (h *hijackRecorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(bufio.NewReader(strings.NewReader("")), bufio.NewWriter(io.Discard)), nil
}

// scriptedConn plays the client: its input, then the end.
type scriptedConn struct {
	net.Conn
	input *bytes.Reader

	mu     sync.Mutex
	output bytes.Buffer
	closed bool
}

func (c *scriptedConn) Read(p []byte) (int, error) { return c.input.Read(p) }

func (c *scriptedConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, net.ErrClosed
	}
	return c.output.Write(p)
}

func (c *scriptedConn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	return nil
}

func (c *scriptedConn) SetDeadline(time.Time) error      { return nil }
func (c *scriptedConn) SetReadDeadline(time.Time) error  { return nil }
func (c *scriptedConn) SetWriteDeadline(time.Time) error { return nil }

// check reads the frames that the server wrote.
func (c *scriptedConn) check(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	_, frames, found := bytes.Cut(c.output.Bytes(), []byte("\r\n\r\n"))
	if !found {
		t.Fatalf("no handshake: %q", c.output.Bytes())
	}
	acknowledged := false
	for len(frames) > 0 {
		opcode, payload, rest := serverFrame(t, frames)
		frames = rest
		switch opcode {
		case 1:
			var m wsMessage
			if err := json.Unmarshal(payload, &m); err != nil {
				t.Fatalf("%v: %q", err, payload)
			}
			if m.Type == "connection_ack" {
				acknowledged = true
			} else if m.ID != "" && !acknowledged {
				t.Fatalf("an operation ran before the ack: %q", payload)
			}
		case 8:
			if len(rest) > 0 {
				t.Fatalf("%d bytes follow the close frame", len(rest))
			}
		}
	}
}

// serverFrame splits off the first frame, which servers do not mask.
func serverFrame(t *testing.T, data []byte) (opcode byte, payload, rest []byte) {
	t.Helper()
	if len(data) < 2 {
		t.Fatalf("half a frame: %x", data)
	}
	opcode, size, head := data[0]&0x0f, int(data[1]&0x7f), 2
	switch size {
	case 126:
		size, head = int(binary.BigEndian.Uint16(data[2:])), 4
	case 127:
		size, head = int(binary.BigEndian.Uint64(data[2:])), 10
	}
	return opcode, data[head : head+size], data[head+size:]
}

// FuzzBody looks for request bodies that break decoding or are answered with themselves.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{
		`{"query":"{ hello }"}`, `{"query":"query($a:[Int!]){echo(list:$a)}","variables":{"a":[1,2.0,null]}}`,
		`{"query":"{","operationName":null,"extensions":{"persistedQuery":{"version":1,"sha256Hash":"x"}}}`,
		`[]`, `{"query":1}`,
	} {
		f.Add([]byte(seed))
	}
	handler := graphqlhttp.New(exec.New(exec.Options{
		Schema:           fixture.New().Schema(),
		Authenticate:     authenticate,
		Logger:           slog.New(slog.NewTextHandler(io.Discard, nil)),
		OperationTimeout: 10 * time.Millisecond,
	}), graphqlhttp.Options{})
	f.Fuzz(func(t *testing.T, body []byte) {
		r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/", bytes.NewReader(body))
		r.Header.Set("Content-Type", jsonType)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code >= 500 || !json.Valid(w.Body.Bytes()) {
			t.Fatalf("%d %q", w.Code, w.Body)
		}
	})
}
