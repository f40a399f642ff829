package integration

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"errand/internal/doctor"
	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// TestDoctorCommand_Problem_ExitsNonZero checks the exit code: 0 when no problem prevents the server from
// working, 1 otherwise.
func TestDoctorCommand_Problem_ExitsNonZero(t *testing.T) {
	t.Parallel()
	database := testdb.SQLiteURL(t)
	require.Contains(t, harness.RunCommand(t, harness.TestSettings(database), "doctor"), "CHECK")
	for name, more := range map[string]harness.Settings{
		"setting": {"ADDR": "everywhere"}, "database": {"DATABASE_URL": "postgres://u@127.0.0.1:1/x?connect_timeout=1"},
	} {
		command := harness.Command(t, healthySettings(database, more), "doctor")
		table, err := command.Output()
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit, name)
		require.Equal(t, 1, exit.ExitCode(), name)
		require.Contains(t, string(table), "FAILED", name)
		require.Contains(t, string(exit.Stderr), "checks failed", name)
	}
}

// startHTTPProvider starts a model provider that returns the same response to every request.
func startHTTPProvider(t *testing.T, status int, body string) harness.Settings {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(s.Close)
	return harness.Settings{
		"LLM_PROVIDER": "openai", "OPENAI_BASE_URL": s.URL + "/v1", "LLM_MODEL": "m",
		"OPENAI_API_KEY": "k",
	}
}

// startRedirectingKeyServer starts a key server that redirects to another host.
func startRedirectingKeyServer(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.RedirectHandler("https://elsewhere.example/jwks", http.StatusMovedPermanently))
	t.Cleanup(s.Close)
	return s.URL
}

// productionSettings returns settings for production with an identity provider.
func productionSettings(t *testing.T) harness.Settings {
	t.Helper()
	return harness.Settings{
		"ENVIRONMENT": "production", "BETTER_AUTH_SECRET": "",
		"AUTH_JWKS_URL": startKeyServerWithClockSkew(t, 0),
	}
}

// execSQL executes a statement directly in a database, without the server.
func execSQL(t *testing.T, database, statement string) {
	t.Helper()
	_, err := testdb.Open(t, database).Client().ExecContext(context.Background(), statement)
	require.NoError(t, err)
}

