package config_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const jwksURL = "https://app.example.com/api/auth/jwks"

var longSecret = strings.Repeat("s", 32)

// TestLoad_SignInSettings_EnableDocumentedWays compares who can sign in with the table of docs/SIGN_IN.md.
func TestLoad_SignInSettings_EnableDocumentedWays(t *testing.T) {
	type signIn struct{ provider, development, local bool }
	oidc := vars{"AUTH_OIDC_ISSUER": "https://id.example.com", "AUTH_OIDC_CLIENT_ID": "errand"}
	with := func(base vars, more ...string) vars {
		all := maps.Clone(base)
		for i := 0; i < len(more); i += 2 {
			all[more[i]] = more[i+1]
		}
		return all
	}
	for _, provider := range []vars{{"AUTH_JWKS_URL": jwksURL}, {"BETTER_AUTH_SECRET": longSecret}, oidc} {
		for _, place := range []vars{{}, {"ADDR": ":8080"}, {"ENVIRONMENT": "production"}} {
			v := with(provider)
			maps.Copy(v, place)
			c := load(t, v)
			require.Equal(t, signIn{provider: true}, signIn{c.Auth.Configured(), c.DevelopmentSignIn(), c.LocalAccounts()}, v)
			c = load(t, with(v, "AUTH", "Local"))
			require.Equal(t, signIn{true, false, true}, signIn{c.Auth.Configured(), c.DevelopmentSignIn(), c.LocalAccounts()}, v)
		}
	}
	for _, test := range []struct {
		vars vars
		want signIn
	}{
		{vars{}, signIn{development: true}},
		{vars{"ADDR": "localhost:8080"}, signIn{development: true}},
		{vars{"ADDR": "[::1]:8080"}, signIn{development: true}},
		{vars{"ADDR": "127.8.8.8:80"}, signIn{development: true}},
		{vars{"AUTH": "local"}, signIn{local: true}},
		{vars{"ADDR": ":8080"}, signIn{local: true}},
		{vars{"ADDR": "0.0.0.0:8080"}, signIn{local: true}},
		{vars{"ADDR": "[::]:8080"}, signIn{local: true}},
		{vars{"ADDR": "192.168.1.2:8080"}, signIn{local: true}},
		{vars{"ADDR": "errand.example.com:80"}, signIn{local: true}},
		{vars{"ENVIRONMENT": "Production"}, signIn{local: true}},
		{vars{"ENVIRONMENT": "production", "ADDR": ":8080", "AUTH": "local"}, signIn{local: true}},
	} {
		c := load(t, test.vars)
		require.Equal(t, test.want, signIn{c.Auth.Configured(), c.DevelopmentSignIn(), c.LocalAccounts()}, test.vars)
	}
	require.Contains(t, loadErrors(t, vars{"AUTH": "none"}, "")["AUTH"].Allowed, "local")
	require.False(t, load(t, vars{"ENVIRONMENT": "Production", "AUTH_JWKS_URL": jwksURL}).IntrospectionEnabled())
}

func TestLoad_OIDC_DefaultsIssuerAndAudience(t *testing.T) {
	oidc := func(more vars) vars {
		all := vars{"AUTH_OIDC_ISSUER": "https://id.example.com/", "AUTH_OIDC_CLIENT_ID": "errand"}
		maps.Copy(all, more)
		return all
	}
	a := load(t, oidc(nil)).Auth
	require.Equal(t, "https://id.example.com/", a.Issuer, "to the letter")
	require.Equal(t, []string{"errand"}, a.Audience)
	require.Equal(t, []string{"errand"}, a.MCPAudience)
	require.True(t, a.SharesIssuer())
	require.False(t, a.VerifiesOthers())

	a = load(t, oidc(vars{"AUTH_AUDIENCE": "api", "AUTH_MCP_AUDIENCE": "mcp"})).Auth
	require.Equal(t, []string{"api", "errand"}, a.Audience)
	require.Equal(t, []string{"mcp"}, a.MCPAudience)
	a = load(t, oidc(vars{"AUTH_AUDIENCE": "*"})).Auth
	require.Equal(t, []string{"*"}, a.Audience)

	a = load(t, oidc(vars{"AUTH_JWKS_URL": "https://id.example.com/keys"})).Auth
	require.True(t, a.SharesIssuer())
	require.Equal(t, []string{"https://id.example.com/", "errand"}, a.Audience)

	a = load(t, oidc(vars{"AUTH_JWKS_URL": jwksURL, "AUTH_ISSUER": "https://app.example.com"})).Auth
	require.True(t, a.VerifiesOthers())
	require.Equal(t, []string{"https://app.example.com"}, a.Audience)

	a = load(t, oidc(vars{"BETTER_AUTH_SECRET": longSecret})).Auth
	require.True(t, a.VerifiesOthers())
	require.Empty(t, a.Issuer)
}

