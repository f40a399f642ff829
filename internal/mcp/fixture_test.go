package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"errand/internal/account"
	"errand/internal/auth"
	"errand/internal/chat"
	"errand/internal/config"
	"errand/internal/quota"
	"errand/internal/store"
	"errand/internal/stream"
	"errand/internal/task"
	"errand/internal/testdb"
	"errand/internal/tool"
	"errand/internal/viewer"

	"github.com/golang-jwt/jwt/v5"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testSecret      = "a secret of thirty-two bytes or more"
	testIssuer      = "https://app.example.com"
	testAudience    = "https://errand.example.com/mcp"
	graphqlAudience = "https://errand.example.com"
	patience        = 20 * time.Second
)

// fixture is a server on a database of its own, with tokens for its users.
type fixture struct {
	t      *testing.T
	db     *store.DB
	hub    *stream.Hub
	tasks  *task.Service
	users  *account.Service
	server *Server
	guard  Guard
	http   *httptest.Server
	log    *syncBuffer

	mu      sync.Mutex
	reports []Report
}

// eachEngine runs a test on both engines.
func eachEngine(t *testing.T, test func(t *testing.T, w *fixture)) {
	testdb.Each(t, func(t *testing.T, db *store.DB) { test(t, newFixture(t, db, nil)) })
}

func newFixture(t *testing.T, db *store.DB, change func(*Options)) *fixture {
	t.Helper()
	w := &fixture{t: t, db: db, hub: stream.NewHub(), log: &syncBuffer{}}
	log := slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	cfg, err := config.Load(map[string]string{
		"DATABASE_URL":       "sqlite:" + filepath.Join(t.TempDir(), "unused.db"),
		"BETTER_AUTH_SECRET": testSecret, "AUTH_ISSUER": testIssuer,
		"AUTH_AUDIENCE": graphqlAudience, "AUTH_MCP_AUDIENCE": testAudience,
	}, "")
	require.NoError(t, err)
	w.users = account.NewService(db.Client(), quota.Limits{}, account.Hooks{})
	w.tasks = task.NewService(db.Client(), quota.Limits{}, func(userID string) {
		w.hub.Publish(stream.Event{Kind: stream.RowsChanged, Topic: userID})
	})
	verifier, err := auth.New(cfg, log)
	require.NoError(t, err)
	o := Options{
		Tools:          tool.NewRegistry(),
		Tasks:          w.tasks,
		Conversations:  chat.NewService(db.Client(), w.hub, nil, nil, chat.Limits{}),
		CheckRateLimit: func(ctx context.Context) error { return w.users.AllowCall(ctx, 10_000) },
		Hub:            w.hub, Timeout: 10 * time.Second, MaxSubscriptions: 4, MaxChanges: 5,
		OnRequest: w.observe, Logger: log,
	}
	if change != nil {
		change(&o)
	}
	w.server = New(o)
	w.guard = Guard{
		Authenticate: func(ctx context.Context, token string) (context.Context, error) {
			ctx, _, _, err := verifier.Authenticator(auth.MCP, w.users).Authenticate(ctx, token)
			return ctx, err
		},
		Resource:  auth.NewProtectedResource(cfg, Path, Scopes()...),
		PublicURL: "https://errand.example.com", BodyBytes: 64 << 10,
	}
	w.http = httptest.NewServer(w.server.Handler(w.guard))
	t.Cleanup(func() {
		w.hub.Close()
		w.http.Close()
		verifier.Close()
	})
	return w
}

func (w *fixture) observe(_ context.Context, r Report) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reports = append(w.reports, r)
}

// lastReport returns the newest report of a method.
func (w *fixture) lastReport(method string) Report {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := len(w.reports) - 1; i >= 0; i-- {
		if w.reports[i].Method == method {
			return w.reports[i]
		}
	}
	w.t.Fatalf("no report of %s", method)
	return Report{}
}

// token signs valid claims; change alters them.
func token(t *testing.T, subject string, change func(jwt.MapClaims)) string {
	t.Helper()
	claims := jwt.MapClaims{
		"sub": subject, "name": subject, "iss": testIssuer, "aud": testAudience,
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	}
	if change != nil {
		change(claims)
	}
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(testSecret))
	require.NoError(t, err)
	return signed
}

// userID returns the id of a user, created as by a first request.
func (w *fixture) userID(subject string) string {
	id, err := w.users.EnsureUser(context.Background(), auth.Claims{Subject: subject, Name: subject, Issuer: testIssuer})
	require.NoError(w.t, err)
	return id
}

