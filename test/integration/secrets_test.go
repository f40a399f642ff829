package integration

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"errand/internal/auth"
	"errand/internal/config"
	"errand/internal/server"
	"errand/internal/testclient"
	"errand/internal/testdb"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

// The planted secrets: each ends in a word that must never come out again.
const (
	plantedKey      = "sk-openai-planted-0001"
	plantedOther    = "key-of-another-planted-0002"
	plantedPassword = "database-planted-0003"
	plantedToken    = "planted0004"
	// plantedWords are what people say: never in logs or metrics.
	plantedWords = "my diary says planted-0005"
)

// quoteKey answers a call of the model with the key and the words that came with it.
func quoteKey(w http.ResponseWriter, r *http.Request, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = w.Write(
		[]byte(
			`{"error":{"message":"bad key ` + r.Header.Get("Authorization") + `","param":` + strings.TrimSpace(body) + `}}`,
		),
	)
}

// echo is a model provider that quotes the key, and breaks off.
func echo(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		quoteKey(w, r, string(body))
	}))
	t.Cleanup(s.Close)
	return s.URL + "/v1"
}

// planted are settings full of secrets, on a database whose URL holds a password.
func planted(t *testing.T, database string) (string, settings) {
	t.Helper()
	if u, err := url.Parse(database); err == nil && u.Scheme == "postgres" {
		u.User = url.UserPassword(u.User.Username(), plantedPassword)
		database = u.String()
	}
	return database, settings{
		"LLM_PROVIDER": "openai", "OPENAI_BASE_URL": echo(t), "LLM_MODEL": "m", "OPENAI_API_KEY": plantedKey,
		"GEMINI_API_KEY": plantedOther, "ANTHROPIC_API_KEY": plantedOther, "RUN_MAX_ATTEMPTS": "1", "LOG_LEVEL": "debug",
		"ADMIN_ADDR": "127.0.0.1:0",
	}
}

func TestNothingTellsASecret(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, database string) {
		database, more := planted(t, database)
		b := boot(t, database, more)
		var out bytes.Buffer // what clients see
		alice := b.user(t, "alice")
		reply := (&talk{c: alice}).say(t, plantedWords)
		require.Equal(t, "FAILED", reply.Status)
		require.NotNil(t, reply.Error)
		out.WriteString(reply.Error.Message)
		for _, token := range bad(t) {
			c := testclient.New(t, b.URL(), token)
			a, err := c.Do(t.Context(), viewerID, nil)
			require.NoError(t, err)
			require.Equal(t, "UNAUTHENTICATED", a.ErrorCode())
			_, err = c.TryDial(t.Context())
			require.Error(t, err)
			out.WriteString(a.Raw + err.Error())
		}
		out.WriteString(
			alice.Try(t, `{ task(number: "`+plantedToken+`") { id } }`, nil).Errors.Error(),
		) // an error in a document
		get(t, &out, b.URL()+"/graphql?token="+plantedToken+"&query={viewer{id}}")
		get(t, &out, b.URL()+"/health")
		metrics := regexp.MustCompile(`http://[^"]*/metrics`).FindString(b.logs.String())
		require.NotEmpty(t, metrics)
		var figures bytes.Buffer
		get(t, &figures, metrics)

		logs := b.logs.String()
		require.Contains(t, logs, "run attempt ended")
		requireNoSecrets(t, alice.Token, logs, figures.String(), strings.ReplaceAll(out.String(), `"`+plantedToken+`"`, ""))
		require.NotContains(t, logs+figures.String(), "planted-0005", "people's words")

		table, sick := consult(t, healthy(database, more))
		require.True(t, sick)
		requireNoSecrets(t, alice.Token, table)
	})
}

// bad are tokens that are refused, each with something planted in it.
func bad(t *testing.T) []string {
	t.Helper()
	claims := jwt.MapClaims{"sub": plantedToken, "email": plantedToken, "exp": time.Now().Add(time.Hour).Unix()}
	other, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).
		SignedString([]byte("another secret, of enough length"))
	require.NoError(t, err)
	claims["exp"] = time.Now().Add(-time.Hour).Unix()
	expired, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(secret))
	require.NoError(t, err)
	return []string{plantedToken, other, expired, plantedToken + "." + plantedToken + "." + plantedToken}
}

