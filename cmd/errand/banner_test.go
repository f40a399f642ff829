package main

import (
	"strings"
	"testing"

	"errand/internal/config"

	"github.com/stretchr/testify/require"
)

func TestBanner_Settings_NamesWhatToOpen(t *testing.T) {
	cfg, err := config.Load(map[string]string{}, "")
	require.NoError(t, err)
	facts := bannerFacts{url: "http://127.0.0.1:1", playground: "http://127.0.0.1:1/playground", model: "rules"}
	text := banner(cfg, facts)
	for _, part := range []string{
		"Errand devel (development)", "Open      http://127.0.0.1:1/\n", "http://127.0.0.1:1/playground\n",
		"http://127.0.0.1:1/graphql\n", "http://127.0.0.1:1/mcp\n", "any name without a password",
		"rules (built in, offline", "sqlite:./data/errand.db\n",
	} {
		require.Contains(t, text, part)
	}

	cfg, err = config.Load(map[string]string{
		"ENVIRONMENT": "production", "AUTH_JWKS_URL": "https://app.example.com/jwks", "LLM_PROVIDER": "openai",
		"OPENAI_API_KEY": "sk-canary", "DATABASE_URL": "postgres://user:canary@db/errand",
	}, "")
	require.NoError(t, err)
	text = banner(cfg, bannerFacts{url: "https://example.com/errand", model: "openai/gpt"})
	for _, part := range []string{
		"(production)", "GraphiQL  off (PLAYGROUND)", "https://example.com/errand/graphql\n",
		"tokens of https://app.example.com\n", "openai/gpt\n",
	} {
		require.Contains(t, text, part)
	}
	require.NotContains(t, text, "canary")
	require.NotContains(t, text, "owner")
	for line := range strings.Lines(text) {
		require.LessOrEqual(t, len(line), 110, line)
	}
}

func TestBanner_NoOwner_HasSetUpLink(t *testing.T) {
	cfg, err := config.Load(map[string]string{
		"ADDR": ":8080", "AUTH_OIDC_ISSUER": "https://id.example", "AUTH_OIDC_CLIENT_ID": "errand", "AUTH": "local",
	}, "")
	require.NoError(t, err)
	link := "http://192.0.2.1:8080/#/join/secret"
	text := banner(cfg, bannerFacts{url: "http://192.0.2.1:8080", model: "rules", setUp: link})
	require.Contains(t, text, "Open this link to create the owner's account")
	require.Contains(t, text, "  "+link+"\n")
	require.Contains(t, text, "OpenID Connect at https://id.example, built-in accounts\n")
}
