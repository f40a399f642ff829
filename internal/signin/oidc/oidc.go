// Package oidc signs users of the page in at an OpenID Connect provider (AUTH_OIDC_ISSUER), with the authorization code
// flow and PKCE. The server exchanges the code and keeps the provider's tokens in an encrypted cookie of the browser;
// the page gets the one token that the API accepts. Nothing is stored in the database.
//
// Requests to the provider are those of golang.org/x/oauth2. Tokens are verified as all others are, by package auth: a
// second verifier, such as that of a client library, would have other rules for keys and algorithms.
package oidc

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"errand/internal/apperr"
	"errand/internal/auth"
	"errand/internal/origin"
	"errand/internal/secret"

	"golang.org/x/oauth2"
)

// Paths of the flow below the path prefix. CallbackPath is the redirect URI that the provider must allow.
const (
	SignInPath   = "/auth/oidc"
	CallbackPath = "/auth/callback"
)

const (
	// attemptTTL is the time that a user has to sign in at the provider.
	attemptTTL = 10 * time.Minute
	// sessionTTL is the time after which a user must sign in again.
	sessionTTL = 90 * 24 * time.Hour
	// renewBefore is the remaining lifetime at which a token is renewed.
	renewBefore = time.Minute
	// requestTimeout limits each request to the provider.
	requestTimeout = 10 * time.Second
)

// Codes of failed sign-ins, in the address of the page: PREFIX/#/sign-in?error=CODE.
const (
	// CodeDenied means that the user or the provider refused.
	CodeDenied = "access_denied"
	// CodeExpired means that the attempt is too old, was made in another browser, or was overtaken by a later one.
	CodeExpired = "sign_in_expired"
	// CodeUnavailable means that the provider cannot be reached.
	CodeUnavailable = "provider_unavailable"
	// CodeRejected means that the provider's answer is not accepted; the log has the reason.
	CodeRejected = "provider_rejected"
)

// Sealer encrypts the cookies. signin.Service implements it.
type Sealer interface {
	// Seal encrypts a plaintext for a purpose.
	Seal(ctx context.Context, purpose string, plaintext []byte) (string, error)
	// Unseal returns the plaintext that was sealed for this purpose. Other input is an UNAUTHENTICATED error.
	Unseal(ctx context.Context, purpose, sealed string) ([]byte, error)
}

// Discovery finds the endpoints of the provider. auth.Discovery implements it.
type Discovery interface {
	// Provider returns what the provider publishes about itself.
	Provider(ctx context.Context) (auth.Provider, error)
}

// Options configure a Flow. All fields but ClientSecret are required.
type Options struct {
	// Issuer, ClientID and ClientSecret are those of the settings.
	Issuer       string
	ClientID     string
	ClientSecret secret.String
	Discovery    Discovery
	// Verifier is that of the API, which must accept the token of the page.
	Verifier auth.Verifier
	Sealer   Sealer
	Site     origin.Site
	Log      *slog.Logger
	// Now is the clock.
	Now func() time.Time
}

// Flow signs users in. It is safe for concurrent use.
type Flow struct {
	Options
	client *http.Client

	mu       sync.Mutex
	renewals map[[sha256.Size]byte]*renewal
}

