package graphqlhttp_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"errand/internal/graphqlhttp/internal/fixture"

	"github.com/stretchr/testify/require"
)

// eventStream is an open response read line by line.
type eventStream struct {
	b        *environment
	response *http.Response
	lines    *bufio.Reader
	cancel   context.CancelFunc
}

// open sends a request and leaves its response open.
func (b *environment) open(method, path, body string, headers ...string) *eventStream {
	b.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	b.t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, method, b.server.URL+path, strings.NewReader(body))
	require.NoError(b.t, err)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", jsonType)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := b.client.Do(r)
	require.NoError(b.t, err)
	b.t.Cleanup(func() { _ = response.Body.Close() })
	return &eventStream{b: b, response: response, lines: bufio.NewReader(response.Body), cancel: cancel}
}

func (b *environment) openSSE(document string, headers ...string) *eventStream {
	b.t.Helper()
	s := b.open("POST", "/", `{"query":`+quote(document)+`}`, append(headers, "Accept", "text/event-stream")...)
	require.Equal(b.t, 200, s.response.StatusCode)
	require.Equal(b.t, "text/event-stream; charset=utf-8", s.response.Header.Get("Content-Type"))
	s.requireUnchangedByProxies()
	return s
}

// requireUnchangedByProxies checks that proxies are told not to compress or buffer the stream.
func (s *eventStream) requireUnchangedByProxies() {
	s.b.t.Helper()
	require.Equal(s.b.t, "no-cache, no-transform, no-store", s.response.Header.Get("Cache-Control"))
	require.Equal(s.b.t, "no", s.response.Header.Get("X-Accel-Buffering"))
}

// event returns the next event, without comments, as "event|data".
func (s *eventStream) event() string {
	s.b.t.Helper()
	var fields []string
	for {
		line := s.line()
		switch {
		case line == "" && len(fields) > 0:
			return strings.Join(fields, "|")
		case line != "" && !strings.HasPrefix(line, ":"):
			_, value, _ := strings.Cut(line, ":")
			fields = append(fields, strings.TrimPrefix(value, " "))
		}
	}
}

func (s *eventStream) line() string {
	s.b.t.Helper()
	stop := time.AfterFunc(patience, s.cancel)
	defer stop.Stop()
	line, err := s.lines.ReadString('\n')
	require.NoError(s.b.t, err)
	return strings.TrimSuffix(line, "\n")
}

// rest reads to the end of the response, which must not be cut short.
func (s *eventStream) rest() string {
	s.b.t.Helper()
	stop := time.AfterFunc(patience, s.cancel)
	defer stop.Stop()
	data, err := io.ReadAll(s.lines)
	require.NoError(s.b.t, err)
	return string(data)
}

func TestSSE_QueryAndSubscription_StreamedThenComplete(t *testing.T) {
	b := start(t, nil)
	s := b.openSSE(`subscription { count(to: 2) }`)
	require.Equal(t, `next|{"data":{"count":1}}`, s.event())
	require.Equal(t, `next|{"data":{"count":2}}`, s.event())
	require.Equal(t, `complete|`, s.event())
	require.Empty(t, s.rest())

	s = b.openSSE(`{ hello }`)
	require.Contains(t, s.event(), `next|{"data":{"hello":"world"}`)
	require.Equal(t, `complete|`, s.event())

	s = b.open("GET", "/?query=subscription%7Bcount(to:1)%7D", "", "Accept", "text/event-stream")
	require.Equal(t, `next|{"data":{"count":1}}`, s.event())
	require.Equal(t, `complete|`, s.event())
}

func TestSSE_RequestError_SentInStream(t *testing.T) {
	b := start(t, nil)
	for document, code := range map[string]string{
		`{`:                                   "GRAPHQL_PARSE_FAILED",
		`subscription { x }`:                  "GRAPHQL_VALIDATION_FAILED",
		`subscription { refused }`:            "NOT_FOUND",
		`subscription($n:Int!){count(to:$n)}`: "BAD_USER_INPUT",
		`subscription { explodes { bang } }`:  "INTERNAL_SERVER_ERROR",
	} {
		s := b.openSSE(document)
		event := s.event()
		require.Contains(t, event, code, document)
		require.NotContains(t, event, "secret")
		require.Equal(t, `complete|`, s.event(), document)
		require.Empty(t, s.rest())
	}
}

func TestSSE_Idle_SendsComments(t *testing.T) {
	b := start(t, func(o *serverOptions) {
		o.HTTP.KeepAlive, o.HTTP.Socket.KeepAlive = 10*time.Millisecond, 10*time.Millisecond
	})
	s := b.openSSE(`subscription { topic(name: "a") { text } }`)
	for range 4 {
		require.Equal(t, ":", s.line())
		require.Empty(t, s.line())
	}
	b.root.Topic("a") <- &fixture.Event{Text: "line\nbreak"}
	require.Equal(t, `next|{"data":{"topic":{"text":"line\nbreak"}}}`, s.event())
	close(b.root.Topic("a"))
	require.Equal(t, `complete|`, s.event())
}

func TestSSE_ClientDisconnects_ResolverStops(t *testing.T) {
	b := start(t, nil)
	s := b.openSSE(`subscription { idle }`)
	s.cancel()
	require.Equal(t, "idle", receive(t, b.root.Ended, "the resolver to end"))
}

func TestSSE_TokenExpires_EndsWithUnauthenticated(t *testing.T) {
	b := start(t, nil)
	s := b.openSSE(`subscription { idle }`, "Authorization", "Bearer alice+50ms")
	require.Contains(t, s.event(), "UNAUTHENTICATED")
	require.Equal(t, `complete|`, s.event())
	require.Equal(t, "idle", receive(t, b.root.Ended, "the resolver to end"))
}

func TestSSE_Shutdown_EndsWithoutComplete(t *testing.T) {
	b := start(t, nil)
	s := b.openSSE(`subscription { idle }`)
	require.Equal(t, ":", s.line())
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(t, b.handler.Shutdown(ctx))
	rest := s.rest()
	require.Contains(t, rest, "retry: 1000")
	require.NotContains(t, rest, "complete")
	require.Equal(t, "idle", receive(t, b.root.Ended, "the resolver to end"))
}

func TestSSE_StreamsPerUserExceeded_429(t *testing.T) {
	b := start(t, func(o *serverOptions) { o.HTTP.StreamsPerUser = 2 })
	open := func(user string) *eventStream {
		return b.open(
			"POST",
			"/",
			`{"query":"subscription { idle }"}`,
			"Accept",
			"text/event-stream",
			"Authorization",
			"Bearer "+user,
		)
	}
	first := open("alice")
	require.Equal(t, 200, first.response.StatusCode)
	require.Equal(t, 200, open("alice").response.StatusCode)
	rejected := open("alice")
	require.Equal(t, 429, rejected.response.StatusCode)
	require.Contains(t, rejected.rest(), "RATE_LIMITED")
	require.Equal(t, 200, open("bob").response.StatusCode)
	first.cancel()
	receive(t, b.root.Ended, "the resolver to end")
	require.Eventually(t, func() bool {
		return open("alice").response.StatusCode == http.StatusOK
	}, patience, 5*time.Millisecond)
}
