package harness

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// OIDCProvider is an OpenID Connect provider for tests. It signs every browser in at once, as the user of SetSubject.
type OIDCProvider struct {
	*IdentityProvider
	t   *testing.T
	URL string

	mu      sync.Mutex
	codes   map[string]url.Values // the authorization requests, by code
	subject string
	refresh string // the valid refresh token
	revoked []string
	next    int
	// change changes the claims of the next ID tokens; nil changes nothing.
	change   func(claims map[string]any)
	lifetime time.Duration
	tokens   func(w http.ResponseWriter) bool // replaces the response of the token endpoint if it returns true
}

// OIDCClient and OIDCSecret are the id and the secret of the server as a client of the provider.
const (
	OIDCClient = "errand-client"
	OIDCSecret = "errand client secret/+"
)

// NewOIDCProvider starts a provider, which stops when the test ends.
func NewOIDCProvider(t *testing.T) *OIDCProvider {
	t.Helper()
	p := &OIDCProvider{
		IdentityProvider: NewIdentityProvider(t),
		t:                t,
		codes:            map[string]url.Values{},
		subject:          "alice",
		lifetime:         time.Hour,
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /realm/.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET /realm/authorize", p.authorize)
	mux.HandleFunc("POST /realm/token", p.token)
	mux.HandleFunc("POST /realm/revoke", p.revoke)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	p.URL = server.URL + "/realm"
	return p
}

// OIDCSettings returns the settings of a server that signs users in at the provider, and nowhere else.
func (p *OIDCProvider) OIDCSettings() Settings {
	return Settings{
		"BETTER_AUTH_SECRET":      "",
		"AUTH_OIDC_ISSUER":        p.URL,
		"AUTH_OIDC_CLIENT_ID":     OIDCClient,
		"AUTH_OIDC_CLIENT_SECRET": OIDCSecret,
	}
}

// SetSubject sets the user of later sign-ins, and of renewals.
func (p *OIDCProvider) SetSubject(subject string) { p.set(func() { p.subject = subject }) }

// SetLifetime sets the lifetime of later ID tokens.
func (p *OIDCProvider) SetLifetime(lifetime time.Duration) { p.set(func() { p.lifetime = lifetime }) }

// ChangeClaims sets a function that changes the claims of later ID tokens.
func (p *OIDCProvider) ChangeClaims(change func(claims map[string]any)) {
	p.set(func() { p.change = change })
}

// RespondToTokens sets a function that may replace the responses of the token endpoint.
func (p *OIDCProvider) RespondToTokens(respond func(w http.ResponseWriter) bool) {
	p.set(func() { p.tokens = respond })
}

// Revoked returns the refresh tokens that were revoked.
func (p *OIDCProvider) Revoked() (revoked []string) {
	p.set(func() { revoked = append(revoked, p.revoked...) })
	return revoked
}

func (p *OIDCProvider) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

// AddCode returns the code of an authorization request that a browser has made.
func (p *OIDCProvider) AddCode(request url.Values) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next++
	code := "code-" + strconv.Itoa(p.next)
	p.codes[code] = request
	return code
}

func (p *OIDCProvider) discovery(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, map[string]any{
		"issuer":                 p.URL,
		"authorization_endpoint": p.URL + "/authorize",
		"token_endpoint":         p.URL + "/token",
		"revocation_endpoint":    p.URL + "/revoke",
		"jwks_uri":               p.url + "/jwks",
		"scopes_supported":       []string{"openid", "offline_access"},
	})
}

// authorize redirects back with a code at once.
func (p *OIDCProvider) authorize(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	back := url.Values{"code": {p.AddCode(query)}, "state": {query.Get("state")}, "iss": {p.URL}}
	w.Header().Set("Location", query.Get("redirect_uri")+"?"+back.Encode())
	w.WriteHeader(http.StatusFound)
}

// token exchanges codes and refresh tokens, each once, as the standard requires.
func (p *OIDCProvider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tokens != nil && p.tokens(w) {
		return
	}
	id, secret, ok := r.BasicAuth()
	if !ok || id != OIDCClient || secret != url.QueryEscape(OIDCSecret) {
		writeOAuthError(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	nonce := ""
	switch r.PostFormValue("grant_type") {
	case "authorization_code":
		request, ok := p.codes[r.PostFormValue("code")]
		delete(p.codes, r.PostFormValue("code"))
		challenge := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
		if !ok || request.Get("redirect_uri") != r.PostFormValue("redirect_uri") ||
			request.Get("code_challenge_method") != "S256" ||
			request.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(challenge[:]) {
			writeOAuthError(w, http.StatusBadRequest, "invalid_grant")
			return
		}
		nonce = request.Get("nonce")
	case "refresh_token":
		if token := r.PostFormValue("refresh_token"); token == "" || token != p.refresh {
			writeOAuthError(w, http.StatusBadRequest, "invalid_grant")
			return
		}
	}
	p.next++
	p.refresh = "refresh-" + strconv.Itoa(p.next)
	claims := map[string]any{
		"iss": p.URL, "aud": OIDCClient, "sub": p.subject, "name": "Alice", "nonce": nonce,
		"iat": time.Now().Unix(), "exp": time.Now().Add(p.lifetime).Unix(), "n": p.next,
	}
	if p.change != nil {
		p.change(claims)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	writeJSON(w, map[string]any{
		"access_token": "opaque", "token_type": "Bearer", "expires_in": 60, "refresh_token": p.refresh,
		"id_token": SignToken(p.t, map[string]any{"alg": "EdDSA", "kid": "ed"}, string(payload), jwt.SigningMethodEdDSA,
			p.Ed25519Key),
	})
}

func (p *OIDCProvider) revoke(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.revoked = append(p.revoked, r.PostFormValue("token"))
	w.WriteHeader(http.StatusOK)
}

func writeJSON(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}

func writeOAuthError(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": code})
}
