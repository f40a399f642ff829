package config

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"errand/internal/secret"
)

// SignIn is a way to sign in that AUTH adds to the configured identity provider.
type SignIn string

// SignInLocal is sign-in with the built-in accounts.
const SignInLocal SignIn = "local"

// Auth are the settings of sign-in and token verification. See Config.DevelopmentSignIn and Config.LocalAccounts for
// what they enable together.
type Auth struct {
	// SignIn enables the built-in accounts beside an identity provider, or instead of the development sign-in. "" means
	// that they are enabled if nothing else is.
	SignIn SignIn `env:"AUTH"`
	// OIDCIssuer is the URL of an OpenID Connect provider at which users of the page sign in. Its keys are found by
	// discovery, or in JWKSURL if Issuer is the same.
	OIDCIssuer string `env:"AUTH_OIDC_ISSUER"`
	// OIDCClientID is the id of this server as a client of that provider.
	OIDCClientID string `env:"AUTH_OIDC_CLIENT_ID"`
	// OIDCClientSecret is the secret of a confidential client; unset for a public client, which uses PKCE alone.
	OIDCClientSecret secret.String `env:"AUTH_OIDC_CLIENT_SECRET"`
	// JWKSURL is the address of the issuer's JWK set (RFC 7517).
	JWKSURL string `env:"AUTH_JWKS_URL"`
	// Issuer is the required "iss" claim. It defaults to OIDCIssuer; with JWKSURL alone to that URL's origin, which is
	// Better Auth's convention; otherwise "" accepts any.
	Issuer string `env:"AUTH_ISSUER"`
	// Audience are the accepted "aud" values; a token must have one of them, unless it is AnyAudience. With JWKSURL it
	// defaults to the issuer, which is Better Auth's convention; otherwise an empty list accepts any. OIDCClientID is
	// added if Issuer is OIDCIssuer.
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
func (a Auth) Configured() bool { return a.JWKSURL != "" || a.OIDC() || a.BetterAuthSecret.IsSet() }

// OIDC reports whether users of the page sign in at an OpenID Connect provider.
func (a Auth) OIDC() bool { return a.OIDCIssuer != "" }

// SharesIssuer reports whether the tokens of the OpenID Connect provider are those that the other settings describe, so
// that one rule holds for both.
func (a Auth) SharesIssuer() bool { return a.OIDC() && a.Issuer == a.OIDCIssuer }

// VerifiesOthers reports whether tokens are accepted of an issuer other than that of the OpenID Connect provider.
func (a Auth) VerifiesOthers() bool {
	return a.BetterAuthSecret.IsSet() || a.JWKSURL != "" && !a.SharesIssuer()
}

// Issuers of the tokens that this program signs itself. External keys verify no token that names one of them.
const (
	// DevIssuer is that of the development sign-in.
	DevIssuer = "errand-dev"
	// AccountIssuerPrefix begins that of built-in accounts, which each database has of its own.
	AccountIssuerPrefix = "urn:errand:"
)

// IsReservedIssuer reports whether an issuer is one of this program's own.
func IsReservedIssuer(issuer string) bool {
	return issuer == DevIssuer || strings.HasPrefix(issuer, AccountIssuerPrefix)
}

// AnyAudience as the only audience accepts tokens for any audience, and without one.
const AnyAudience = "*"

// AcceptsAnyAudience reports whether tokens that the issuer signed for other applications are accepted too.
func (a Auth) AcceptsAnyAudience() bool {
	return len(a.AuthorizedParties) == 0 &&
		(slices.Contains(a.Audience, AnyAudience) || slices.Contains(a.MCPAudience, AnyAudience))
}

// DevelopmentSignIn reports whether anyone on this machine may sign in under any name: in development, without an
// identity provider and AUTH, on a loopback listener. It is never enabled together with another sign-in.
func (c Config) DevelopmentSignIn() bool {
	return c.Environment == Development && !c.Auth.Configured() && c.Auth.SignIn == "" && IsLoopbackAddr(c.Server.Addr)
}

// LocalAccounts reports whether users sign in with built-in accounts: if AUTH is set to that, and if there is no other
// way to sign in. Settings of an identity provider alone never enable them.
func (c Config) LocalAccounts() bool {
	return c.Auth.SignIn == SignInLocal || !c.Auth.Configured() && !c.DevelopmentSignIn()
}

// SharesAudience reports whether a token for /mcp is also accepted on /graphql, where it may do everything unless it
// has scopes.
func (a Auth) SharesAudience() bool {
	acceptsAny := func(audience []string) bool { return len(audience) == 0 || slices.Contains(audience, AnyAudience) }
	return acceptsAny(a.Audience) || acceptsAny(a.MCPAudience) ||
		slices.ContainsFunc(a.MCPAudience, func(audience string) bool { return slices.Contains(a.Audience, audience) })
}

// betterAuthPath is the path of Better Auth's API. Applications can change it; then the API is not found.
const betterAuthPath = "/api/auth"

// BetterAuth returns the URL of the API of the Better Auth server that issues the tokens, "" if the issuer is another.
// It is recognised by the path of its keys. The keys may be read at an internal address; the API is that of the issuer,
// where browsers find it.
func (a Auth) BetterAuth() string {
	keys, err := url.Parse(a.JWKSURL)
	if err != nil || keys.Path != betterAuthPath+"/jwks" {
		return ""
	}
	issuer, err := url.Parse(a.Issuer)
	if err != nil || issuer.Scheme != "https" && issuer.Scheme != "http" || issuer.Host == "" || issuer.User != nil {
		return ""
	}
	return issuer.Scheme + "://" + issuer.Host + betterAuthPath
}

func (a *Auth) normalize() {
	lower(&a.SignIn)
	a.Audience = trimList(a.Audience)
	a.MCPAudience = trimList(a.MCPAudience)
	a.AuthorizedParties = trimList(a.AuthorizedParties)
	a.defaultToProvider()
	a.defaultToIssuer()
	if len(a.MCPAudience) == 0 && a.Configured() {
		a.MCPAudience = slices.Clone(a.Audience)
	}
}

// defaultToProvider sets issuer and audience to those of the ID tokens of the OpenID Connect provider, unless other
// settings describe another issuer.
func (a *Auth) defaultToProvider() {
	if a.Issuer == "" && (a.JWKSURL != "" || !a.BetterAuthSecret.IsSet()) {
		a.Issuer = a.OIDCIssuer
	}
	if !a.SharesIssuer() || a.OIDCClientID == "" || slices.Contains(a.Audience, AnyAudience) {
		return
	}
	if len(a.Audience) == 0 && a.JWKSURL != "" {
		a.Audience = []string{a.Issuer}
	}
	if !slices.Contains(a.Audience, a.OIDCClientID) {
		a.Audience = append(a.Audience, a.OIDCClientID)
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
	a.validateOIDC(errs, environment)
	if a.SignIn != "" {
		validateOneOf(errs, "AUTH", a.SignIn, SignInLocal)
	}
	if IsReservedIssuer(a.Issuer) {
		errs.add("AUTH_ISSUER", "is reserved for the tokens that the server signs itself",
			"the issuer of the identity provider")
	}
	validateAudience(errs, "AUTH_AUDIENCE", a.Audience)
	validateAudience(errs, "AUTH_MCP_AUDIENCE", a.MCPAudience)
	validateRange(errs, "AUTH_LEEWAY", a.Leeway, 0, 5*time.Minute)
	if a.Configured() {
		return
	}
	const (
		problem = "is set without AUTH_JWKS_URL, AUTH_OIDC_ISSUER or BETTER_AUTH_SECRET, so that it has no effect"
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

func (a *Auth) validateOIDC(errs *Errors, environment Environment) {
	const (
		issuer     = "AUTH_OIDC_ISSUER"
		incomplete = "is not set, although another AUTH_OIDC setting is"
	)
	if !a.OIDC() {
		if a.OIDCClientID != "" || a.OIDCClientSecret.IsSet() {
			errs.add(issuer, incomplete, "the issuer as the provider's discovery document names it")
		}
		return
	}
	if a.OIDCClientID == "" {
		errs.add("AUTH_OIDC_CLIENT_ID", incomplete, "the id of this server as a client of the provider")
	}
	validateHTTPURL(errs, issuer, a.OIDCIssuer)
	u, err := url.Parse(a.OIDCIssuer)
	if err != nil {
		return
	}
	if u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(a.OIDCIssuer, "#") {
		errs.add(issuer, "has a query or a fragment", "the issuer as the provider's discovery document names it")
	}
	if environment == Production && u.Scheme == "http" && !IsLoopbackHost(u.Hostname()) {
		errs.add(issuer, "is not an https URL, so that keys and tokens could be replaced in transit",
			"an https URL in production, http on loopback only")
	}
	a.validateIssuerOfOthers(errs)
}

// validateIssuerOfOthers checks that AUTH_ISSUER fits the settings with the keys of that issuer.
func (a *Auth) validateIssuerOfOthers(errs *Errors) {
	if a.SharesIssuer() && a.BetterAuthSecret.IsSet() && a.JWKSURL == "" {
		errs.add("AUTH_ISSUER", "is the same as AUTH_OIDC_ISSUER, whose tokens BETTER_AUTH_SECRET does not sign",
			"the issuer of the tokens that BETTER_AUTH_SECRET signs")
	}
	if a.JWKSURL == "" && !a.BetterAuthSecret.IsSet() && !a.SharesIssuer() {
		errs.add("AUTH_ISSUER", "differs from AUTH_OIDC_ISSUER, but there is no AUTH_JWKS_URL with the keys of that issuer",
			"unset, or the value of AUTH_OIDC_ISSUER")
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

func trimList(list []string) []string {
	var clean []string
	for _, item := range list {
		if item = strings.TrimSpace(item); item != "" {
			clean = append(clean, item)
		}
	}
	return clean
}
