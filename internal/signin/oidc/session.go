package oidc

import (
	"context"
	"crypto/sha256"
	"net/http"
	"net/url"
	"strings"
	"time"

	"errand/internal/apperr"

	"golang.org/x/oauth2"
)

// session is the sign-in of a browser, in an encrypted cookie.
type session struct {
	// Subject is the user at the provider, who stays the same.
	Subject string `json:"subject"`
	// Token is the token for the API, and Expires its expiry.
	Token   string    `json:"token"`
	Expires time.Time `json:"expires"`
	// Refresh is the provider's refresh token, "" if it issued none.
	Refresh string `json:"refresh,omitempty"`
	// Ends is when the user must sign in again.
	Ends time.Time `json:"ends"`
}

// Token is what the page needs to send requests.
type Token struct {
	AccessToken string    `json:"accessToken"`
	ExpiresAt   time.Time `json:"expiresAt"`
}

// Refresh returns the token for the API of the browser's session, a new one if it ends within a minute. The error is
// UNAUTHENTICATED if the browser has no session or the provider ended it, and UNAVAILABLE if the provider cannot be
// reached.
func (f *Flow) Refresh(w http.ResponseWriter, r *http.Request) (*Token, error) {
	s, err := f.session(r)
	if err != nil {
		return nil, err
	}
	if s.Expires.Sub(f.Now()) > renewBefore {
		return &Token{AccessToken: s.Token, ExpiresAt: s.Expires}, nil
	}
	if s, err = f.renew(r.Context(), s); err == nil {
		err = f.setSession(w, r, s)
	}
	if err != nil {
		return nil, err
	}
	return &Token{AccessToken: s.Token, ExpiresAt: s.Expires}, nil
}

// SignOut ends the session of the browser, and revokes its refresh token if the provider has an endpoint for that (RFC
// 7009).
func (f *Flow) SignOut(w http.ResponseWriter, r *http.Request) {
	s, err := f.session(r)
	f.ClearSession(w, r)
	if err != nil || s.Refresh == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), requestTimeout)
	defer cancel()
	if err := f.revoke(ctx, s.Refresh); err != nil {
		f.Log.WarnContext(ctx, "the identity provider did not revoke a refresh token", "error", redacted(err))
	}
}

// renewal is one renewal of a session, which concurrent requests with the same refresh token share: some providers end
// a session whose refresh token is used twice.
type renewal struct {
	done    chan struct{}
	session session
	err     error
	ended   time.Time
}

// maxRenewals and renewalTTL bound the number and the age of the renewals that are kept.
const (
	maxRenewals = 10_000
	renewalTTL  = 30 * time.Second
)

// renew returns the session with a new token.
func (f *Flow) renew(ctx context.Context, s session) (session, error) {
	if s.Refresh == "" {
		return session{}, errNoSession()
	}
	key := sha256.Sum256([]byte(s.Refresh))
	f.mu.Lock()
	f.dropRenewals()
	shared, running := f.renewals[key]
	if !running {
		shared = &renewal{done: make(chan struct{})}
		f.renewals[key] = shared
		go f.runRenewal(context.WithoutCancel(ctx), s, shared)
	}
	f.mu.Unlock()
	select {
	case <-shared.done:
		return shared.session, shared.err
	case <-ctx.Done():
		return session{}, ctx.Err()
	}
}

// dropRenewals drops renewals that ended more than renewalTTL ago, those that failed because the provider was not
// reachable, and all ended ones if there are more than maxRenewals. The caller holds mu.
func (f *Flow) dropRenewals() {
	now, crowded := f.Now(), len(f.renewals) > maxRenewals
	for key, r := range f.renewals {
		select {
		case <-r.done:
			if crowded || now.Sub(r.ended) > renewalTTL || apperr.CodeOf(r.err) == apperr.Unavailable {
				delete(f.renewals, key)
			}
		default:
		}
	}
}

func (f *Flow) runRenewal(ctx context.Context, s session, r *renewal) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	r.session, r.err = f.requestTokens(ctx, s)
	r.ended = f.Now()
	close(r.done)
}

// requestTokens sends the refresh token to the provider.
func (f *Flow) requestTokens(ctx context.Context, s session) (session, error) {
	client, _, err := f.oauth(ctx)
	if err != nil {
		return session{}, unavailable(err)
	}
	tokens, err := client.TokenSource(f.context(ctx), &oauth2.Token{RefreshToken: s.Refresh}).Token()
	if isRefusal(err) {
		return session{}, apperr.Wrap(
			redacted(err),
			apperr.Unauthenticated,
			"The identity provider ended the session. Sign in again.",
		)
	}
	if err != nil {
		return session{}, unavailable(redacted(err))
	}
	s.Refresh = tokens.RefreshToken // the old one, if the response has none
	idToken, _ := tokens.Extra("id_token").(string)
	if !f.choose(ctx, &s, tokens.AccessToken, idToken) {
		return session{}, apperr.New(
			apperr.Unauthenticated,
			"The identity provider sent no token for this server. Sign in again.",
		)
	}
	return s, nil
}

func (f *Flow) revoke(ctx context.Context, token string) error {
	client, provider, err := f.oauth(ctx)
	if err != nil || provider.Revocation == "" {
		return err
	}
	form := url.Values{"token": {token}, "token_type_hint": {"refresh_token"}}
	if client.Endpoint.AuthStyle == oauth2.AuthStyleInParams {
		form.Set("client_id", f.ClientID)
		if f.ClientSecret.IsSet() {
			form.Set("client_secret", f.ClientSecret.Reveal())
		}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, provider.Revocation, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if client.Endpoint.AuthStyle == oauth2.AuthStyleInHeader {
		request.SetBasicAuth(url.QueryEscape(f.ClientID), url.QueryEscape(f.ClientSecret.Reveal()))
	}
	response, err := f.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return statusError(response.StatusCode)
	}
	return nil
}
