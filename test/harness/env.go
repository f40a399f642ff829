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

// Secret signs the tests' tokens.
const Secret = "the tests' own secret of 32 bytes and more"

// Settings are an environment.
type Settings map[string]string

// Env is a server in this process.
type Env struct {
	*server.Server
	Logs *logBuffer

	systemOnce sync.Once
	system     *ent.Client // see root
}

// TestConfig are the settings that suit tests: nothing of the machine's, no waiting.
func TestConfig(database string) Settings {
	return Settings{
		"DATABASE_URL": database, "ADDR": "127.0.0.1:0", "ADMIN_ADDR": "off", "LLM_PROVIDER": "rules", "RULES_PACE": "0s",
		"BETTER_AUTH_SECRET": Secret, "RUN_SWEEP": "50ms", "MESSAGES_PER_MINUTE": "10000", "MAX_REPLIES_PER_USER": "100", "MCP_CALLS_PER_MINUTE": "100000",
		"SHUTDOWN_TIMEOUT": "20s", "DB_MAX_CONNS": "8", "LOG_LEVEL": "debug",
	}
}

// Start serves on a database until the end of the test; more settings override the usual ones.
func Start(t *testing.T, database string, more ...Settings) *Env {
	t.Helper()
	environ := TestConfig(database)
	for _, m := range more {
		maps.Copy(environ, m)
	}
	cfg, err := config.Load(environ, "")
	require.NoError(t, err)
	b := &Env{Logs: &logBuffer{}}
	b.Server, err = server.Start(context.Background(), cfg, telemetry.NewLogger(b.Logs, cfg.Server.LogLevel))
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), testclient.Timeout)
		defer cancel()
		require.NoError(t, b.Stop(ctx))
		if t.Failed() {
			t.Logf("the server's log:\n%s", b.Logs)
		}
	})
	return b
}

// EachDatabase runs a test on a server of its own on each engine.
func EachDatabase(t *testing.T, test func(t *testing.T, b *Env), more ...Settings) {
	t.Helper()
	t.Parallel()
	testdb.EachURL(t, func(t *testing.T, url string) {
		t.Parallel()
		test(t, Start(t, url, more...))
	})
}

// Client signs a person in.
func (b *Env) Client(t testing.TB, name string) *testclient.Client {
	t.Helper()
	return testclient.New(t, b.URL(), Token(t, name))
}

// Token is a token of the shared secret.
func Token(t testing.TB, subject string) string {
	t.Helper()
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": subject, "name": subject, "exp": time.Now().Add(time.Hour).Unix(),
	}).SignedString([]byte(Secret))
	require.NoError(t, err)
	return signed
}

// logBuffer keeps a server's log for a test that fails.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String is all that was logged.
func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// GenerousLimits lets documents through that ask for everything at once, and counts what replies cost.
var GenerousLimits = Settings{
	"QUERY_MAX_COMPLEXITY": "1000000", "QUERY_MAX_DEPTH": "100", "QUERY_MAX_TOKENS": "100000",
	"LLM_PRICES": "rules=1:1", "TOKENS_PER_DAY": "1000000000",
}

const SweepInterval = 5 * time.Millisecond

// BearerTransport sends a token along.
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
