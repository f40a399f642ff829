// Package providertest is a scripted provider for tests: a server that answers each
// request with the next step of a script, and a suite of hostile cases that
// every provider must pass on its own wire.
package providertest

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Step answers one request.
type Step func(w http.ResponseWriter, r *http.Request)

// Request is a request as it arrived.
type Request struct {
	Path   string
	Query  string
	Header http.Header
	Body   []byte
}

// JSON is the request's body as a value.
func (r Request) JSON(t *testing.T) map[string]any {
	t.Helper()
	var v map[string]any
	require.NoError(t, json.Unmarshal(r.Body, &v))
	return v
}

// Server answers by script; the last step answers all further requests.
type Server struct {
	URL    string
	Client *http.Client

	mu       sync.Mutex
	script   []Step
	requests []Request
}

// NewServer starts a server that ends with the test.
func NewServer(t *testing.T, script ...Step) *Server {
	t.Helper()
	s := &Server{script: script}
	web := httptest.NewServer(s)
	s.URL = web.URL
	transport := &http.Transport{}
	s.Client = &http.Client{Transport: transport}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		web.Close()
	})
	return s
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller gave up while sending
	}
	s.mu.Lock()
	s.requests = append(s.requests, Request{Path: r.URL.Path, Query: r.URL.RawQuery, Header: r.Header, Body: body})
	step := s.script[min(len(s.requests), len(s.script))-1]
	s.mu.Unlock()
	step(w, r)
}

// Requests are the requests so far.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

func writeFrames(w http.ResponseWriter, frames []string) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	for _, f := range frames {
		_, _ = io.WriteString(w, f)
		_ = http.NewResponseController(w).Flush()
	}
}

// Stream sends the frames and ends the body cleanly.
func Stream(frames ...string) Step {
	return func(w http.ResponseWriter, _ *http.Request) { writeFrames(w, frames) }
}

// StreamThenHang sends the frames and then nothing until the caller gives up.
func StreamThenHang(frames ...string) Step {
	return func(w http.ResponseWriter, r *http.Request) {
		writeFrames(w, frames)
		<-r.Context().Done()
	}
}

// StreamSlowly sends the frames one by one with a pause before each, as long as the caller listens.
func StreamSlowly(pause time.Duration, frames ...string) Step {
	return func(w http.ResponseWriter, r *http.Request) {
		writeFrames(w, nil)
		for _, f := range frames {
			select {
			case <-time.After(pause):
			case <-r.Context().Done():
				return
			}
			_, _ = io.WriteString(w, f)
			_ = http.NewResponseController(w).Flush()
		}
	}
}

// Hang never sends so much as a header.
func Hang() Step {
	return func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
}

// StreamThenReset sends the frames and then breaks the connection.
func StreamThenReset(frames ...string) Step {
	return func(w http.ResponseWriter, _ *http.Request) {
		if len(frames) > 0 {
			writeFrames(w, frames)
		}
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // close with RST
		}
		_ = conn.Close()
	}
}

// JSON sends a plain JSON body; header holds names and values in turn.
func JSON(status int, body string, header ...string) Step {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}