// TestDoctor_EachFault_NamesItsFix provokes each problem and warning of the doctor and checks that it is
// reported with its fix.
func TestDoctor_EachFault_NamesItsFix(t *testing.T) {
	provider := harness.NewOIDCProvider(t)
	sqlite := testdb.SQLiteURL(t)
	broken := filepath.Join(t.TempDir(), "broken.db")
	require.NoError(t, os.WriteFile(broken, []byte(strings.Repeat("no database ", 1000)), 0o600))
	unforced, newer := testdb.PostgresURL(t), testdb.PostgresURL(t)
	execSQL(t, unforced, "ALTER TABLE tasks NO FORCE ROW LEVEL SECURITY")
	execSQL(t, newer, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (20991231000000, true)")
	migrated := testdb.PostgresURL(t)
	misnamed, err := url.Parse(migrated)
	require.NoError(t, err)
	misnamed.Path = "/nowhere"

	for name, tc := range map[string]struct {
		environ []harness.Settings
		check   string
		state   doctor.State
		found   string
		fix     string
	}{
		"no database server": {
			[]harness.Settings{{"DATABASE_URL": "postgres://u@127.0.0.1:1/x?connect_timeout=1"}},
			"database", doctor.Failed, "cannot use", "start the database server",
		},
		"no such database": {
			[]harness.Settings{{"DATABASE_URL": misnamed.String()}},
			"database", doctor.Failed,
			"nowhere", "check host, user and password",
		},
		"no database file": {
			[]harness.Settings{{"DATABASE_URL": "sqlite:" + broken}},
			"database|migrations",
			doctor.Failed, "not a database", ".",
		},
		"newer database": {
			[]harness.Settings{{"DATABASE_URL": newer}},
			"migrations", doctor.Failed,
			"newer|unknown", "release that migrated",
		},
		"rls not forced": {
			[]harness.Settings{{"DATABASE_URL": unforced}},
			"row-level security", doctor.Warning,
			"not forced on tasks", "ALTER TABLE tasks ENABLE ROW LEVEL SECURITY, FORCE",
		},
		"rls not forced, prod": {
			[]harness.Settings{{"DATABASE_URL": unforced}, productionSettings(t)},
			"row-level security", doctor.Failed, "not forced on tasks", "FORCE ROW LEVEL SECURITY",
		},
		"rls required": {
			[]harness.Settings{{"DATABASE_URL": unforced, "DB_ROW_SECURITY": "on"}},
			"row-level security", doctor.Failed, "not forced on tasks", "FORCE ROW LEVEL SECURITY",
		},
		"rls disabled": {
			[]harness.Settings{{"DATABASE_URL": migrated, "DB_ROW_SECURITY": "off"}},
			"row-level security", doctor.Warning, "disabled by DB_ROW_SECURITY=off", "DB_ROW_SECURITY=auto",
		},
		"unreachable bus": {
			[]harness.Settings{{"NATS_URL": "nats://127.0.0.1:1"}},
			"bus", doctor.Failed,
			"did not respond", "NATS_URL",
		},
		"secret shared": {nil, "sign-in", doctor.Warning, "BETTER_AUTH_SECRET", "AUTH_JWKS_URL"},
		"development": {
			[]harness.Settings{{"BETTER_AUTH_SECRET": ""}},
			"sign-in", doctor.Warning,
			"anyone on this machine", "AUTH=local",
		},
		"unreachable keys": {
			[]harness.Settings{productionSettings(t), {"AUTH_JWKS_URL": "http://127.0.0.1:1/jwks"}},
			"sign-in keys", doctor.Failed, "returned no keys", "start the identity provider",
		},
		"redirected keys": {
			[]harness.Settings{{"BETTER_AUTH_SECRET": "", "AUTH_JWKS_URL": startRedirectingKeyServer(t)}},
			"sign-in keys", doctor.Failed, "status 301.*own address", "reach the URL",
		},
		"no owner": {
			[]harness.Settings{harness.LocalAccounts},
			"owner", doctor.Warning, "may invite others yet", "set_up_url",
		},
		"unreachable provider": {
			[]harness.Settings{{
				"BETTER_AUTH_SECRET": "", "AUTH_OIDC_ISSUER": "http://127.0.0.1:1", "AUTH_OIDC_CLIENT_ID": "errand",
			}},
			"sign-in provider", doctor.Failed, "AUTH_OIDC_ISSUER cannot be used", "start the identity provider",
		},
		"provider with a slash": {
			[]harness.Settings{provider.OIDCSettings(), {"AUTH_OIDC_ISSUER": provider.URL + "/"}},
			"sign-in provider", doctor.Failed, "differs from AUTH_OIDC_ISSUER", "set AUTH_OIDC_ISSUER=" + provider.URL,
		},
		"no key for the model": {
			[]harness.Settings{{"LLM_PROVIDER": "anthropic"}},
			"setting (ANTHROPIC_API_KEY|LLM_PROVIDER)|model", doctor.Failed, ".", ".",
		},
		"model overloaded": {
			[]harness.Settings{startHTTPProvider(t, 429, `{}`)},
			"model", doctor.Failed,
			"rate_limit", "LLM_FALLBACK",
		},
		"model unknown": {
			[]harness.Settings{startHTTPProvider(t, 404, `{"error":{"message":"no such model"}}`)},
			"model", doctor.Failed, "did not respond", "LLM_MODEL|address",
		},
		"model rejects request": {
			[]harness.Settings{startHTTPProvider(t, 400, `{"error":{"message":"bad"}}`)},
			"model",
			doctor.Failed, "bad_request", "LLM_MODEL",
		},
		"empty model response": {[]harness.Settings{startHTTPProvider(t, 200, harness.ChunkFrame(testclient.Vars{},
			"stop")+harness.DoneFrame)}, "model", doctor.Warning, "empty response", "LLM_MODEL"},
		"unreachable model": {
			[]harness.Settings{{
				"LLM_PROVIDER":    "openai",
				"OPENAI_BASE_URL": "http://127.0.0.1:1/v1", "LLM_MODEL": "m", "OPENAI_API_KEY": "k",
			}},
			"model", doctor.Failed,
			"unavailable", "address",
		},
	} {
		t.Run(name, func(t *testing.T) {
			environ := harness.TestSettings(sqlite)
			for _, more := range tc.environ {
				maps.Copy(environ, more)
			}
			table, failed := runDoctor(t, environ)
			require.Equal(t, tc.state == doctor.Failed, failed, table)
			require.Regexp(t, tableRow("("+tc.check+")", tc.state, "("+tc.found+")")+`.*\n +→ .*(`+tc.fix+")", table)
			lines := strings.Split(strings.TrimSpace(table), "\n")
			for i, one := range lines {
				if strings.Contains(one, " FAILED ") || strings.Contains(one, " warning ") {
					require.Contains(t, lines[min(i+1, len(lines)-1)], "→", "no fix for %s", one)
				}
			}
		})
	}
}
