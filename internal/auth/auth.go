package auth

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"errand/internal/config"
	"errand/internal/viewer"
)

// Surface is a part of the server with an audience of its own.
type Surface string

// The surfaces.
const (
	GraphQL Surface = "graphql"
	MCP     Surface = "mcp"
)

// Service verifies tokens the way the configuration says. Close it at the end.
type Service struct {
	verifiers map[Surface]Verifier
	jwks      *jwksCache    // nil without AUTH_JWKS_URL
	devSigner       *DevSigner // nil unless the development sign-in is on
	leeway    time.Duration
	log       *slog.Logger
}

// Option changes how New builds.
type Option func(*options)

type options struct{ now func() time.Time }

// WithClock replaces time.Now, for tests.
func WithClock(now func() time.Time) Option { return func(o *options) { o.now = now } }

// New picks the verifiers by configuration: published keys, a shared secret, both, or
// the development sign-in. Published keys are fetched in the background, so that the
// server starts while its identity provider is still starting.
func New(cfg config.Config, log *slog.Logger, opts ...Option) (*Service, error) {
	o := options{now: time.Now}
	for _, opt := range opts {
		opt(&o)
	}
	a := &Service{verifiers: map[Surface]Verifier{}, leeway: cfg.Auth.Leeway, log: log}
	if !cfg.Auth.Configured() {
		if err := a.enableDevSignIn(cfg, o.now); err != nil {
			return nil, err
		}
		return a, nil
	}
	if cfg.Auth.JWKSURL != "" {
		a.jwks = newJWKSCache(newJWKSClient(cfg.Auth.JWKSURL).fetch, o.now, log)
		a.jwks.prefetch()
	}
	a.verifiers[GraphQL] = a.verifierFor(cfg.Auth, cfg.Auth.Audience, o.now)
	a.verifiers[MCP] = a.verifierFor(cfg.Auth, cfg.Auth.MCPAudience, o.now)
	return a, nil
}

func (a *Service) enableDevSignIn(cfg config.Config, now func() time.Time) error {
	dev, err := openDevSigner(cfg, now)
	if err != nil {
		return err
	}
	a.devSigner = dev
	a.verifiers[GraphQL] = dev.verifier(cfg.Auth.Leeway)
	a.verifiers[MCP] = a.verifiers[GraphQL]
	a.log.Warn("development sign-in is on: anyone on this machine may sign in under any name", "path", DevSignInPath)
	return nil
}

// verifierFor builds the verifier of one surface.
func (a *Service) verifierFor(cfg config.Auth, audience []string, now func() time.Time) Verifier {
	r := tokenRules{issuer: cfg.Issuer, audience: audience, leeway: cfg.Leeway, now: now}
	var shared, public Verifier
	if cfg.BetterAuthSecret.IsSet() {
		r.algorithms = secretAlgorithms
		shared = newJWTVerifier(r, secretKeyFunc([]byte(cfg.BetterAuthSecret.Reveal())))
	}
	if a.jwks != nil {
		r.algorithms = jwksAlgorithms
		public = newJWTVerifier(r, a.jwks.key)
	}
	switch {
	case shared == nil:
		return public
	case public == nil:
		return shared
	default:
		return combinedVerifier{first: public, second: shared}
	}
}

// Verifier is the one for a surface.
func (a *Service) Verifier(s Surface) Verifier { return a.verifiers[s] }

// DevSigner is the signer of the development sign-in, nil where that is off.
func (a *Service) DevSigner() *DevSigner { return a.devSigner }

// WaitForKeys waits until the published keys are there, and says why they are not. It
// returns nil at once where none are used.
func (a *Service) WaitForKeys(ctx context.Context) error {
	if a.jwks == nil {
		return nil
	}
	_, err := a.jwks.get(ctx)
	return err
}

// DevSignInHandler serves SignInPath for the listener bound to this address. Where the
// development sign-in is off, or the listener is open to other machines, it is an
// error: the path must then not exist.
func (a *Service) DevSignInHandler(bound net.Addr) (http.Handler, error) {
	if a.devSigner == nil || bound == nil || !config.IsLoopbackAddr(bound.String()) {
		return nil, errNoDevSignIn
	}
	return &devSignInHandler{signer: a.devSigner, log: a.log}, nil
}

// Close ends a fetch under way and waits for it. Verification goes on with the keys at hand.
func (a *Service) Close() {
	if a.jwks != nil {
		a.jwks.Close()
	}
}

// Authenticator turns tokens into viewers for one surface.
type Authenticator struct {
	verifier Verifier
	users    UserStore
	kind     viewer.ActorKind
	leeway   time.Duration
}

// Authenticator joins a surface's verifier with the users. Give every surface the same
// CachedUsers. Viewers are of kind MCP on that surface and Person elsewhere.
func (a *Service) Authenticator(s Surface, users UserStore) *Authenticator {
	kind := viewer.ActorUser
	if s == MCP {
		kind = viewer.ActorMCP
	}
	return &Authenticator{verifier: a.verifiers[s], users: users, kind: kind, leeway: a.leeway}
}

// Authenticate verifies a token and returns a context in which its bearer is the
// viewer, that user's id, and the end of the token with the leeway, from which on it is refused: a
// connection that lives longer must then ask for a new one. Errors are those of Verifier and Users.
func (x *Authenticator) Authenticate(ctx context.Context, token string) (context.Context, string, time.Time, error) {
	claims, userID, err := x.Identify(ctx, token)
	if err != nil {
		return ctx, "", time.Time{}, err
	}
	return viewer.NewContext(ctx, viewer.Viewer{UserID: userID, Actor: x.kind}), userID, claims.ExpiresAt.Add(x.leeway), nil
}

// Identify verifies a token and returns what it says and its bearer's id. Errors are
// those of Verifier and Users.
func (x *Authenticator) Identify(ctx context.Context, token string) (Claims, string, error) {
	claims, err := x.verifier.Verify(ctx, token)
	if err != nil {
		return Claims{}, "", err
	}
	userID, err := x.users.EnsureUser(ctx, claims)
	return claims, userID, err
}
