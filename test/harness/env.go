package harness

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"sync"
	"testing"
	"time"

	"errand/ent"
	"errand/internal/config"
	"errand/internal/server"
	"errand/internal/telemetry"
	"errand/internal/testclient"
	"errand/internal/testdb"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

// Secret is the shared HS256 secret of the servers and tokens of the tests.
const Secret = "the tests' own secret of 32 bytes and more"

// Settings maps names of environment variables to values.
type Settings map[string]string

// Env is a server that runs in the test's process, with its log. [Start] creates it.
type Env struct {
	*server.Server
	// Logs holds everything the server has logged; its String method is safe for concurrent use.
	Logs *logBuffer
	// SystemURL is the URL of the database for SystemClient, "" for that of the server's settings.
	SystemURL string

	systemOnce sync.Once
	system     *ent.Client // set by SystemClient
}

// TestSettings returns the default settings for tests on a database: a free port, the offline model without delays,
// and limits that tests do not reach.
func TestSettings(database string) Settings {
	return Settings{
		"DATABASE_URL":         database,
		"ADDR":                 "127.0.0.1:0",
		"ADMIN_ADDR":           "off",
		"LLM_PROVIDER":         "rules",
		"RULES_PACE":           "0s",
		"BETTER_AUTH_SECRET":   Secret,
		"RUN_SWEEP":            "50ms",
		"MESSAGES_PER_MINUTE":  "10000",
		"MAX_REPLIES_PER_USER": "100",
		"MCP_CALLS_PER_MINUTE": "100000",
		"MUTATIONS_PER_MINUTE": "0",
		"SHUTDOWN_TIMEOUT":     "20s",
		"DB_MAX_CONNS":         "8",
		"LOG_LEVEL":            "debug",
	}
}

// Start starts a server on a database with [TestSettings] and overrides, of which later ones win. The server stops
// when the test ends; its log is printed when the test has failed.
func Start(t *testing.T, database string, overrides ...Settings) *Env {
	t.Helper()
	settings := TestSettings(database)
	for _, override := range overrides {
		maps.Copy(settings, override)
	}
	cfg, err := config.Load(settings, "")
	require.NoError(t, err)
	env := &Env{Logs: &logBuffer{}}
	env.Server, err = server.Start(context.Background(), cfg, telemetry.NewLogger(env.Logs, cfg.Server.LogLevel))
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), testclient.Timeout)
		defer cancel()
		require.NoError(t, env.Stop(ctx))
		if t.Failed() {
			t.Logf("the server's log:\n%s", env.Logs)
		}
	})
	return env
}

// EachDatabase runs a subtest on SQLite and one on PostgreSQL, in parallel, each with a server on a new database.
func EachDatabase(t *testing.T, test func(t *testing.T, e *Env), overrides ...Settings) {
	t.Helper()
	t.Parallel()
	testdb.EachURL(t, func(t *testing.T, url string) {
		t.Parallel()
		test(t, Start(t, url, overrides...))
	})
}

// Client returns a client that is authenticated as the user name.
func (e *Env) Client(t testing.TB, name string) *testclient.Client {
	t.Helper()
	return testclient.New(t, e.URL(), Token(t, name))
}

// Token returns a token for subject, signed with [Secret], that expires in an hour.
func Token(t testing.TB, subject string) string {
	t.Helper()
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": subject, "name": subject, "exp": time.Now().Add(time.Hour).Unix(),
	}).SignedString([]byte(Secret))
	require.NoError(t, err)
	return signed
}

// ClientWithScopes returns a client that is authenticated as the user name, with a token of these scopes, separated by
// spaces.
func (e *Env) ClientWithScopes(t testing.TB, name, scopes string) *testclient.Client {
	t.Helper()
	return testclient.New(t, e.URL(), TokenWithScopes(t, name, scopes))
}

// TokenWithScopes is Token with a scope claim.
func TokenWithScopes(t testing.TB, subject, scopes string) string {
	t.Helper()
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": subject, "name": subject, "exp": time.Now().Add(time.Hour).Unix(), "scope": scopes,
	}).SignedString([]byte(Secret))
	require.NoError(t, err)
	return signed
}

// logBuffer stores a server's log. It is safe for concurrent use.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// String returns everything that was logged.
func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// GenerousLimits raises the query limits so that documents may select every field, and sets prices so that usage has
// a cost.
var GenerousLimits = Settings{
	"QUERY_MAX_COMPLEXITY": "1000000", "QUERY_MAX_DEPTH": "100", "QUERY_MAX_TOKENS": "100000",
	"LLM_PRICES": "rules=1:1", "TOKENS_PER_DAY": "1000000000",
}

// PollInterval is how often tests poll a condition, for example with require.Eventually.
const PollInterval = 5 * time.Millisecond

// BearerTransport is an http.RoundTripper that adds a bearer token to each request.
type BearerTransport struct {
	Token string
	Base  *http.Transport
}

// RoundTrip implements http.RoundTripper.
func (b BearerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.Token)
	return b.Base.RoundTrip(r)
}
