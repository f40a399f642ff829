package integration

import (
	"bytes"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"errand/internal/doctor"
	"errand/internal/llm/providertest"
	"errand/internal/stream/natsbus/natstest"
	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/internal/viewer"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// runDoctor runs the doctor and returns its table; sick reports whether it found problems.
func runDoctor(t *testing.T, environ harness.Settings) (table string, failed bool) {
	t.Helper()
	command := harness.Command(t, environ, "doctor")
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		require.Contains(t, stderr.String(), "checks failed")
	}
	return string(out), err != nil
}

// healthySettings returns settings without a problem, with the given overrides.
func healthySettings(database string, more harness.Settings) harness.Settings {
	environ := harness.TestSettings(database)
	maps.Copy(environ, more)
	return environ
}

// tableRow returns the regular expression of a finding.
func tableRow(check string, state doctor.State, found string) string {
	return `(?m)^` + check + ` +` + string(state) + ` +.*` + found
}

func TestDoctor_HealthyServer_ReportsNoProblem(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, url string) {
		table, failed := runDoctor(t, healthySettings(url, nil))
		require.False(t, failed, table)
		require.Regexp(t, tableRow("migrations", doctor.OK, "all applied"), table)
		require.Regexp(t, tableRow("database clock", doctor.OK, ""), table)
		require.Regexp(t, tableRow("privacy policies", doctor.OK, ""), table)
		require.Regexp(t, tableRow("row-level security", doctor.OK, "errand_app: forced|SQLite has none"), table)
		require.Regexp(t, tableRow("model", doctor.OK, "rules responded"), table)
		require.Regexp(t, tableRow("port of ADDR", doctor.OK, "free"), table)
		require.Regexp(
			t,
			tableRow("connections", doctor.OK, `at most \d+ \(MAX_CONNECTIONS=0\); \d+ file descriptors`),
			table,
		)
	})
}

func TestDoctor_FewDescriptors_WarnsOfConnections(t *testing.T) {
	t.Parallel()
	command := harness.Command(t, harness.TestSettings(testdb.SQLiteURL(t)), "doctor")
	command.Args = append([]string{"sh", "-c", `ulimit -n 300 && exec "$0" "$@"`, command.Path}, command.Args[1:]...)
	command.Path = "/bin/sh"
	command.Env = append(command.Env, "MAX_CONNECTIONS=250")
	table, err := command.Output()
	require.NoError(t, err, "%s", table)
	require.Regexp(
		t,
		tableRow("connections", doctor.Warning, `at most \d+ \(MAX_CONNECTIONS=250\); 300 file descriptors`),
		string(table),
	)
	require.Regexp(t, `ulimit -n.* at least \d+`, string(table))
}

// TestSharedAudience_DoctorAndStart_Warn checks the warning about assistants' tokens that /graphql accepts too.
func TestSharedAudience_DoctorAndStart_Warn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		settings harness.Settings
		warns    bool
	}{
		{harness.Settings{}, true}, // any audience
		{harness.Settings{"AUTH_AUDIENCE": "https://api.example"}, true},
		{harness.Settings{"AUTH_AUDIENCE": "https://a.test", "AUTH_MCP_AUDIENCE": "https://m.test,https://a.test"}, true},
		{harness.Settings{"AUTH_AUDIENCE": "https://api.example", "AUTH_MCP_AUDIENCE": "https://mcp.example"}, false},
		{harness.Settings{"AUTH_REQUIRE_SCOPES": "true"}, false},
		{harness.Settings{"BETTER_AUTH_SECRET": ""}, false}, // development sign-in
	} {
		const text = "AUTH_AUDIENCE and AUTH_MCP_AUDIENCE are equal or overlap"
		url := testdb.SQLiteURL(t)
		table, failed := runDoctor(t, healthySettings(url, c.settings))
		require.False(t, failed, table)
		require.Equal(t, c.warns, strings.Contains(table, text), "%v: %s", c.settings, table)
		env := harness.Start(t, url, c.settings)
		require.Equal(t, c.warns, strings.Contains(env.Logs.String(), text), "%v", c.settings)
	}
}

