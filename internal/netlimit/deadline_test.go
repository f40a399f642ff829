package netlimit_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"errand/internal/netlimit"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// short are deadlines that tests wait for.
var short = deadlines{Body: 50 * time.Millisecond, Write: 50 * time.Millisecond}

// serveWith starts a server with short deadlines and connects to it.
func serveWith(t *testing.T, handler http.HandlerFunc) *client {
	t.Helper()
	return short.serve(t, handler)
}

// deadlines start servers for tests.
type deadlines netlimit.Deadlines

// serve starts a server with the deadlines and connects to it.
func (d deadlines) serve(t *testing.T, handler http.HandlerFunc) *client {
	t.Helper()
	server := httptest.NewUnstartedServer(netlimit.Deadlines(d).Wrap(handler))
	server.Config.WriteTimeout = patience
	server.Start()
	t.Cleanup(server.Close)
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	e := &environment{t: t}
	return e.client(conn)
}

func TestDeadlines_SlowBody_ReadFailsAndConnectionCloses(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"read": func(w http.ResponseWriter, r *http.Request) {
			_, err := io.ReadAll(r.Body)
			assert.True(t, isTimeout(err), "%v", err)
			w.WriteHeader(http.StatusRequestTimeout)
		},
		"not read, responded":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusRequestTimeout) },
		"not read, not responded": func(http.ResponseWriter, *http.Request) {},
		"deadline lifted by the handler": func(w http.ResponseWriter, _ *http.Request) {
			_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
		},
	} {
		for framing, request := range map[string]string{
			"length":  "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
			"chunked": "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
			"get":     "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n",
		} {
			t.Run(name+" "+framing, func(t *testing.T) {
				t.Parallel()
				c := deadlines{Body: short.Body, Write: patience}.serve(t, handler).send(request)
				c.status()
				c.requireClosed()
			})
		}
	}
}

// TestDeadlines_SlowHandler_KeepsContext checks that the read deadline ends with the body: net/http cancels the
// request's context when it passes.
func TestDeadlines_SlowHandler_KeepsContext(t *testing.T) {
	c := serveWith(t, func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		select {
		case <-r.Context().Done():
			w.WriteHeader(http.StatusInternalServerError)
		case <-time.After(4 * short.Body):
		}
	})
	require.Equal(t, 200, c.request("/"))
	require.Equal(t, 200, c.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}").status())
	require.Equal(t, 200, c.request("/"), "the connection is reused")
}

func TestDeadlines_ResponseNotRead_WriteFails(t *testing.T) {
	failed := make(chan error, 1)
	c := serveWith(t, func(w http.ResponseWriter, _ *http.Request) {
		_, err := w.Write(make([]byte, 64<<20))
		failed <- err
	})
	c.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	requireTimeout(t, failed)
	c.requireClosed()
}

// TestDeadlines_PausesOfTheHandler_DoNotCount checks that a handler may take its time between writes.
func TestDeadlines_PausesOfTheHandler_DoNotCount(t *testing.T) {
	c := serveWith(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "3")
		for range 3 {
			_, _ = w.Write([]byte("x"))
			_ = http.NewResponseController(w).Flush()
			time.Sleep(2 * short.Write)
		}
	})
	require.Equal(t, 200, c.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").status())
	text, err := io.ReadAll(io.LimitReader(c.r, 3))
	require.NoError(t, err)
	require.Equal(t, "xxx", string(text))
	require.Equal(t, 200, c.request("/"))
}

// TestDeadlines_Stream_EachWriteHasItsOwn checks that a stream may be silent, and that it ends when an event is not
// read.
func TestDeadlines_Stream_EachWriteHasItsOwn(t *testing.T) {
	failed := make(chan error, 1)
	c := serveWith(t, func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		assert.NoError(t, control.SetWriteDeadline(time.Time{}))
		assert.NoError(t, control.Flush())
		time.Sleep(3 * short.Write)
		_, err := w.Write([]byte("silent until now\n"))
		assert.NoError(t, err)
		assert.NoError(t, control.Flush())
		for err == nil {
			_, err = w.Write(make([]byte, 1<<20))
		}
		failed <- err
	})
	require.Equal(t, 200, c.send("GET / HTTP/1.0\r\n\r\n").status())
	line, err := c.r.ReadString('\n')
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(line, "silent"))
	requireTimeout(t, failed)
}

func TestDeadlines_Hijacked_HasNone(t *testing.T) {
	c := serveWith(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		assert.NoError(t, err)
		go func() {
			time.Sleep(4 * short.Write)
			_, _ = io.WriteString(conn, "later")
			_ = conn.Close()
		}()
	})
	text, err := io.ReadAll(c.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").r)
	require.NoError(t, err)
	require.Equal(t, "later", string(text))
}

func requireTimeout(t *testing.T, failed <-chan error) {
	t.Helper()
	select {
	case err := <-failed:
		require.True(t, isTimeout(err), "%v", err)
	case <-time.After(patience):
		t.Fatal("the write did not fail")
	}
}