// TestLoad_InvalidOIDC_NamesEachSetting checks that the errors of settings that belong together are reported at once.
func TestLoad_InvalidOIDC_NamesEachSetting(t *testing.T) {
	errs := loadErrors(t, vars{"AUTH_OIDC_CLIENT_SECRET": "s"}, "")
	require.Contains(t, errs, "AUTH_OIDC_ISSUER")
	errs = loadErrors(t, vars{
		"AUTH_OIDC_ISSUER": "http://id.example.com?tenant=1",
		"ENVIRONMENT":      "production",
		"AUTH_ISSUER":      "https://other.example",
		"AUTH":             "both",
	}, "")
	require.Contains(t, errs["AUTH_OIDC_ISSUER"].Problem, "query")
	require.Contains(t, errs, "AUTH_OIDC_CLIENT_ID")
	require.Contains(t, errs["AUTH_ISSUER"].Problem, "differs")
	require.Contains(t, errs, "AUTH")
	require.Contains(t, loadErrors(t, vars{
		"AUTH_OIDC_ISSUER": "http://id.example.com", "AUTH_OIDC_CLIENT_ID": "c", "ENVIRONMENT": "production",
	}, "")["AUTH_OIDC_ISSUER"].Problem, "https")
	require.Contains(t, loadErrors(t, vars{
		"AUTH_OIDC_ISSUER":    "https://id.example.com",
		"AUTH_OIDC_CLIENT_ID": "c",
		"AUTH_ISSUER":         "https://id.example.com",
		"BETTER_AUTH_SECRET":  longSecret,
	}, "")["AUTH_ISSUER"].Problem, "same")
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

func TestBetterAuth_KeysPath_ReturnsAPIOfIssuer(t *testing.T) {
	for _, test := range []struct {
		name string
		vars vars
		want string
	}{
		{"by the keys", vars{"AUTH_JWKS_URL": jwksURL}, "https://app.example.com/api/auth"},
		{
			"keys at an internal address",
			vars{"AUTH_JWKS_URL": "http://auth:3000/api/auth/jwks", "AUTH_ISSUER": "https://app.example.com"},
			"https://app.example.com/api/auth",
		},
		{"another provider", vars{"AUTH_JWKS_URL": "https://id.example.com/oauth/jwks"}, ""},
		{"an issuer that is no URL", vars{"AUTH_JWKS_URL": jwksURL, "AUTH_ISSUER": "app"}, ""},
		{"nothing", vars{}, ""},
	} {
		require.Equal(t, test.want, load(t, test.vars).Auth.BetterAuth(), test.name)
	}
}

func TestLoad_ReservedIssuer_Error(t *testing.T) {
	for _, issuer := range []string{"errand-dev", "urn:errand:", "urn:errand:0a1b"} {
		v := vars{"BETTER_AUTH_SECRET": longSecret, "AUTH_ISSUER": issuer}
		require.Contains(t, loadErrors(t, v, "")["AUTH_ISSUER"].Problem, "reserved", issuer)
	}
	load(t, vars{"BETTER_AUTH_SECRET": longSecret, "AUTH_ISSUER": "urn:errand"})
}