func TestDoctor_UnmigratedDatabase_ReportsMissingTables(t *testing.T) {
	table, failed := runDoctor(t, healthySettings(testdb.EmptyPostgresURL(t), nil))
	require.True(t, failed)
	require.Regexp(t, tableRow("migrations", doctor.Failed, "pending"), table)
	require.Contains(t, table, "errand migrate up")
}

// TestDoctor_UsersOfOtherIssuer_Warns checks the warning about users of a renamed issuer, on both database
// engines.
func TestDoctor_UsersOfOtherIssuer_Warns(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, url string) {
		b := harness.Start(t, url)
		for _, name := range []string{"alice", "bob"} {
			harness.ViewerID(t, b.ClientWithIssuer(t, "https://old.example", name, 0))
		}
		harness.ViewerID(t, b.ClientWithIssuer(t, "https://new.example", "alice", 0))
		table, failed := runDoctor(t, healthySettings(url, harness.Settings{"AUTH_ISSUER": "https://new.example"}))
		require.False(t, failed, table)
		require.Regexp(t, tableRow("users", doctor.Warning, "2 of other issuers than https://new.example"), table)
		execSQL(t, url, "UPDATE users SET issuer = 'https://new.example' WHERE subject = 'bob'")
		execSQL(t, url, "DELETE FROM users WHERE issuer = 'https://old.example'")
		table, _ = runDoctor(t, healthySettings(url, harness.Settings{"AUTH_ISSUER": "https://new.example"}))
		require.Regexp(t, tableRow("users", doctor.OK, "2 of the configured issuer"), table)
	})
}

func TestDoctor_EventBus_ReportsState(t *testing.T) {
	environ := healthySettings(
		testdb.SQLiteURL(t),
		harness.Settings{"NATS_URL": natstest.Start(t, "--user", "u", "--pass", plantedPassword).URL()},
	)
	table, failed := runDoctor(t, environ)
	require.True(t, failed, table)
	require.Regexp(t, tableRow("bus", doctor.Failed, "(?i)authorization"), table)
	environ["NATS_URL"] = strings.Replace(environ["NATS_URL"], "//", "//u:"+plantedPassword+"@", 1)
	table, failed = runDoctor(t, environ)
	require.False(t, failed, table)
	require.Regexp(t, tableRow("bus", doctor.OK, "responded"), table)
	requireNoSecrets(t, harness.Secret, table)
}

func TestDoctor_Pooler_ReportsDirectConnection(t *testing.T) {
	url := testdb.PostgresURL(t)
	pooled := testdb.NewPooler(t, url).URL()
	bus := harness.Settings{"NATS_URL": natstest.Start(t).URL()}
	for _, tc := range []struct {
		more  harness.Settings
		state doctor.State
		text  string
	}{
		{nil, doctor.Failed, "pooler in transaction mode"},
		{bus, doctor.Warning, "only after RUN_LEASE"},
		{harness.Settings{"DATABASE_DIRECT_URL": url}, doctor.OK, ""},
		{harness.Settings{"DATABASE_DIRECT_URL": testdb.PostgresURL(t)}, doctor.Failed, "another database"},
	} {
		table, failed := runDoctor(t, healthySettings(pooled, tc.more))
		require.Equal(t, tc.state == doctor.Failed, failed, table)
		require.Regexp(t, tableRow("direct connection", tc.state, tc.text), table)
	}
	// The server says the same.
	e := harness.Start(t, pooled, bus)
	require.Contains(t, e.Logs.String(), "no session lock")
	require.Contains(t, e.Logs.String(), "DATABASE_DIRECT_URL")
}

func TestDoctor_InvalidSettings_ExplainsEach(t *testing.T) {
	table, failed := runDoctor(t, harness.Settings{"LOG_LEVEL": "loud", "ADDR": "everywhere"})
	require.True(t, failed)
	require.Regexp(t, tableRow("setting ADDR", doctor.Failed, "host and port"), table)
	require.Regexp(t, tableRow("setting LOG_LEVEL", doctor.Failed, ""), table)
}

