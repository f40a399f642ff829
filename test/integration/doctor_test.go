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
	"errand/internal/testdb"

	"github.com/stretchr/testify/require"
)

// consult runs the doctor and returns its table; sick says whether it found faults.
func consult(t *testing.T, environ settings) (table string, sick bool) {
	t.Helper()
	command := errand(t, environ, "doctor")
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		require.Contains(t, stderr.String(), "checks failed")
	}
	return string(out), err != nil
}

// healthy are settings without a fault, with some changed.
func healthy(database string, more settings) settings {
	environ := quick(database)
	maps.Copy(environ, more)
	return environ
}

// line is the regular expression of a finding.
func line(check string, state doctor.State, found string) string {
	return `(?m)^` + check + ` +` + string(state) + ` +.*` + found
}

func TestTheDoctorFindsNothingWrong(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, url string) {
		table, sick := consult(t, healthy(url, nil))
		require.False(t, sick, table)
		require.Regexp(t, line("migrations", doctor.OK, "all applied"), table)
		require.Regexp(t, line("database clock", doctor.OK, ""), table)
		require.Regexp(t, line("privacy policies", doctor.OK, ""), table)
		require.Regexp(t, line("row-level security", doctor.OK, "errand_app: forced|SQLite has none"), table)
		require.Regexp(t, line("model", doctor.OK, "rules responded"), table)
		require.Regexp(t, line("port of ADDR", doctor.OK, "free"), table)
	})
}

func TestTheDoctorFindsMissingTables(t *testing.T) {
	table, sick := consult(t, healthy(testdb.EmptyPostgresURL(t), nil))
	require.True(t, sick)
	require.Regexp(t, line("migrations", doctor.Failed, "pending"), table)
	require.Contains(t, table, "errand migrate up")
}

// TestTheDoctorMissesPeople of an issuer that has taken another name, on both engines and from behind the wall.
func TestTheDoctorMissesPeople(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, url string) {
		b := boot(t, url)
		for _, name := range []string{"alice", "bob"} {
			idOf(t, b.of(t, "https://old.example", name, 0))
		}
		idOf(t, b.of(t, "https://new.example", "alice", 0))
		table, sick := consult(t, healthy(url, settings{"AUTH_ISSUER": "https://new.example"}))
		require.False(t, sick, table)
		require.Regexp(t, line("users", doctor.Warning, "2 of other issuers than https://new.example"), table)
		sql(t, url, "UPDATE users SET issuer = 'https://new.example' WHERE subject = 'bob'")
		sql(t, url, "DELETE FROM users WHERE issuer = 'https://old.example'")
		table, _ = consult(t, healthy(url, settings{"AUTH_ISSUER": "https://new.example"}))
		require.Regexp(t, line("users", doctor.OK, "2 of the configured issuer"), table)
	})
}

func TestTheDoctorLooksAtTheBus(t *testing.T) {
	environ := healthy(
		testdb.SQLiteURL(t),
		settings{"NATS_URL": natstest.Start(t, "--user", "u", "--pass", plantedPassword).URL()},
	)
	table, sick := consult(t, environ)
	require.True(t, sick, table)
	require.Regexp(t, line("bus", doctor.Failed, "(?i)authorization"), table)
	environ["NATS_URL"] = strings.Replace(environ["NATS_URL"], "//", "//u:"+plantedPassword+"@", 1)
	table, sick = consult(t, environ)
	require.False(t, sick, table)
	require.Regexp(t, line("bus", doctor.OK, "responded"), table)
	requireNoSecrets(t, secret, table)
}

func TestTheDoctorExplainsSettings(t *testing.T) {
	table, sick := consult(t, settings{"LOG_LEVEL": "loud", "ADDR": "everywhere"})
	require.True(t, sick)
	require.Regexp(t, line("setting ADDR", doctor.Failed, "host and port"), table)
	require.Regexp(t, line("setting LOG_LEVEL", doctor.Failed, ""), table)
}

// keysAt serves one published key, as a provider whose clock differs by late.
func keysAt(t *testing.T, late time.Duration) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(-late).UTC().Format(http.TimeFormat))
		_, _ = w.Write(
			[]byte(
				`{"keys":[{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","kid":"k","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`,
			),
		)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/jwks"
}

