package config

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"errand/internal/secret"
)

// Auth are the settings of token verification. With neither JWKSURL nor BetterAuthSecret set, the server uses the
// development sign-in (see Config.DevelopmentSignIn).
type Auth struct {
	// JWKSURL is the address of the issuer's JWK set (RFC 7517).
	JWKSURL string `env:"AUTH_JWKS_URL"`
	// Issuer is the required "iss" claim. With JWKSURL it defaults to that URL's origin, which is Better Auth's
	// convention; otherwise "" accepts any.
	Issuer string `env:"AUTH_ISSUER"`
	// Audience are the accepted "aud" values; a token must have one of them, unless it is AnyAudience. With JWKSURL it
	// defaults to the issuer, which is Better Auth's convention; otherwise an empty list accepts any.
	Audience []string `env:"AUTH_AUDIENCE"`
	// MCPAudience is Audience for /mcp; it defaults to Audience.
	MCPAudience []string `env:"AUTH_MCP_AUDIENCE"`
	// AuthorizedParties are the accepted clients ("azp" or "client_id" claims). When set, each token must be issued
	// to one of them, and may lack an audience unless MCPAudience differs from Audience.
	AuthorizedParties []string `env:"AUTH_AUTHORIZED_PARTIES"`
	// BetterAuthSecret verifies HS256 tokens, at least minSecretBytes in production. JWKSURL is preferable, because
	// the secret can also sign tokens.
	BetterAuthSecret secret.String `env:"BETTER_AUTH_SECRET"`
	// AllowSecretWithJWKS accepts tokens of both kinds, for a migration from one to the other.
	AllowSecretWithJWKS bool `env:"AUTH_ALLOW_SECRET_WITH_JWKS" envDefault:"false"`
	// RequireScopes rejects tokens that carry no scope of Errand's, which otherwise may do everything.
	RequireScopes bool `env:"AUTH_REQUIRE_SCOPES" envDefault:"false"`
	// Leeway is the tolerated clock difference on exp, nbf and iat, 0 to 5m.
	Leeway time.Duration `env:"AUTH_LEEWAY" envDefault:"30s"`
}

// minSecretBytes is the minimum length of BETTER_AUTH_SECRET in production: the size of the HS256 hash (RFC 7518
// section 3.2).
const minSecretBytes = 32

// Configured reports whether tokens of an identity provider are accepted.
func (a Auth) Configured() bool { return a.JWKSURL != "" || a.BetterAuthSecret.IsSet() }

// AnyAudience as the only audience accepts tokens for any audience, and without one.
const AnyAudience = "*"

// AcceptsAnyAudience reports whether tokens that the issuer signed for other applications are accepted too.
func (a Auth) AcceptsAnyAudience() bool {
	return len(a.AuthorizedParties) == 0 &&
		(slices.Contains(a.Audience, AnyAudience) || slices.Contains(a.MCPAudience, AnyAudience))
}

// DevelopmentSignIn reports whether anyone on this machine may sign in under any name: in development, without
// configured authentication, on a loopback listener.
func (c Config) DevelopmentSignIn() bool {
	return c.Environment == Development && !c.Auth.Configured() && IsLoopbackAddr(c.Server.Addr)
}

// SharesAudience reports whether a token for /mcp is also accepted on /graphql, where it may do everything unless it
// has scopes.
func (a Auth) SharesAudience() bool {
	acceptsAny := func(audience []string) bool { return len(audience) == 0 || slices.Contains(audience, AnyAudience) }
	return acceptsAny(a.Audience) || acceptsAny(a.MCPAudience) ||
		slices.ContainsFunc(a.MCPAudience, func(audience string) bool { return slices.Contains(a.Audience, audience) })
}

func (a *Auth) normalize() {
	a.Audience = trimList(a.Audience)
	a.MCPAudience = trimList(a.MCPAudience)
	a.AuthorizedParties = trimList(a.AuthorizedParties)
	a.defaultToIssuer()
	if len(a.MCPAudience) == 0 && a.Configured() {
		a.MCPAudience = slices.Clone(a.Audience)
	}
}