func get(t *testing.T, out *bytes.Buffer, address string) {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := (&http.Client{Transport: transport}).Get(address)
	require.NoError(t, err)
	defer response.Body.Close()
	_, err = io.Copy(out, response.Body)
	require.NoError(t, err)
}

func requireNoSecrets(t *testing.T, token string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		for _, secret := range []string{plantedKey, plantedOther, plantedPassword, plantedToken, secret, token, "planted-000"} {
			require.NotContains(t, text, secret)
		}
	}
}

func TestAServerThatCannotStartTellsNoSecret(t *testing.T) {
	for what, environ := range map[string]settings{
		"database away":      {"DATABASE_URL": "postgres://u:" + plantedPassword + "@127.0.0.1:1/db?connect_timeout=1", "BETTER_AUTH_SECRET": secret},
		"bus away":           {"NATS_URL": "nats://u:" + plantedPassword + "@127.0.0.1:1", "BETTER_AUTH_SECRET": secret, "DATABASE_URL": testdb.SQLiteURL(t), "ADDR": "127.0.0.1:0", "ADMIN_ADDR": "off"},
		"bus misspelt":       {"NATS_URL": "nats://u:" + plantedPassword + "%zz@h", "BETTER_AUTH_SECRET": secret},
		"traces misspelt":    {"OTEL_EXPORTER_OTLP_ENDPOINT": "ftp://u:" + plantedPassword + "@h", "OTEL_EXPORTER_OTLP_HEADERS": plantedKey},
		"model misspelt":     {"OPENAI_BASE_URL": "http://u:" + plantedPassword + "@h/v1", "LLM_PROVIDER": "openai", "LLM_PRICES": plantedOther},
		"database misspelt":  {"DATABASE_URL": "postgres://u:" + plantedPassword + "%zz@h/db"},
		"key with a newline": {"OPENAI_API_KEY": plantedKey + "\nplanted-0006", "LLM_PROVIDER": "openai"},
		"two databases":      {"DATABASE_URL": "postgres://u:" + plantedPassword + "@h/a", "NEON_DATABASE_URL": "postgres://u:" + plantedPassword + "@h/b"},
		"secret in a line":   {"ADDR": plantedKey, "AUTH_JWKS_URL": "https://u:" + plantedPassword + "@h/jwks", "LOG_LEVEL": plantedOther},
	} {
		t.Run(what, func(t *testing.T) {
			var said bytes.Buffer
			t.Chdir(t.TempDir())
			cfg, err := config.Load(environ, "")
			if err == nil {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				_, err = server.Start(ctx, cfg, slog.New(slog.NewJSONHandler(&said, &slog.HandlerOptions{Level: slog.LevelDebug})))
			}
			require.Error(t, err)
			table, sick := consult(t, environ)
			require.True(t, sick)
			requireNoSecrets(t, secret, err.Error(), said.String(), table)
		})
	}
}

// TestTheDevelopmentKeyStaysHidden signs in by hand and looks at what is said of it.
func TestTheDevelopmentKeyStaysHidden(t *testing.T) {
	b := boot(t, testdb.SQLiteURL(t), settings{"BETTER_AUTH_SECRET": "", "LOG_LEVEL": "debug"})
	key, err := auth.LoadOrCreateDevKey(b.Config.Database.DevKeyPath())
	require.NoError(t, err)
	response, err := http.Post(b.URL()+auth.DevSignInPath, "application/json", strings.NewReader(`{"user":"alice"}`))
	require.NoError(t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode, "%s", answer)
	require.NotContains(t, string(answer)+b.logs.String(), string(key))
	token := regexp.MustCompile(`"token":"([^"]+)"`).FindStringSubmatch(string(answer))
	require.Len(t, token, 2)
	require.NotContains(t, b.logs.String(), token[1])
}
