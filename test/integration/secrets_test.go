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
	"errand/test/harness"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

// The planted secrets. None may appear in any output.
const (
	plantedKey      = "sk-openai-planted-0001"
	plantedOther    = "key-of-another-planted-0002"
	plantedPassword = "database-planted-0003"
	plantedToken    = "planted0004"
	// plantedWords is user content, which must not appear in logs or metrics.
	plantedWords = "my diary says planted-0005"
)

// respondQuotingKey responds to a model request with an error that quotes its key and body.
func respondQuotingKey(w http.ResponseWriter, r *http.Request, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = w.Write(
		[]byte(
			`{"error":{"message":"bad key ` + r.Header.Get("Authorization") + `","param":` + strings.TrimSpace(body) + `}}`,
		),
	)
}

// startEchoingProvider starts a model provider whose errors quote the key and the request.
func startEchoingProvider(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		respondQuotingKey(w, r, string(body))
	}))
	t.Cleanup(s.Close)
	return s.URL + "/v1"
}

// plantSecrets returns settings full of secrets, and a database URL with a password.
func plantSecrets(t *testing.T, database string) (string, harness.Settings) {
	t.Helper()
	if u, err := url.Parse(database); err == nil && u.Scheme == "postgres" {
		u.User = url.UserPassword(u.User.Username(), plantedPassword)
		database = u.String()
	}
	return database, harness.Settings{
		"LLM_PROVIDER": "openai", "OPENAI_BASE_URL": startEchoingProvider(t), "LLM_MODEL": "m", "OPENAI_API_KEY": plantedKey,
		"GEMINI_API_KEY": plantedOther, "ANTHROPIC_API_KEY": plantedOther, "RUN_MAX_ATTEMPTS": "1", "LOG_LEVEL": "debug",
		"ADMIN_ADDR": "127.0.0.1:0",
	}
}

func TestSecrets_LogsAndResponses_ContainNone(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, database string) {
		database, more := plantSecrets(t, database)
		b := harness.Start(t, database, more)
		var out bytes.Buffer // all responses
		alice := b.Client(t, "alice")
		reply := (&harness.Conversation{Client: alice}).SendAndWait(t, plantedWords)
		require.Equal(t, "FAILED", reply.Status)
		require.NotNil(t, reply.Error)
		out.WriteString(reply.Error.Message)
		for _, token := range invalidTokens(t) {
			c := testclient.New(t, b.URL(), token)
			a, err := c.Do(t.Context(), harness.ViewerIDDoc, nil)
			require.NoError(t, err)
			require.Equal(t, "UNAUTHENTICATED", a.ErrorCode())
			_, err = c.TryDial(t.Context())
			require.Error(t, err)
			out.WriteString(a.Raw + err.Error())
		}
		out.WriteString(
			alice.Try(t, `{ task(number: "`+plantedToken+`") { id } }`, nil).Errors.Error(),
		) // an error in a document
		appendResponse(t, &out, b.URL()+"/graphql?token="+plantedToken+"&query={viewer{id}}")
		appendResponse(t, &out, b.URL()+"/health")
		metrics := regexp.MustCompile(`http://[^"]*/metrics`).FindString(b.Logs.String())
		require.NotEmpty(t, metrics)
		var figures bytes.Buffer
		appendResponse(t, &figures, metrics)

		logs := b.Logs.String()
		require.Contains(t, logs, "run attempt ended")
		requireNoSecrets(t, alice.Token, logs, figures.String(), strings.ReplaceAll(out.String(), `"`+plantedToken+`"`, ""))
		require.NotContains(t, logs+figures.String(), "planted-0005", "user content")

		table, failed := runDoctor(t, healthySettings(database, more))
		require.True(t, failed)
		requireNoSecrets(t, alice.Token, table)
	})
}

