// Package auth authenticates requests: it verifies bearer tokens and maps them to users, for HTTP,
// WebSocket and MCP. Tokens are JSON Web Tokens (RFC 7519) of an identity provider or of the
// development sign-in.
//
// # Why the JWKS cache is not a library
//
// The numbers of JSON Web Keys are parsed by jwkset. The cache around them (jwks_cache.go) stays, because the
// caches of keyfunc/jwkset and lestrrat-go/jwx cannot keep these properties:
//   - A key verifies only the algorithm of its JWK, or the usual ones of its type when its JWK has no "alg". keyfunc
//     accepts any algorithm for such a key.
//   - Keys are found by algorithm and ID. RFC 7517 section 4.5 allows one ID for keys of different
//     types; jwkset's storage finds only the first. Certificates in a set are ignored; jwkset drops keys whose
//     certificate does not match.
//   - A token that no loaded key verifies causes a fetch, at most one a second for all tokens together, and a token
//     whose key was published waits for one such fetch. A flood of made-up key IDs cannot delay it further. keyfunc
//     queues requests on a rate limiter; jwx does not refetch.
//   - Keys older than an hour are not used before a fetch was tried, so that an idle server does not
//     accept a withdrawn key. The libraries refresh by timer only.
//   - One unusable key in a set is skipped and logged, and a set is bounded in bytes and keys.
package auth

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"

	"errand/internal/config"
	"errand/internal/refusal"
	"errand/internal/viewer"
)

// Surface is an API of the server whose tokens have their own audience.
type Surface string

// The surfaces.
const (
	GraphQL Surface = "graphql"
	MCP     Surface = "mcp"
)

// Service verifies tokens as configured. Call Close when it is no longer needed. It is safe for
// concurrent use.
type Service struct {
	verifiers map[Surface]Verifier
	jwks      *jwksCache // nil without AUTH_JWKS_URL, unless AUTH_OIDC_ISSUER is the only issuer
	oidcKeys  *jwksCache // nil unless AUTH_OIDC_ISSUER is another issuer than AUTH_ISSUER
	discovery *Discovery // nil without AUTH_OIDC_ISSUER
	devSigner *DevSigner // nil unless the development sign-in is enabled
	leeway    time.Duration
	// requireScopes refuses tokens of an identity provider without any of viewer.AllScopes.
	requireScopes bool
	log           *slog.Logger
}

// New returns the Service of a configuration: it verifies tokens with the keys of AUTH_JWKS_URL and AUTH_OIDC_ISSUER,
// with BETTER_AUTH_SECRET, or those of the development sign-in. AcceptIssuer and AcceptPrefix add the tokens of this
// server. Keys are fetched in the background, so that the server starts while its identity provider is down.
func New(cfg config.Config, log *slog.Logger) (*Service, error) {
	return newService(cfg, log, time.Now)
}

func newService(cfg config.Config, log *slog.Logger, now func() time.Time) (*Service, error) {
	s := &Service{
		verifiers:     map[Surface]Verifier{},
		leeway:        cfg.Auth.Leeway,
		requireScopes: cfg.Auth.RequireScopes,
		log:           log,
	}
	if cfg.DevelopmentSignIn() {
		if err := s.enableDevSignIn(cfg, now); err != nil {
			return nil, err
		}
		return s, nil
	}
	if cfg.Auth.Configured() {
		s.acceptProviders(cfg.Auth, now)
	}
	return s, nil
}

// acceptProviders makes the surfaces verify the tokens of the configured identity providers.
func (s *Service) acceptProviders(cfg config.Auth, now func() time.Time) {
	if cfg.OIDC() {
		s.discovery = newDiscovery(cfg.OIDCIssuer, now)
	}
	switch {
	case cfg.JWKSURL != "":
		s.jwks = s.newKeys(newJWKSClient(cfg.JWKSURL).fetchKeys, now)
	case cfg.SharesIssuer():
		s.jwks = s.newKeys(s.discovery.discoveredKeys, now)
	}
	s.logRules(cfg)
	if s.jwks != nil || cfg.BetterAuthSecret.IsSet() {
		s.verifiers[GraphQL] = s.newVerifier(cfg, cfg.Audience, now)
		s.verifiers[MCP] = s.newVerifier(cfg, cfg.MCPAudience, now)
	}
	if cfg.OIDC() && !cfg.SharesIssuer() {
		s.acceptSecondIssuer(cfg, now)
	}
}

