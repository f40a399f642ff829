package graphqlhttp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"errand/internal/apperr"
	"errand/internal/graphqlhttp"
	"errand/internal/graphqlhttp/exec"
	"errand/internal/graphqlhttp/internal/fixture"
	"errand/internal/origin"
	"errand/internal/viewer"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is the timeout of every wait for an expected event.
const patience = 10 * time.Second

// environment is a running server, its fixture and what it reported.
type environment struct {
	t       *testing.T
	root    *fixture.Root
	handler *graphqlhttp.Handler
	server  *httptest.Server
	logs    *syncBuffer
	codes   chan int
	reports chan exec.Report
	client  *http.Client
}

// serverOptions are the options of the engine and the handler.
type serverOptions struct {
	exec.Options
	HTTP graphqlhttp.Options
	// Origin is the only other origin that is allowed.
	Origin string
}

// start serves the fixture schema; change modifies the options.
func start(t *testing.T, change func(*serverOptions)) *environment {
	b := &environment{
		t:       t,
		root:    fixture.New(),
		logs:    &syncBuffer{},
		codes:   make(chan int, 5000),
		reports: make(chan exec.Report, 5000),
	}
	options := serverOptions{Options: exec.Options{
		Schema:        b.root.Schema(),
		Authenticate:  authenticate,
		Introspection: true,
		Logger:        slog.New(slog.NewJSONHandler(b.logs, nil)),
		Observer: exec.Observer{
			SocketClosed: func(code int) { b.codes <- code },
			Operation:    func(_ context.Context, r exec.Report) { b.reports <- r },
		},
	}}
	options.HTTP.AnonymousBodyBytes = 1 << 20 // most tests send requests without a token
	if change != nil {
		change(&options)
	}
	b.handler = graphqlhttp.New(exec.New(options.Options), options.HTTP)
	origins := &origin.Policy{
		Allowed: func(origin string) bool { return origin == options.Origin },
		Refuse:  b.handler.RefuseOrigin,
	}
	b.server = httptest.NewServer(origins.Wrap(b.handler))
	b.client = &http.Client{Transport: &http.Transport{DisableCompression: true}}
	t.Cleanup(b.stop)
	return b
}

func (b *environment) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(b.t, b.handler.Shutdown(ctx))
	b.client.CloseIdleConnections()
	b.server.Close()
}

// authenticate accepts the tokens "name" and "name+duration", which expires after the duration. "bad", "down" and
// "broken" fail.
func authenticate(ctx context.Context, token string) (context.Context, string, time.Time, error) {
	name, lifetime, limited := strings.Cut(token, "+")
	switch name {
	case "bad":
		return ctx, "", time.Time{}, apperr.New(apperr.Unauthenticated, "The token is not valid.")
	case "down":
		return ctx, "", time.Time{}, apperr.New(apperr.Unavailable, "Tokens cannot be checked right now.")
	case "broken":
		return ctx, "", time.Time{}, fmt.Errorf("dial tcp: secret-host refused")
	}
	var expires time.Time
	if limited {
		d, err := time.ParseDuration(lifetime)
		if err != nil {
			return ctx, "", time.Time{}, err
		}
		expires = time.Now().Add(d)
	}
	return viewer.NewContext(ctx, viewer.Viewer{UserID: name}), name, expires, nil
}

// answer is a decoded HTTP response.
type answer struct {
	status int
	header http.Header
	body   string
	json   map[string]any
}

// do sends a request; headers come in pairs.
func (b *environment) do(method, path, body string, headers ...string) answer {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, b.server.URL+path, strings.NewReader(body))
	require.NoError(b.t, err)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	response, err := b.client.Do(r)
	require.NoError(b.t, err)
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	require.NoError(b.t, err)
	a := answer{status: response.StatusCode, header: response.Header, body: string(data)}
	_ = json.Unmarshal(data, &a.json) // not every answer is one JSON object
	return a
}

// post sends a JSON body.
func (b *environment) post(body string, headers ...string) answer {
	b.t.Helper()
	return b.do(http.MethodPost, "/", body, append([]string{"Content-Type", "application/json"}, headers...)...)
}

// query sends a document with variables as JSON ("" for none).
func (b *environment) query(document, variables string, headers ...string) answer {
	b.t.Helper()
	if variables == "" {
		variables = "{}"
	}
	return b.post(fmt.Sprintf(`{"query":%s,"variables":%s}`, quote(document), variables), headers...)
}

func quote(s string) string {
	data, _ := json.Marshal(s)
	return string(data)
}

// code is extensions.code of the first error, "" without errors.
func (a answer) code() string {
	code, _ := a.extension("code").(string)
	return code
}

func (a answer) extension(name string) any {
	list, _ := a.json["errors"].([]any)
	if len(list) == 0 {
		return nil
	}
	extensions, _ := list[0].(map[string]any)["extensions"].(map[string]any)
	return extensions[name]
}

func (a answer) message() string {
	list, _ := a.json["errors"].([]any)
	if len(list) == 0 {
		return ""
	}
	message, _ := list[0].(map[string]any)["message"].(string)
	return message
}

// syncBuffer is a buffer for concurrent log writers.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// receive takes the next value of a channel, or fails.
func receive[T any](t *testing.T, from <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("timed out waiting for %s", what)
		panic("unreachable")
	}
}

// settle waits until the resolvers of all subscriptions have ended.
func settle(t *testing.T, root *fixture.Root) {
	t.Helper()
	for end := time.Now().Add(patience); root.Live.Load() > 0; {
		select {
		case <-root.Ended:
		case <-time.After(time.Until(end)):
			t.Fatalf("%d resolvers did not end with their socket", root.Live.Load())
		}
	}
}
