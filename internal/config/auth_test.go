package config_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const jwksURL = "https://app.example.com/api/auth/jwks"

var longSecret = strings.Repeat("s", 32)

func TestLoad_NoAuthentication_RequiresLoopback(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "localhost:8080", "[::1]:8080", "127.8.8.8:80"} {
		require.True(t, load(t, vars{"ADDR": addr}).DevelopmentSignIn(), addr)
	}
	for _, addr := range []string{":8080", "0.0.0.0:8080", "[::]:8080", "192.168.1.2:8080", "errand.example.com:80"} {
		require.Contains(t, loadErrors(t, vars{"ADDR": addr}, "")["ADDR"].Problem, "no authentication", addr)
		c := load(t, vars{"ADDR": addr, "AUTH_JWKS_URL": jwksURL})
		require.False(t, c.DevelopmentSignIn())
	}
	require.False(t, load(t, vars{"BETTER_AUTH_SECRET": "short"}).DevelopmentSignIn())
}

func TestLoad_Production_RequiresAuthentication(t *testing.T) {
	require.Contains(t, loadErrors(t, vars{"ENVIRONMENT": "production"}, ""), "AUTH_JWKS_URL")
	c := load(t, vars{"ENVIRONMENT": "Production", "AUTH_JWKS_URL": jwksURL})
	require.False(t, c.DevelopmentSignIn())
	require.False(t, c.IntrospectionEnabled())
}

func TestLoad_JWKSURLOnly_DefaultsIssuerAndAudience(t *testing.T) {
	a := load(t, vars{"AUTH_JWKS_URL": jwksURL}).Auth
	require.Equal(t, "https://app.example.com", a.Issuer)
	require.Equal(t, []string{"https://app.example.com"}, a.Audience)
	require.Equal(t, a.Audience, a.MCPAudience)

	a = load(
		t,
		vars{"AUTH_JWKS_URL": jwksURL, "AUTH_ISSUER": "i", "AUTH_AUDIENCE": "a, b,", "AUTH_MCP_AUDIENCE": "m"},
	).Auth
	require.Equal(t, "i", a.Issuer)
	require.Equal(t, []string{"a", "b"}, a.Audience)
	require.Equal(t, []string{"m"}, a.MCPAudience)
}

func TestLoad_JWKSURL_Validated(t *testing.T) {
	production := func(url string) vars { return vars{"ENVIRONMENT": "production", "AUTH_JWKS_URL": url} }
	require.Contains(t, loadErrors(t, production("http://app.example.com/jwks"), "")["AUTH_JWKS_URL"].Problem, "https")
	load(t, production("http://127.0.0.1:3000/api/auth/jwks"))
	load(t, vars{"AUTH_JWKS_URL": "http://auth:3000/api/auth/jwks"})
	for _, bad := range []string{"https://u:p@h/jwks", "ftp://h/jwks", "h/jwks", "https://"} {
		require.Contains(t, loadErrors(t, vars{"AUTH_JWKS_URL": bad}, ""), "AUTH_JWKS_URL", bad)
	}
}

func TestLoad_Secret_Validated(t *testing.T) {
	production := func(secret string) vars { return vars{"ENVIRONMENT": "production", "BETTER_AUTH_SECRET": secret} }
	require.Contains(t, loadErrors(t, production(longSecret[1:]), "")["BETTER_AUTH_SECRET"].Allowed, "32")
	require.Equal(t, longSecret, load(t, production(longSecret)).Auth.BetterAuthSecret.Reveal())

	both := vars{"BETTER_AUTH_SECRET": longSecret, "AUTH_JWKS_URL": jwksURL}
	require.Contains(t, loadErrors(t, both, "")["BETTER_AUTH_SECRET"].Allowed, "AUTH_ALLOW_SECRET_WITH_JWKS")
	both["AUTH_ALLOW_SECRET_WITH_JWKS"] = "true"
	require.True(t, load(t, both).Auth.Configured())
}

// An incomplete configuration must not enable the development sign-in.
func TestLoad_IssuerOrAudienceWithoutKeys_Error(t *testing.T) {
	for _, name := range []string{"AUTH_ISSUER", "AUTH_AUDIENCE", "AUTH_MCP_AUDIENCE"} {
		require.Contains(t, loadErrors(t, vars{name: "https://app.example.com"}, ""), name)
	}
}

func TestLoad_AudienceDefaults_Validated(t *testing.T) {
	a := load(t, vars{"BETTER_AUTH_SECRET": longSecret, "AUTH_AUDIENCE": "a"}).Auth
	require.Equal(t, []string{"a"}, a.MCPAudience, "also without AUTH_JWKS_URL")
	require.False(t, a.AcceptsAnyAudience())
	a = load(t, vars{"AUTH_JWKS_URL": jwksURL, "AUTH_AUDIENCE": "*"}).Auth
	require.True(t, a.AcceptsAnyAudience())
	a = load(t, vars{"AUTH_JWKS_URL": jwksURL, "AUTH_AUDIENCE": "*", "AUTH_AUTHORIZED_PARTIES": " a,, b "}).Auth
	require.Equal(t, []string{"a", "b"}, a.AuthorizedParties)
	require.False(t, a.AcceptsAnyAudience())
	require.Contains(t, loadErrors(t, vars{"AUTH_JWKS_URL": jwksURL, "AUTH_AUDIENCE": "a,*"}, ""), "AUTH_AUDIENCE")
	require.Contains(t, loadErrors(t, vars{"AUTH_AUTHORIZED_PARTIES": "a"}, ""), "AUTH_AUTHORIZED_PARTIES")
}
