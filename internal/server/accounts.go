package server

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"errand/internal/auth"
	"errand/internal/origin"
	"errand/internal/signin/httpapi"
	"errand/internal/signin/oidc"
)

// acceptAccounts makes every surface accept the access tokens of built-in accounts, if those are enabled.
func (s *Server) acceptAccounts(ctx context.Context) error {
	if !s.Config.LocalAccounts() {
		return nil
	}
	issuer, err := s.Services.SignIn.Issuer(ctx)
	if err != nil {
		return err
	}
	s.Auth.AcceptIssuer(issuer, s.Services.SignIn.Verifier(issuer, s.Config.Auth.Leeway))
	s.Revoked.AddSource(s.Services.SignIn.Revoked)
	s.Log.InfoContext(ctx, "sign-in", "keys", "database", "issuer", issuer)
	return nil
}

// openSetUp creates the link that creates the owner's account, if there are built-in accounts and no owner yet. It logs
// the link, which only the operator may use.
func (s *Server) openSetUp(ctx context.Context) error {
	if !s.Config.LocalAccounts() {
		return nil
	}
	token, err := s.Services.SignIn.OpenSetUp(ctx)
	if err != nil || token == "" {
		return err
	}
	s.setUpURL = httpapi.LinkURL(s.PublicURL(), token)
	s.Log.InfoContext(ctx, "there is no owner yet: open the link to create the owner's account", "set_up_url", s.setUpURL)
	return nil
}

// SetUpURL returns the link that creates the owner's account, "" if there was an owner at the start or there are no
// built-in accounts.
func (s *Server) SetUpURL() string { return s.setUpURL }

// ownerTTL is how long the existence of an owner is cached, so that requests without a token cause no query.
const ownerTTL = time.Minute

// setUpOpen returns the function that reports whether there are built-in accounts and no owner.
func (s *Server) setUpOpen() func(context.Context) (bool, error) {
	if !s.Config.LocalAccounts() {
		return nil
	}
	var mu sync.Mutex
	var ownedUntil time.Time
	return func(ctx context.Context) (bool, error) {
		mu.Lock()
		owned := time.Now().Before(ownedUntil)
		mu.Unlock()
		if owned {
			return false, nil
		}
		open, err := s.Services.SignIn.SetUpOpen(ctx)
		if err == nil && !open {
			mu.Lock()
			defer mu.Unlock()
			ownedUntil = time.Now().Add(ownerTTL)
		}
		return open, err
	}
}

// site returns the address of this server as browsers see it.
func (s *Server) site() origin.Site { return origin.Site{PublicURL: s.Config.Server.PublicURL} }

// mountSignIn adds the paths of the sign-in with built-in accounts and with OpenID Connect, if one of them is enabled.
func (s *Server) mountSignIn(mux *http.ServeMux, users auth.UserStore) {
	options := httpapi.Options{
		Site:         s.site(),
		Authenticate: authenticateConn(s.Auth.Authenticator(auth.GraphQL, users).Authenticate),
		Refusals:     s.refusals,
		Log:          s.Log,
	}
	if s.Config.LocalAccounts() {
		options.Accounts = s.Services.SignIn
	}
	if s.Config.Auth.OIDC() {
		options.OIDC = oidc.New(oidc.Options{
			Issuer:       s.Config.Auth.OIDCIssuer,
			ClientID:     s.Config.Auth.OIDCClientID,
			ClientSecret: s.Config.Auth.OIDCClientSecret,
			Discovery:    s.Auth.Discovery(),
			Verifier:     s.Auth.Verifier(auth.GraphQL),
			Sealer:       s.Services.SignIn,
			Site:         s.site(),
			Log:          s.Log,
			Now:          time.Now,
		})
	}
	if options.Accounts != nil || options.OIDC != nil {
		handler := httpapi.New(options)
		mux.Handle(httpapi.Path, handler)
		mux.Handle(strings.TrimSuffix(httpapi.Path, "/"), handler) // else mux redirects, to a path without the prefix
	}
}
