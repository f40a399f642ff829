package integration

import (
	"bytes"
	"context"
	"maps"
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

// secret signs the tests' tokens.
const secret = "the tests' own secret of 32 bytes and more"

// settings are an environment.
type settings map[string]string

// bench is a server in this process.
type bench struct {
	*server.Server
	logs *logs

	opened sync.Once
	direct *ent.Client // see root
}

// quick are the settings that suit tests: nothing of the machine's, no waiting.
func quick(database string) settings {
	return settings{
		"DATABASE_URL": database, "ADDR": "127.0.0.1:0", "ADMIN_ADDR": "off", "LLM_PROVIDER": "rules", "RULES_PACE": "0s",
		"BETTER_AUTH_SECRET": secret, "RUN_SWEEP": "50ms", "MESSAGES_PER_MINUTE": "10000", "MAX_REPLIES_PER_USER": "100", "MCP_CALLS_PER_MINUTE": "100000",
		"SHUTDOWN_TIMEOUT": "20s", "DB_MAX_CONNS": "8", "LOG_LEVEL": "debug",
	}
}

// boot serves on a database until the end of the test; more settings override the usual ones.
func boot(t *testing.T, database string, more ...settings) *bench {
	t.Helper()
	environ := quick(database)
	for _, m := range more {
		maps.Copy(environ, m)
	}
	cfg, err := config.Load(environ, "")
	require.NoError(t, err)
	b := &bench{logs: &logs{}}
	b.Server, err = server.Start(context.Background(), cfg, telemetry.NewLogger(b.logs, cfg.Server.LogLevel))
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), testclient.Timeout)
		defer cancel()
		require.NoError(t, b.Stop(ctx))
		if t.Failed() {
			t.Logf("the server's log:\n%s", b.logs)
		}
	})
	return b
}

// each runs a test on a server of its own on each engine.
func each(t *testing.T, test func(t *testing.T, b *bench), more ...settings) {
	t.Helper()
	t.Parallel()
	testdb.EachURL(t, func(t *testing.T, url string) {
		t.Parallel()
		test(t, boot(t, url, more...))
	})
}

// user signs a person in.
func (b *bench) user(t testing.TB, name string) *testclient.Client {
	t.Helper()
	return testclient.New(t, b.URL(), token(t, name))
}

// token is a token of the shared secret.
func token(t testing.TB, subject string) string {
	t.Helper()
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": subject, "name": subject, "exp": time.Now().Add(time.Hour).Unix(),
	}).SignedString([]byte(secret))
	require.NoError(t, err)
	return signed
}

// logs keeps a server's log for a test that fails.
type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String is all that was logged.
func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