// context returns a context with the user as viewer.
func (w *fixture) context(subject string) context.Context {
	return viewer.NewContext(context.Background(), viewer.Viewer{UserID: w.userID(subject)})
}

// createTask creates a task as the user.
func (w *fixture) createTask(subject, title string) int {
	made, err := w.tasks.CreateTask(w.context(subject), task.CreateTaskInput{Title: title})
	require.NoError(w.t, err)
	return made.Number
}

// bearerTransport adds a bearer token to requests.
type bearerTransport struct {
	token string
	base  http.RoundTripper
}

func (b bearerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return b.base.RoundTrip(r)
}

// client is an SDK client that records its notifications.
type client struct {
	*sdk.ClientSession
	t     *testing.T
	heard chan string
}

// connect opens a client session with a revision of the protocol.
func (w *fixture) connect(t *testing.T, token, revision string) *client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return join(t, &sdk.StreamableClientTransport{
		Endpoint: w.http.URL + Path, HTTPClient: &http.Client{Transport: bearerTransport{token, transport}}, MaxRetries: -1,
	}, revision)
}

func join(t *testing.T, transport sdk.Transport, revision string) *client {
	t.Helper()
	c := &client{t: t, heard: make(chan string, 100)}
	options := &sdk.ClientOptions{
		ResourceListChangedHandler: func(context.Context, *sdk.ResourceListChangedRequest) { c.heard <- "list" },
		ResourceUpdatedHandler: func(_ context.Context, r *sdk.ResourceUpdatedNotificationRequest) {
			c.heard <- r.Params.URI
		},
	}
	made := sdk.NewClient(&sdk.Implementation{Name: "Test Desk", Version: "1"}, options)
	made.AddReceivingMiddleware(func(next sdk.MethodHandler) sdk.MethodHandler {
		return func(ctx context.Context, method string, req sdk.Request) (sdk.Result, error) {
			if p, ok := req.GetParams().(*sdk.SubscriptionsAcknowledgedParams); ok {
				c.heard <- "ack " + strings.Join(p.Notifications.ResourceSubscriptions, " ")
			}
			return next(ctx, method, req)
		}
	})
	session, err := made.Connect(t.Context(), transport, &sdk.ClientSessionOptions{ProtocolVersion: revision})
	require.NoError(t, err)
	c.ClientSession = session
	t.Cleanup(func() { _ = session.Close() })
	return c
}

// requireNotification waits for a notification. Others may precede it.
func (c *client) requireNotification(want string) {
	c.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case got := <-c.heard:
			if got == want {
				return
			}
		case <-deadline:
			c.t.Fatalf("no notification %q", want)
		}
	}
}

// mustCall calls a tool, requires success and returns the structured result.
func (c *client) mustCall(name string, args map[string]any) map[string]any {
	c.t.Helper()
	result := c.callTool(name, args)
	require.False(c.t, result.IsError, "%s: %s", name, textOf(result))
	structured, ok := result.StructuredContent.(map[string]any)
	require.True(c.t, ok, "%s returned no structured result", name)
	return structured
}

func (c *client) callTool(name string, args map[string]any) *sdk.CallToolResult {
	c.t.Helper()
	result, err := c.CallTool(c.t.Context(), &sdk.CallToolParams{Name: name, Arguments: args})
	require.NoError(c.t, err)
	return result
}

// read reads an existing resource.
func (c *client) read(uri string) map[string]any {
	c.t.Helper()
	result, err := c.ReadResource(c.t.Context(), &sdk.ReadResourceParams{URI: uri})
	require.NoError(c.t, err)
	require.Len(c.t, result.Contents, 1)
	require.Equal(c.t, "application/json", result.Contents[0].MIMEType)
	var content map[string]any
	require.NoError(c.t, json.Unmarshal([]byte(result.Contents[0].Text), &content))
	return content
}

func textOf(r *sdk.CallToolResult) string {
	return r.Content[0].(*sdk.TextContent).Text
}

// post sends a raw message and returns the response with its body.
func (w *fixture) post(t *testing.T, body string, change func(*http.Request)) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.http.URL+Path, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	r.Header.Set("Mcp-Protocol-Version", "2025-11-25")
	change(r)
	transport := &http.Transport{DisableKeepAlives: true}
	answer, err := (&http.Client{Transport: transport, Timeout: patience}).Do(r)
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer, string(text)
}

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