// acceptSecondIssuer accepts the tokens of AUTH_OIDC_ISSUER beside those of AUTH_ISSUER, each verified with the keys of
// its issuer.
func (s *Service) acceptSecondIssuer(cfg config.Auth, now func() time.Time) {
	s.oidcKeys = s.newKeys(s.discovery.discoveredKeys, now)
	rules := tokenRules{
		algorithms: jwksAlgorithms,
		issuer:     cfg.OIDCIssuer,
		audience:   []string{cfg.OIDCClientID},
		external:   true,
		leeway:     cfg.Leeway,
		now:        now,
	}
	s.dispatcher(GraphQL).issuers[cfg.OIDCIssuer] = newJWTVerifier(rules, s.oidcKeys)
	if !slices.Equal(cfg.MCPAudience, cfg.Audience) {
		rules.audience = cfg.MCPAudience
	}
	s.dispatcher(MCP).issuers[cfg.OIDCIssuer] = newJWTVerifier(rules, s.oidcKeys)
}

// newKeys returns a cache whose first fetch has started.
func (s *Service) newKeys(fetch func(context.Context) (*keySet, error), now func() time.Time) *jwksCache {
	keys := newJWKSCache(fetch, now, s.log)
	keys.leeway = s.leeway
	keys.prefetch()
	return keys
}

// logRules logs what tokens must have, so that it can be compared with the tokens of the issuer. Empty values accept
// any.
func (s *Service) logRules(cfg config.Auth) {
	source := "BETTER_AUTH_SECRET"
	switch {
	case cfg.JWKSURL != "":
		source = "AUTH_JWKS_URL"
	case cfg.SharesIssuer():
		source = "AUTH_OIDC_ISSUER"
	}
	s.log.Info("sign-in", "keys", source, "issuer", cfg.Issuer, "audience", cfg.Audience,
		"mcp_audience", cfg.MCPAudience, "authorized_parties", cfg.AuthorizedParties, "leeway", cfg.Leeway.String())
	if cfg.OIDC() && !cfg.SharesIssuer() {
		s.log.Info("sign-in", "keys", "AUTH_OIDC_ISSUER", "issuer", cfg.OIDCIssuer, "audience", cfg.OIDCClientID)
	}
	if cfg.AcceptsAnyAudience() {
		s.log.Warn("tokens for any audience are accepted, also those that the issuer signed for other applications")
	}
	if cfg.SharesAudience() && !cfg.RequireScopes {
		s.log.Warn(
			"AUTH_AUDIENCE and AUTH_MCP_AUDIENCE are equal or overlap: an assistant's token without scopes may do everything " +
				"on /graphql; give /mcp an audience of its own, or set AUTH_REQUIRE_SCOPES=true",
		)
	}
}

func (s *Service) enableDevSignIn(cfg config.Config, now func() time.Time) error {
	signer, err := openDevSigner(cfg, now)
	if err != nil {
		return err
	}
	s.devSigner = signer
	s.verifiers[GraphQL] = signer.newVerifier(cfg.Auth.Leeway)
	s.verifiers[MCP] = s.verifiers[GraphQL]
	s.log.Warn("development sign-in is on: anyone on this machine may sign in under any name", "path", DevSignInPath)
	return nil
}

// newVerifier returns the verifier of a surface with this audience.
func (s *Service) newVerifier(cfg config.Auth, audience []string, now func() time.Time) Verifier {
	// A surface with an audience of its own would otherwise accept the tokens of the others.
	audienceRequired := !slices.Equal(audience, cfg.Audience)
	if slices.Contains(audience, config.AnyAudience) {
		audience = nil
	}
	r := tokenRules{
		issuer:           cfg.Issuer,
		audience:         audience,
		parties:          cfg.AuthorizedParties,
		audienceRequired: audienceRequired && len(audience) > 0,
		external:         true,
		leeway:           cfg.Leeway,
		now:              now,
	}
	if cfg.SharesIssuer() {
		r.client = cfg.OIDCClientID
	}
	var secret, jwks Verifier
	if cfg.BetterAuthSecret.IsSet() {
		r.algorithms = secretAlgorithms
		secret = newJWTVerifier(r, secretKey(cfg.BetterAuthSecret.Reveal()))
	}
	if s.jwks != nil {
		r.algorithms = jwksAlgorithms
		jwks = newJWTVerifier(r, s.jwks)
	}
	switch {
	case secret == nil:
		return jwks
	case jwks == nil:
		return secret
	default:
		return combinedVerifier{first: jwks, second: secret}
	}
}

