package config

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"errand/internal/secret"
)

// Auth is how tokens are verified. With neither JWKSURL nor Secret set, the server
// runs its development sign-in (see Config.DevelopmentSignIn).
type Auth struct {
	// JWKSURL publishes the issuer's keys (RFC 7517).
	JWKSURL string `env:"AUTH_JWKS_URL"`
	// Issuer is the expected iss. With JWKSURL it defaults to that URL's origin, as
	// Better Auth has it; without, "" accepts any.
	Issuer string `env:"AUTH_ISSUER"`
	// Audience lists the accepted aud values, one of which a token must have. With
	// JWKSURL it defaults to the issuer, as Better Auth has it; without, none accepts any.
	Audience []string `env:"AUTH_AUDIENCE"`
	// MCPAudience is Audience for /mcp; it defaults to Audience.
	MCPAudience []string `env:"AUTH_MCP_AUDIENCE"`
	// BetterAuthSecret verifies HS256 tokens: whoever can verify can also sign, so
	// prefer JWKSURL. At least 32 bytes in production.
	BetterAuthSecret secret.String `env:"BETTER_AUTH_SECRET"`
	// AllowSecretWithJWKS accepts both kinds of tokens, for a migration from one to the other.
	AllowSecretWithJWKS bool `env:"AUTH_ALLOW_SECRET_WITH_JWKS" envDefault:"false"`
	// Leeway forgives clocks that differ, 0 to 5m, on exp, nbf and iat.
	Leeway time.Duration `env:"AUTH_LEEWAY" envDefault:"30s"`
}

// MinSecretBytes is the least length of BETTER_AUTH_SECRET in production: the size of
// the HS256 hash, as RFC 7518 section 3.2 demands.
const MinSecretBytes = 32

// Configured says whether tokens of an identity provider are verified.
func (a Auth) Configured() bool { return a.JWKSURL != "" || a.BetterAuthSecret.IsSet() }

// DevelopmentSignIn says whether anyone on this machine may sign in under any name:
// in development, with no authentication configured, on a loopback listener.
func (c Config) DevelopmentSignIn() bool {
	return c.Environment == Development && !c.Auth.Configured() && IsLoopbackAddr(c.Server.Addr)
}

func (a *Auth) normalize() {
	a.Audience = trimList(a.Audience)
	a.MCPAudience = trimList(a.MCPAudience)
	if a.JWKSURL == "" {
		return
	}
	if u, err := url.Parse(a.JWKSURL); a.Issuer == "" && err == nil {
		a.Issuer = u.Scheme + "://" + u.Host
	}
	if len(a.Audience) == 0 {
		a.Audience = []string{a.Issuer}
	}
	if len(a.MCPAudience) == 0 {
		a.MCPAudience = slices.Clone(a.Audience)
	}
}

func (a *Auth) validate(f *Errors, environment Environment) {
	a.validateJWKS(f, environment)
	a.validateSecret(f, environment)
	between(f, "AUTH_LEEWAY", a.Leeway, 0, 5*time.Minute)
	if a.Configured() {
		return
	}
	const problem, accepted = "is set, but nothing verifies tokens", "AUTH_JWKS_URL (or BETTER_AUTH_SECRET) beside it, or neither"
	if a.Issuer != "" {
		f.add("AUTH_ISSUER", problem, accepted)
	}
	if len(a.Audience) > 0 {
		f.add("AUTH_AUDIENCE", problem, accepted)
	}
	if len(a.MCPAudience) > 0 {
		f.add("AUTH_MCP_AUDIENCE", problem, accepted)
	}
}

func (a *Auth) validateJWKS(f *Errors, environment Environment) {
	validateHTTPURL(f, "AUTH_JWKS_URL", a.JWKSURL)
	u, err := url.Parse(a.JWKSURL)
	if err == nil && environment == Production && u.Scheme == "http" && !IsLoopbackHost(u.Hostname()) {
		f.add("AUTH_JWKS_URL", "is not https, so that anyone on the way could swap the keys",
			"an https address in production (http on loopback only)")
	}
}

func (a *Auth) validateSecret(f *Errors, environment Environment) {
	if !a.BetterAuthSecret.IsSet() {
		return
	}
	if environment == Production && len(a.BetterAuthSecret.Reveal()) < MinSecretBytes {
		f.add("BETTER_AUTH_SECRET", "is too short for production", "at least 32 bytes, such as from: openssl rand -base64 32")
	}
	if a.JWKSURL != "" && !a.AllowSecretWithJWKS {
		f.add("BETTER_AUTH_SECRET", "is set beside AUTH_JWKS_URL: whoever knows it could sign for anybody",
			"only one of the two, or AUTH_ALLOW_SECRET_WITH_JWKS=true")
	}
}

// validateSignIn refuses to serve where nothing would tell people apart.
func (c *Config) validateSignIn(f *Errors) {
	if c.Auth.Configured() || f.has("ENVIRONMENT") || f.has("ADDR") {
		return
	}
	if c.Environment == Production {
		f.add("AUTH_JWKS_URL", "is not set: production needs an identity provider to tell people apart",
			"the address of its keys, such as https://app.example.com/api/auth/jwks")
		return
	}
	if !IsLoopbackAddr(c.Server.Addr) {
		f.add(
			"ADDR",
			"is open to other machines while no authentication is configured: anyone there could sign in as anybody",
			"a loopback address such as 127.0.0.1:8080, or AUTH_JWKS_URL set",
		)
	}
}

func trimList(list []string) []string {
	var clean []string
	for _, item := range list {
		if item = strings.TrimSpace(item); item != "" {
			clean = append(clean, item)
		}
	}
	return clean
}
