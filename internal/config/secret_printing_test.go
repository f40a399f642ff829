package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"errand/internal/config"
	"errand/internal/secret"

	"github.com/stretchr/testify/require"
)

const planted = "hunter2-planted-secret"

func plantedConfig(t *testing.T) config.Config {
	return load(t, vars{
		"DATABASE_URL": "postgres://errand:" + planted + "@db.example.com:5432/tasks?sslpassword=" + planted,
		"NATS_URL":     "nats://errand:" + planted + "@nats:4222", "OPENAI_API_KEY": planted, "GEMINI_API_KEY": planted,
		"ANTHROPIC_API_KEY": planted, "BETTER_AUTH_SECRET": planted,
		"AUTH_OIDC_ISSUER": "https://id.example.com", "AUTH_OIDC_CLIENT_ID": "errand", "AUTH_OIDC_CLIENT_SECRET": planted,
	})
}

func TestConfig_PrintedOrLogged_SecretsRedacted(t *testing.T) {
	c := plantedConfig(t)
	require.Equal(t, planted, c.LLM.OpenAIKey.Reveal())
	hidden := struct {
		c   config.Config
		key secret.String
	}{c, c.LLM.OpenAIKey}

	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T"} {
		for _, v := range []any{c, &c, hidden, &hidden, c.LLM.OpenAIKey, &c.LLM.OpenAIKey, c.Database.URL, c.Auth} {
			fmt.Fprintf(&out, verb, v)
		}
	}
	for _, handler := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
		slog.New(handler).Info("start", "config", c, "key", c.LLM.OpenAIKey, "db", c.Database.URL, "ptr", &c.Auth)
	}
	require.NoError(t, json.NewEncoder(&out).Encode(c))
	require.NotContains(t, out.String(), planted)
	require.NotContains(t, out.String(), fmt.Sprintf("%x", planted))
	require.NotContains(t, out.String(), fmt.Sprintf("%X", planted))
	require.Contains(t, out.String(), "[redacted]")
	require.Contains(t, out.String(), "postgres://errand@db.example.com:5432/tasks")
}

func TestSecret_Unset_PrintsNothing(t *testing.T) {
	var s secret.String
	require.False(t, s.IsSet())
	require.Empty(t, s.Reveal())
	require.Empty(t, fmt.Sprint(s))
	require.Equal(t, s, secret.New(""))
}