func TestTheDoctorLooksAtTheIdentityProvider(t *testing.T) {
	database := testdb.SQLiteURL(t)
	environ := func(url string) settings {
		return healthy(database, settings{"BETTER_AUTH_SECRET": "", "AUTH_JWKS_URL": url})
	}
	table, sick := consult(t, environ(keysAt(t, 0)))
	require.False(t, sick, table)
	require.Regexp(t, line("sign-in keys", doctor.OK, "1 usable"), table)
	require.Regexp(t, line("sign-in clock", doctor.OK, ""), table)

	table, sick = consult(t, environ(keysAt(t, 10*time.Minute)))
	require.False(t, sick, table)
	require.Regexp(t, line("sign-in clock", doctor.Warning, "10m0s ahead|10m0.*s ahead|9m59.*s ahead"), table)

	table, sick = consult(t, environ("http://127.0.0.1:1/jwks?key=planted-in-the-address"))
	require.True(t, sick)
	require.Regexp(t, line("sign-in keys", doctor.Failed, "refused"), table)
	require.NotContains(t, table, "planted")
}

func TestTheDoctorLooksAtPorts(t *testing.T) {
	database := testdb.SQLiteURL(t)
	stranger, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer stranger.Close()
	go func() { // it accepts and says nothing to us
		for {
			c, err := stranger.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()
	table, sick := consult(t, healthy(database, settings{"ADDR": stranger.Addr().String()}))
	require.True(t, sick)
	require.Regexp(t, line("port of ADDR", doctor.Failed, "cannot listen"), table)

	running := boot(t, database)
	table, sick = consult(t, healthy(database, settings{"ADDR": strings.TrimPrefix(running.URL(), "http://")}))
	require.False(t, sick, table)
	require.Regexp(t, line("port of ADDR", doctor.Warning, "a running errand"), table)

	table, sick = consult(t, healthy(database, settings{"ADMIN_ADDR": stranger.Addr().String()}))
	require.False(t, sick, table)
	require.Regexp(t, line("port of ADMIN_ADDR", doctor.Warning, "cannot listen"), table)
}

func TestTheDoctorLooksAtTheModel(t *testing.T) {
	database := testdb.SQLiteURL(t)
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"error":{"message":"Incorrect API key provided: ` + r.Header.Get("Authorization") + `"}}`))
	}))
	defer provider.Close()
	table, sick := consult(t, healthy(database, settings{
		"LLM_PROVIDER": "openai", "OPENAI_BASE_URL": provider.URL + "/v1", "LLM_MODEL": "m", "OPENAI_API_KEY": "sk-planted-key-0001",
	}))
	require.True(t, sick)
	require.Regexp(t, line("model", doctor.Failed, "auth"), table)
	require.Contains(t, table, "check the provider's key")
	require.NotContains(t, table, "planted")
}

// TestTheDoctorAsksAsRepliesDo: with tools, with room to think, and on each wire.
func TestTheDoctorAsksAsRepliesDo(t *testing.T) {
	database := testdb.SQLiteURL(t)
	for _, provider := range []string{"openai", "gemini", "anthropic", "ollama"} {
		m := scripted(t, func(a asked) providertest.Step {
			if !a.offered {
				return providertest.JSON(http.StatusBadRequest, `{}`)
			}
			return sayText("Hello.")
		})
		m.provider = provider
		table, sick := consult(t, healthy(database, m.environ()))
		require.False(t, sick, table)
		require.Regexp(t, line("model", doctor.OK, provider+"/scripted responded"), table)

		m = scripted(t, func(asked) providertest.Step {
			return providertest.JSON(http.StatusNotFound, `{"error":{"message":"planted"}}`)
		})
		m.provider = provider
		table, sick = consult(t, healthy(database, m.environ()))
		require.True(t, sick, table)
		require.Regexp(t, line("model", doctor.Failed, provider+"/scripted did not respond.*there is no such model"), table)
		require.Contains(t, table, "check LLM_MODEL")
		require.NotContains(t, table, "planted")
	}
}