// startKeyServerWithClockSkew serves one published key with a Date header that differs by late.
func startKeyServerWithClockSkew(t *testing.T, late time.Duration) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(-late).UTC().Format(http.TimeFormat))
		_, _ = w.Write(
			[]byte(
				`{"keys":[{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","kid":"k",` +
					`"x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`,
			),
		)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/jwks"
}

func TestDoctor_IdentityProvider_ReportsState(t *testing.T) {
	database := testdb.SQLiteURL(t)
	environ := func(url string) harness.Settings {
		return healthySettings(database, harness.Settings{"BETTER_AUTH_SECRET": "", "AUTH_JWKS_URL": url})
	}
	table, failed := runDoctor(t, environ(startKeyServerWithClockSkew(t, 0)))
	require.False(t, failed, table)
	require.Regexp(t, tableRow("sign-in keys", doctor.OK, "1 usable"), table)
	require.Regexp(t, tableRow("sign-in clock", doctor.OK, ""), table)

	table, failed = runDoctor(t, environ(startKeyServerWithClockSkew(t, 10*time.Minute)))
	require.False(t, failed, table)
	require.Regexp(t, tableRow("sign-in clock", doctor.Warning, "10m0s ahead|10m0.*s ahead|9m59.*s ahead"), table)

	table, failed = runDoctor(t, environ("http://127.0.0.1:1/jwks?key=planted-in-the-address"))
	require.True(t, failed)
	require.Regexp(t, tableRow("sign-in keys", doctor.Failed, "refused"), table)
	require.NotContains(t, table, "planted")
}

// TestDoctor_TokensRefused_AdvisesFix checks configurations with which all tokens are refused.
func TestDoctor_TokensRefused_AdvisesFix(t *testing.T) {
	database := testdb.SQLiteURL(t)
	const good = `{"kty":"OKP","crv":"Ed25519","kid":"k","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`
	for name, tc := range map[string]struct {
		response string
		failed   bool
		want     []string
	}{
		"web page":     {"<html>", true, []string{"no token can be verified: not a JWK set", "jwks_uri"}},
		"certificates": {`{"k1":"-----BEGIN CERTIFICATE-----"}`, true, []string{"not a JWK set", "jwks_uri"}},
		"no keys":      {`{"keys":[]}`, true, []string{"no usable keys", "BETTER_AUTH_SECRET"}},
		"unusable keys": {
			`{"keys":[{"kty":"RSA","kid":"old","n":"AAAA","e":"AQAB"}]}`, true,
			[]string{"no usable keys", `key "old" is not used`},
		},
		"one unusable key": {
			`{"keys":[{"kty":"EC","crv":"secp256k1","kid":"coin","x":"AA","y":"AA"},` + good + `]}`, false,
			[]string{"1 usable", `key "coin" is not used`},
		},
		"redirect": {"redirect", true, []string{"redirects are not followed"}},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case strings.HasPrefix(r.URL.Path, "/.well-known/"):
				_, _ = w.Write([]byte(`{"issuer":"http://` + r.Host + `/"}`))
			case tc.response == "redirect":
				http.Redirect(w, r, "http://169.254.169.254/", http.StatusFound)
			default:
				_, _ = w.Write([]byte(tc.response))
			}
		}))
		defer server.Close()
		table, failed := runDoctor(t, healthySettings(database, harness.Settings{
			"BETTER_AUTH_SECRET": "", "AUTH_JWKS_URL": server.URL + "/jwks",
		}))
		require.Equal(t, tc.failed, failed, "%s\n%s", name, table)
		for _, text := range tc.want {
			require.Contains(t, table, text, name)
		}
		require.Regexp(t, tableRow("sign-in issuer", doctor.Warning, "slash at the end"), table, name)
		require.Contains(t, table, "set AUTH_ISSUER="+server.URL+"/", name)
	}
}