// invalidTokens returns rejected tokens, each containing a planted secret.
func invalidTokens(t *testing.T) []string {
	t.Helper()
	claims := jwt.MapClaims{"sub": plantedToken, "email": plantedToken, "exp": time.Now().Add(time.Hour).Unix()}
	other, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).
		SignedString([]byte("another secret, of enough length"))
	require.NoError(t, err)
	claims["exp"] = time.Now().Add(-time.Hour).Unix()
	expired, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(harness.Secret))
	require.NoError(t, err)
	return []string{plantedToken, other, expired, plantedToken + "." + plantedToken + "." + plantedToken}
}

func appendResponse(t *testing.T, out *bytes.Buffer, address string) {
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
		for _, secret := range []string{
			plantedKey, plantedOther, plantedPassword, plantedToken, harness.Secret, token,
			"planted-000",
		} {
			require.NotContains(t, text, secret)
		}
	}
}

func TestSecrets_FailedStart_PrintsNone(t *testing.T) {
	for name, environ := range map[string]harness.Settings{
		"unreachable database": {
			"DATABASE_URL":       "postgres://u:" + plantedPassword + "@127.0.0.1:1/db?connect_timeout=1",
			"BETTER_AUTH_SECRET": harness.Secret,
		},
		"unreachable bus": {
			"NATS_URL":           "nats://u:" + plantedPassword + "@127.0.0.1:1",
			"BETTER_AUTH_SECRET": harness.Secret, "DATABASE_URL": testdb.SQLiteURL(t), "ADDR": "127.0.0.1:0",
			"ADMIN_ADDR": "off",
		},
		"invalid bus URL": {"NATS_URL": "nats://u:" + plantedPassword + "%zz@h", "BETTER_AUTH_SECRET": harness.Secret},
		"invalid trace endpoint": {
			"OTEL_EXPORTER_OTLP_ENDPOINT": "ftp://u:" + plantedPassword + "@h",
			"OTEL_EXPORTER_OTLP_HEADERS":  plantedKey,
		},
		"invalid model URL": {
			"OPENAI_BASE_URL": "http://u:" + plantedPassword + "@h/v1", "LLM_PROVIDER": "openai",
			"LLM_PRICES": plantedOther,
		},
		"invalid database URL": {"DATABASE_URL": "postgres://u:" + plantedPassword + "%zz@h/db"},
		"key with a newline":   {"OPENAI_API_KEY": plantedKey + "\nplanted-0006", "LLM_PROVIDER": "openai"},
		"two databases": {
			"DATABASE_URL":      "postgres://u:" + plantedPassword + "@h/a",
			"NEON_DATABASE_URL": "postgres://u:" + plantedPassword + "@h/b",
		},
		"secrets in other settings": {
			"ADDR": plantedKey, "AUTH_JWKS_URL": "https://u:" + plantedPassword + "@h/jwks",
			"LOG_LEVEL": plantedOther,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var logs bytes.Buffer
			t.Chdir(t.TempDir())
			cfg, err := config.Load(environ, "")
			if err == nil {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				_, err = server.Start(ctx, cfg, slog.New(slog.NewJSONHandler(&logs, &slog.HandlerOptions{Level: slog.LevelDebug})))
			}
			require.Error(t, err)
			table, failed := runDoctor(t, environ)
			require.True(t, failed)
			requireNoSecrets(t, harness.Secret, err.Error(), logs.String(), table)
		})
	}
}

// TestSecrets_DevelopmentKey_IsNotPrinted signs in through the development endpoint and checks the response
// and the logs.
func TestSecrets_DevelopmentKey_IsNotPrinted(t *testing.T) {
	b := harness.Start(t, testdb.SQLiteURL(t), harness.Settings{"BETTER_AUTH_SECRET": "", "LOG_LEVEL": "debug"})
	key, err := auth.LoadOrCreateDevKey(b.Config.Database.DevKeyPath())
	require.NoError(t, err)
	response, err := http.Post(b.URL()+auth.DevSignInPath, "application/json", strings.NewReader(`{"user":"alice"}`))
	require.NoError(t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode, "%s", answer)
	require.NotContains(t, string(answer)+b.Logs.String(), string(key))
	token := regexp.MustCompile(`"token":"([^"]+)"`).FindStringSubmatch(string(answer))
	require.Len(t, token, 2)
	require.NotContains(t, b.Logs.String(), token[1])
}