// New returns a Flow. It makes no request.
func New(o Options) *Flow {
	return &Flow{Options: o, renewals: map[[sha256.Size]byte]*renewal{}, client: &http.Client{
		Timeout: requestTimeout,
		// Tokens and codes go to the endpoints of the discovery document only.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// attempt is the state of a sign-in, in an encrypted cookie.
type attempt struct {
	State    string    `json:"state"`
	Nonce    string    `json:"nonce"`
	Verifier string    `json:"verifier"`
	Redirect string    `json:"redirect"`
	Expires  time.Time `json:"expires"`
}

// Begin redirects to the provider.
func (f *Flow) Begin(w http.ResponseWriter, r *http.Request) {
	client, provider, err := f.oauth(r.Context())
	if err != nil {
		f.fail(w, r, CodeUnavailable, err)
		return
	}
	a := attempt{
		State:    rand.Text(),
		Nonce:    rand.Text(),
		Verifier: oauth2.GenerateVerifier(),
		Redirect: f.Site.URL(r) + CallbackPath,
		Expires:  f.Now().Add(attemptTTL),
	}
	if err := f.setAttempt(w, r, a); err != nil {
		f.fail(w, r, CodeUnavailable, err)
		return
	}
	client.RedirectURL, client.Scopes = a.Redirect, []string{"openid", "profile", "email"}
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(a.Verifier), oauth2.SetAuthURLParam("nonce", a.Nonce)}
	if slices.Contains(provider.Scopes, "offline_access") {
		client.Scopes = append(client.Scopes, "offline_access")
	} else {
		options = append(options, oauth2.AccessTypeOffline) // Google
	}
	redirect(w, client.AuthCodeURL(a.State, options...))
}

// Callback handles the provider's redirect: it exchanges the code and redirects to the page. The attempt cannot be used
// again, whatever the result. After a successful sign-in it calls onSignedIn, which may set headers of the response.
func (f *Flow) Callback(w http.ResponseWriter, r *http.Request, onSignedIn func()) {
	a, err := f.attempt(r)
	f.clearAttempt(w, r)
	query := r.URL.Query()
	switch {
	case err != nil:
		f.fail(w, r, CodeExpired, err)
		return
	case len(query["state"]) != 1 || !equal(query.Get("state"), a.State):
		f.fail(w, r, CodeExpired, errors.New("the state is not that of this browser"))
		return
	case query.Get("error") == "access_denied":
		f.fail(w, r, CodeDenied, nil)
		return
	case query.Has("error"):
		f.fail(w, r, CodeRejected, providerError(query.Get("error")))
		return
	case query.Has("iss") && query.Get("iss") != f.Issuer: // RFC 9207
		f.fail(w, r, CodeRejected, errors.New("the response is of another issuer"))
		return
	case len(query["code"]) != 1:
		f.fail(w, r, CodeRejected, errors.New("the response has no code"))
		return
	}
	s, code, err := f.exchange(r.Context(), a, query.Get("code"))
	if err == nil {
		err = f.setSession(w, r, s)
		code = CodeRejected
	}
	if err != nil {
		f.fail(w, r, code, err)
		return
	}
	f.Log.InfoContext(r.Context(), "signed in at the identity provider", "renewable", s.Refresh != "")
	onSignedIn()
	redirect(w, f.Site.Prefix()+"/")
}

// exchange exchanges a code for a session. If it fails, it returns one of the codes of failed sign-ins with the error.
func (f *Flow) exchange(ctx context.Context, a attempt, code string) (session, string, error) {
	client, _, err := f.oauth(ctx)
	if err != nil {
		return session{}, CodeUnavailable, err
	}
	client.RedirectURL = a.Redirect
	tokens, err := client.Exchange(f.context(ctx), code, oauth2.VerifierOption(a.Verifier))
	if err != nil {
		if isRefusal(err) {
			return session{}, CodeRejected, redacted(err)
		}
		return session{}, CodeUnavailable, redacted(err)
	}
	idToken, _ := tokens.Extra("id_token").(string)
	id, err := f.verify(ctx, idToken)
	if apperr.CodeOf(err) == apperr.Unavailable {
		return session{}, CodeUnavailable, err
	}
	if err != nil {
		return session{}, CodeRejected, err
	}
	if !equal(idTokenNonce(idToken), a.Nonce) {
		return session{}, CodeRejected, errors.New("the nonce of the ID token is not that of this browser")
	}
	s := session{Subject: id.Subject, Refresh: tokens.RefreshToken, Ends: f.Now().Add(sessionTTL)}
	f.choose(ctx, &s, tokens.AccessToken, idToken)
	return s, "", nil
}

// choose sets the token for the API: the first of the tokens that the API accepts for the user of the session. It
// returns false if there is none.
func (f *Flow) choose(ctx context.Context, s *session, tokens ...string) bool {
	for _, token := range tokens {
		if claims, err := f.verify(ctx, token); err == nil && claims.Subject == s.Subject {
			s.Token, s.Expires = token, claims.ExpiresAt
			return true
		}
	}
	return false
}

// verify verifies a token of the provider as the API does.
func (f *Flow) verify(ctx context.Context, token string) (auth.Claims, error) {
	claims, err := f.Verifier.Verify(ctx, token)
	if err == nil && claims.Issuer != f.Issuer {
		return auth.Claims{}, errors.New("the token is of another issuer")
	}
	return claims, err
}

// oauth returns the OAuth client for the provider's current endpoints.
func (f *Flow) oauth(ctx context.Context) (*oauth2.Config, auth.Provider, error) {
	provider, err := f.Discovery.Provider(ctx)
	if err != nil {
		return nil, provider, err
	}
	style := oauth2.AuthStyleInParams
	if f.ClientSecret.IsSet() &&
		(len(provider.TokenAuth) == 0 || slices.Contains(provider.TokenAuth, "client_secret_basic")) {
		style = oauth2.AuthStyleInHeader
	}
	return &oauth2.Config{
		ClientID:     f.ClientID,
		ClientSecret: f.ClientSecret.Reveal(),
		Endpoint: oauth2.Endpoint{
			AuthURL:   provider.Authorization,
			TokenURL:  provider.Token,
			AuthStyle: style,
		},
	}, provider, nil
}

// context returns a context with the HTTP client for requests to the provider.
func (f *Flow) context(ctx context.Context) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, f.client)
}

// fail redirects to the page, which shows the code. The cause is logged: it may contain text of the provider.
func (f *Flow) fail(w http.ResponseWriter, r *http.Request, code string, cause error) {
	if cause != nil {
		f.Log.WarnContext(r.Context(), "sign-in at the identity provider failed", "code", code, "error", cause)
	}
	redirect(w, f.Site.Prefix()+"/#/sign-in?error="+code)
}

func redirect(w http.ResponseWriter, location string) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer") // the address of the callback has the code
	w.Header().Set("Location", location)
	w.WriteHeader(http.StatusFound)
}

// idTokenNonce returns the nonce of an ID token, "" for none. The caller has verified the token.
func idTokenNonce(token string) string {
	var claims struct {
		Nonce string `json:"nonce"`
	}
	if payload, err := base64.RawURLEncoding.DecodeString(part(token, 1)); err == nil {
		_ = json.Unmarshal(payload, &claims) // "" if it has none
	}
	return claims.Nonce
}

// part returns one of the parts of a token, "" if it has too few.
func part(token string, index int) string {
	parts := strings.Split(token, ".")
	if index >= len(parts) {
		return ""
	}
	return parts[index]
}