func TestDoctor_PortInUse_ReportsProblem(t *testing.T) {
	database := testdb.SQLiteURL(t)
	other, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer other.Close()
	go func() { // accepts connections and sends nothing
		for {
			c, err := other.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()
	table, failed := runDoctor(t, healthySettings(database, harness.Settings{"ADDR": other.Addr().String()}))
	require.True(t, failed)
	require.Regexp(t, tableRow("port of ADDR", doctor.Failed, "cannot listen"), table)

	running := harness.Start(t, database)
	table, failed = runDoctor(t, healthySettings(database, harness.Settings{"ADDR": strings.TrimPrefix(running.URL(),
		"http://")}))
	require.False(t, failed, table)
	require.Regexp(t, tableRow("port of ADDR", doctor.Warning, "a running errand"), table)

	table, failed = runDoctor(t, healthySettings(database, harness.Settings{"ADMIN_ADDR": other.Addr().String()}))
	require.False(t, failed, table)
	require.Regexp(t, tableRow("port of ADMIN_ADDR", doctor.Warning, "cannot listen"), table)
}

func TestDoctor_ModelProvider_ReportsState(t *testing.T) {
	database := testdb.SQLiteURL(t)
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"error":{"message":"Incorrect API key provided: ` + r.Header.Get("Authorization") + `"}}`))
	}))
	defer provider.Close()
	table, failed := runDoctor(t, healthySettings(database, harness.Settings{
		"LLM_PROVIDER": "openai", "OPENAI_BASE_URL": provider.URL + "/v1", "LLM_MODEL": "m",
		"OPENAI_API_KEY": "sk-planted-key-0001",
	}))
	require.True(t, failed)
	require.Regexp(t, tableRow("model", doctor.Failed, "auth"), table)
	require.Contains(t, table, "check the provider's key")
	require.NotContains(t, table, "planted")
}

// TestDoctor_ModelRequest_MatchesReplyRequest checks that the doctor's model request has tools and an output
// limit as a reply's request has, for each provider.
func TestDoctor_ModelRequest_MatchesReplyRequest(t *testing.T) {
	database := testdb.SQLiteURL(t)
	for _, provider := range []string{"openai", "responses", "gemini", "anthropic", "ollama"} {
		m := harness.StartModel(t, func(a harness.ModelRequest) providertest.Step {
			if !a.ToolsOffered {
				return providertest.JSON(http.StatusBadRequest, `{}`)
			}
			return harness.TextResponse("Hello.")
		})
		m.Provider = provider
		table, failed := runDoctor(t, healthySettings(database, m.Settings()))
		require.False(t, failed, table)
		require.Regexp(t, tableRow("model", doctor.OK, m.Name()+"/scripted responded"), table)

		m = harness.StartModel(t, func(harness.ModelRequest) providertest.Step {
			return providertest.JSON(http.StatusNotFound, `{"error":{"message":"planted"}}`)
		})
		m.Provider = provider
		table, failed = runDoctor(t, healthySettings(database, m.Settings()))
		require.True(t, failed, table)
		require.Regexp(t, tableRow("model", doctor.Failed, m.Name()+"/scripted did not respond.*there is no such model"),
			table)
		require.Contains(t, table, "check LLM_MODEL")
		require.NotContains(t, table, "planted")
	}
}

func TestDoctor_WrongCounters_ReportedAndRepaired(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		harness.CreateTask(t, c, testclient.Vars{"title": "one"})
		requireExactCounters(t, b, c)
		settings := healthySettings(b.Config.Database.URL.Reveal(), nil)
		table, _ := runDoctor(t, settings)
		require.Regexp(t, tableRow("counters", doctor.OK, "equal the rows of 1 users"), table)

		id := testclient.Run[struct{ Viewer struct{ ID string } }](t, c, `{ viewer { id } }`, nil).Viewer.ID
		ctx := viewer.NewContext(t.Context(), viewer.Viewer{UserID: id})
		b.DB.Client().User.UpdateOneID(id).AddOpenTasks(5).AddStoredBytes(-3).ExecX(ctx)
		table, failed := runDoctor(t, settings)
		require.False(t, failed, "wrong counters are a warning")
		require.Regexp(t, tableRow("counters", doctor.Warning, "differ from the rows of 1 of 1 users, such as "+id), table)

		out, err := harness.Command(t, settings, "doctor", "--repair-counters").Output()
		require.NoError(t, err)
		require.Equal(t, "corrected the counters of 1 users\n", string(out))
		requireExactCounters(t, b, c)
	})
}
