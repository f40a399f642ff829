package config_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"errand/internal/config"

	"github.com/stretchr/testify/require"
)

type vars = map[string]string

func load(t *testing.T, environ vars) config.Config {
	t.Helper()
	c, err := config.Load(environ, "")
	require.NoError(t, err)
	return c
}

// loadErrors loads settings that must be rejected and returns the errors by variable.
func loadErrors(t *testing.T, environ vars, dotenv string) map[string]config.Error {
	t.Helper()
	c, err := config.Load(environ, dotenv)
	require.Error(t, err)
	require.Zero(t, c)
	var all config.Errors
	require.ErrorAs(t, err, &all)
	byName := map[string]config.Error{}
	for _, f := range all {
		require.NotContains(t, byName, f.Variable, "one error per variable")
		require.NotEmpty(t, f.Problem)
		require.NotEmpty(t, f.Allowed)
		byName[f.Variable] = f
	}
	return byName
}

func dotenv(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), ".env")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func TestLoad_EmptyEnvironment_Defaults(t *testing.T) {
	c := load(t, nil)
	require.Equal(t, config.Development, c.Environment)
	require.Equal(t, "127.0.0.1:8080", c.Server.Addr)
	require.Equal(t, slog.LevelInfo, c.Server.LogLevel)
	require.Equal(t, config.Rules, c.LLM.Provider)
	require.Equal(t, "sqlite:./data/errand.db", c.Database.URL.String())
	require.True(t, c.Database.StatementCache)
	require.Equal(t, 15*time.Second, c.Runs.Lease)
	require.Equal(t, 2*time.Minute, c.Turns.TurnTimeout)
	require.Equal(t, 15*time.Millisecond, c.LLM.RulesPace)
	require.True(t, c.DevelopmentSignIn())
	require.True(t, c.IntrospectionEnabled())
}

func TestLoad_EnvironmentAndDotenv_EnvironmentWins(t *testing.T) {
	path := dotenv(t, "ADDR=127.0.0.1:1\nRUN_CONCURRENCY=7\nLLM_MODEL=from-file\n")
	c, err := config.Load(vars{"ADDR": "127.0.0.1:2", "LLM_MODEL": ""}, path)
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:2", c.Server.Addr)
	require.Equal(t, 7, c.Runs.Concurrency)
	require.Empty(t, c.LLM.Model, "an empty value in the environment unsets the file's")
}

func TestLoad_EmptyValues_Defaults(t *testing.T) {
	c, err := config.Load(vars{"RUN_LEASE": " "}, dotenv(t, "ADDR=\nLOG_LEVEL=\nOPENAI_API_KEY=\n"))
	require.NoError(t, err)
	require.Equal(t, load(t, nil), c)
}

func TestLoad_DotenvFile_Errors(t *testing.T) {
	t.Run("missing file", func(t *testing.T) {
		_, err := config.Load(nil, filepath.Join(t.TempDir(), "none"))
		require.NoError(t, err)
	})
	t.Run("malformed file: line number without content", func(t *testing.T) {
		path := dotenv(t, "# ours\nADDR=127.0.0.1:1\nOPENAI_API_KEY hunter2-secret\nRUN_LEASE=1s\n")
		err := loadErrors(t, nil, path)[path]
		require.Contains(t, err.Problem, "line 3")
		require.NotContains(t, err.Error(), "hunter2")
	})
	t.Run("unreadable file", func(t *testing.T) {
		dir := t.TempDir()
		require.Contains(t, loadErrors(t, nil, dir), dir)
	})
}

func TestLoad_InvalidValues_AllReportedWithoutValues(t *testing.T) {
	const planted = "hunter2-planted-value"
	environ := vars{"DATABASE_URL": "mysql://u:" + planted + "@h/db", "OPENAI_API_KEY": planted + " x"}
	for _, name := range []string{
		"ENVIRONMENT", "ADDR", "ADMIN_ADDR", "LOG_LEVEL", "SHUTDOWN_TIMEOUT", "INTROSPECTION", "CORS_ALLOWED_ORIGINS",
		"PUBLIC_URL", "PERSISTED_QUERIES_FILE", "DB_MAX_CONNS", "DB_STATEMENT_CACHE", "MIGRATE", "NATS_URL", "LLM_PROVIDER",
		"LLM_FALLBACK", "OPENAI_BASE_URL", "OLLAMA_BASE_URL", "RULES_PACE", "AUTH_JWKS_URL", "AUTH_LEEWAY", "RUN_LEASE",
		"RUN_SWEEP", "RUN_MAX_ATTEMPTS", "TURN_TIMEOUT", "MAX_BODY_BYTES", "QUERY_MAX_DEPTH", "SOCKET_KEEPALIVE",
	} {
		environ[name] = planted
	}
	found := loadErrors(t, environ, "")
	for name := range environ {
		require.Contains(t, found, name)
	}
	require.Len(t, found, len(environ))

	_, err := config.Load(environ, "")
	require.NotContains(t, err.Error(), "hunter2")
	require.Contains(t, err.Error(), "29 settings are invalid:\n  ADDR is not a host and port (allowed: ")
}

func TestLoad_NumbersAndDurations_RangeChecked(t *testing.T) {
	outOfBounds := vars{
		"RUN_LEASE": "1ms", "RUN_SWEEP": "2m", "RUN_MAX_ATTEMPTS": "0", "RUN_CONCURRENCY": "-1", "TURN_MAX_STEPS": "65",
		"TURN_MAX_TOOL_CALLS": "0", "TURN_TIMEOUT": "0s", "RULES_PACE": "-1ms", "DB_MAX_CONNS": "1001",
		"SHUTDOWN_TIMEOUT": "1h",
		"AUTH_LEEWAY":      "6m", "MAX_REPLIES_PER_USER": "0", "MESSAGES_PER_MINUTE": "0", "MAX_BODY_BYTES": "99999999",
		"MUTATIONS_PER_MINUTE": "-1", "MAX_TASKS_PER_USER": "-1", "MAX_CONVERSATIONS_PER_USER": "-1",
		"MAX_BYTES_PER_USER": "1e20",
		"REQUEST_TIMEOUT":    "1ms", "QUERY_MAX_TOKENS": "1", "QUERY_MAX_COMPLEXITY": "1", "MAX_SOCKETS_PER_USER": "0",
		"MAX_SUBSCRIPTIONS_PER_SOCKET": "0", "SOCKET_INIT_TIMEOUT": "2m", "REPLICA_NAME": "a b", "LLM_MODEL": "a b",
	}
	for name, value := range outOfBounds {
		require.Contains(t, loadErrors(t, vars{name: value}, ""), name)
	}
	require.Equal(
		t,
		"is not a whole number",
		loadErrors(t, vars{"MAX_BYTES_PER_USER": "1e20"}, "")["MAX_BYTES_PER_USER"].Problem,
	)
	require.EqualValues(t, 1<<40, load(t, vars{"MAX_BYTES_PER_USER": "1099511627776"}).Limits.BytesPerUser)
	require.Contains(t, loadErrors(t, vars{"RUN_LEASE": "1s", "RUN_SWEEP": "1s"}, "")["RUN_SWEEP"].Problem, "RUN_LEASE")
	require.Equal(t, "100ms to 10m", loadErrors(t, vars{"RUN_LEASE": "1h"}, "")["RUN_LEASE"].Allowed)
	require.Equal(t, "1s to 1h", loadErrors(t, vars{"TURN_TIMEOUT": "2h"}, "")["TURN_TIMEOUT"].Allowed)
}