// defaultToIssuer sets issuer and audience by the convention of Better Auth.
func (a *Auth) defaultToIssuer() {
	if a.JWKSURL == "" {
		return
	}
	if u, err := url.Parse(a.JWKSURL); a.Issuer == "" && err == nil {
		a.Issuer = u.Scheme + "://" + u.Host
	}
	if len(a.Audience) == 0 {
		a.Audience = []string{a.Issuer}
	}
}

func (a *Auth) validate(errs *Errors, environment Environment) {
	a.validateJWKS(errs, environment)
	a.validateSecret(errs, environment)
	validateAudience(errs, "AUTH_AUDIENCE", a.Audience)
	validateAudience(errs, "AUTH_MCP_AUDIENCE", a.MCPAudience)
	validateRange(errs, "AUTH_LEEWAY", a.Leeway, 0, 5*time.Minute)
	if a.Configured() {
		return
	}
	const (
		problem = "is set without AUTH_JWKS_URL or BETTER_AUTH_SECRET, so that no tokens are verified"
		allowed = "unset, or one of these set too"
	)
	if a.Issuer != "" {
		errs.add("AUTH_ISSUER", problem, allowed)
	}
	if len(a.Audience) > 0 {
		errs.add("AUTH_AUDIENCE", problem, allowed)
	}
	if len(a.MCPAudience) > 0 {
		errs.add("AUTH_MCP_AUDIENCE", problem, allowed)
	}
	if len(a.AuthorizedParties) > 0 {
		errs.add("AUTH_AUTHORIZED_PARTIES", problem, allowed)
	}
}

func (a *Auth) validateJWKS(errs *Errors, environment Environment) {
	validateHTTPURL(errs, "AUTH_JWKS_URL", a.JWKSURL)
	u, err := url.Parse(a.JWKSURL)
	if err == nil && environment == Production && u.Scheme == "http" && !IsLoopbackHost(u.Hostname()) {
		errs.add("AUTH_JWKS_URL", "is not an https URL, so that the keys could be replaced in transit",
			"an https URL in production, http on loopback only")
	}
}

func validateAudience(errs *Errors, variable string, audience []string) {
	if len(audience) > 1 && slices.Contains(audience, AnyAudience) {
		errs.add(variable, "has * beside other values", "* alone, which accepts any audience, or a list without it")
	}
}

func (a *Auth) validateSecret(errs *Errors, environment Environment) {
	if !a.BetterAuthSecret.IsSet() {
		return
	}
	if environment == Production && len(a.BetterAuthSecret.Reveal()) < minSecretBytes {
		errs.add("BETTER_AUTH_SECRET", "is too short for production",
			"at least 32 bytes, such as the output of: openssl rand -base64 32")
	}
	if a.JWKSURL != "" && !a.AllowSecretWithJWKS {
		errs.add("BETTER_AUTH_SECRET", "is set together with AUTH_JWKS_URL, although the secret can sign tokens for any user",
			"only one of the two, or both with AUTH_ALLOW_SECRET_WITH_JWKS=true")
	}
}

// validateSignIn adds an error when the server would accept remote users without authentication.
func (c *Config) validateSignIn(errs *Errors) {
	if c.Auth.Configured() || errs.has("ENVIRONMENT") || errs.has("ADDR") {
		return
	}
	if c.Environment == Production {
		errs.add("AUTH_JWKS_URL", "is not set; production requires an identity provider",
			"the URL of its keys, such as https://app.example.com/api/auth/jwks")
		return
	}
	if !IsLoopbackAddr(c.Server.Addr) {
		errs.add("ADDR", "is reachable from other machines, but no authentication is configured",
			"a loopback address such as 127.0.0.1:8080, or any address with AUTH_JWKS_URL set")
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