// Verifier returns the token verifier of a surface.
func (s *Service) Verifier(surface Surface) Verifier { return s.verifiers[surface] }

// DevSignInHandler returns the handler of DevSignInPath for the listener bound to this address. It returns
// an error when the development sign-in is disabled or the listener accepts other machines' connections;
// the path must then not be served.
func (s *Service) DevSignInHandler(bound net.Addr, refusals *refusal.Recorder) (http.Handler, error) {
	if s.devSigner == nil || bound == nil || !config.IsLoopbackAddr(bound.String()) {
		return nil, errNoDevSignIn
	}
	return &devSignInHandler{signer: s.devSigner, log: s.log, refusals: refusals}, nil
}

// Discovery returns the endpoints of AUTH_OIDC_ISSUER, nil if it is not set.
func (s *Service) Discovery() *Discovery { return s.discovery }

// Close cancels fetches in progress and waits for their end. Verification continues with the loaded keys.
func (s *Service) Close() {
	if s.discovery != nil {
		s.discovery.close()
	}
	for _, keys := range []*jwksCache{s.jwks, s.oidcKeys} {
		if keys != nil {
			keys.Close()
		}
	}
}

// Authenticator maps the tokens of one surface to viewers.
type Authenticator struct {
	verifier Verifier
	users    UserStore
	actor    viewer.ActorKind
	leeway   time.Duration
	// requireScopes is AUTH_REQUIRE_SCOPES.
	requireScopes bool
}

// Authenticator returns the authenticator of a surface. All surfaces must share one UserCache, so that an
// evicted user is evicted for each of them. Viewers have the actor MCP on that surface and ActorUser on
// the others.
func (s *Service) Authenticator(surface Surface, users UserStore) *Authenticator {
	actor := viewer.ActorUser
	if surface == MCP {
		actor = viewer.ActorMCP
	}
	return &Authenticator{
		verifier:      s.verifiers[surface],
		users:         users,
		actor:         actor,
		leeway:        s.leeway,
		requireScopes: s.requireScopes,
	}
}

// Authenticate verifies a token. It returns a context with the token's user as the viewer, that user's ID, and the
// time from which the token is rejected, the leeway included, or the zero time for an API token that does not expire;
// a connection that outlives it must renew its token. Errors are those of Verifier and UserStore, and FORBIDDEN for a
// token without scopes if they are required.
func (a *Authenticator) Authenticate(ctx context.Context, token string) (context.Context, string, time.Time, error) {
	v, err := a.identify(ctx, token)
	if err != nil {
		return ctx, "", time.Time{}, err
	}
	expires := v.Expires
	if !IsAPIToken(token) { // which may have no expiry, or one by this system's clock
		expires = expires.Add(a.leeway)
	}
	return viewer.NewContext(ctx, v), v.UserID, expires, nil
}

// identify returns the viewer that a token authenticates.
func (a *Authenticator) identify(ctx context.Context, token string) (viewer.Viewer, error) {
	claims, err := a.verifier.Verify(ctx, token)
	if err != nil {
		return viewer.Viewer{}, err
	}
	// The sign-in sessions of this server are not delegated to other programs.
	if a.requireScopes && claims.Scopes.Unlimited() && claims.CredentialID == "" {
		return viewer.Viewer{}, noScopes()
	}
	userID := claims.UserID
	if userID == "" {
		if userID, err = a.users.EnsureUser(ctx, claims); err != nil {
			return viewer.Viewer{}, err
		}
	}
	return viewer.Viewer{
		UserID:       userID,
		Actor:        a.actor,
		Scopes:       claims.Scopes,
		Expires:      claims.ExpiresAt,
		CredentialID: claims.CredentialID,
	}, nil
}
