// Package providertest provides fake servers of model providers for tests: a server that answers each request with the
// next step of a script, servers that check histories as the vendors do, and the conformance suite of providers.
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

// Request is a received request.
type Request struct {
	Path   string
	Query  string
	Header http.Header
	Body   []byte
}

// JSON decodes the body, which must be an object.
func (r Request) JSON(t *testing.T) map[string]any {
	t.Helper()
	var v map[string]any
	require.NoError(t, json.Unmarshal(r.Body, &v))
	return v
}

// Server answers the nth request with the nth step of its script, and all further requests with the last step.
type Server struct {
	URL    string
	Client *http.Client

	mu       sync.Mutex
	script   []Step
	requests []Request
}

// NewServer starts a server that is closed at the end of the test.
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
		return // the client disconnected
	}
	s.mu.Lock()
	s.requests = append(s.requests, Request{Path: r.URL.Path, Query: r.URL.RawQuery, Header: r.Header, Body: body})
	step := s.script[min(len(s.requests), len(s.script))-1]
	s.mu.Unlock()
	step(w, r)
}

// Requests returns the requests received so far.
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

// Stream sends the frames and ends the body.
func Stream(frames ...string) Step {
	return func(w http.ResponseWriter, _ *http.Request) { writeFrames(w, frames) }
}

// StreamThenHang sends the frames and keeps the response open until the client disconnects.
func StreamThenHang(frames ...string) Step {
	return func(w http.ResponseWriter, r *http.Request) {
		writeFrames(w, frames)
		<-r.Context().Done()
	}
}

// StreamSlowly sends the frames with a pause before each, until the client disconnects.
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

// Hang sends nothing, not even a status, until the client disconnects.
func Hang() Step {
	return func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
}

// StreamThenReset sends the frames and then resets the connection.
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

// JSON sends a JSON body. header alternates names and values.
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
