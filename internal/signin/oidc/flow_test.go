package oidc

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"errand/internal/apperr"
	"errand/internal/auth"
	"errand/internal/origin"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
)

const testIssuer = "https://id.example"

// fixture is a Flow with a provider whose token endpoint returns token, and a clock.
type fixture struct {
	*Flow
	provider auth.Provider
	// token is the claims of the next ID token, and exchanged the last request to the token endpoint.
	token     map[string]any
	exchanged url.Values
	status    int
	now       time.Time
	down      error
}

func newFixture(t *testing.T, publicURL string) *fixture {
	t.Helper()
	f := &fixture{now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC), status: http.StatusOK}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		f.exchanged = r.PostForm
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(f.status)
		_ = json.NewEncoder(w).Encode(map[string]any{
			"access_token": "opaque", "token_type": "Bearer", "id_token": unsigned(f.token), "refresh_token": "r1",
		})
	}))
	t.Cleanup(server.Close)
	f.provider = auth.Provider{Issuer: testIssuer, Authorization: testIssuer + "/authorize", Token: server.URL}
	f.Flow = New(Options{
		Issuer:    testIssuer,
		ClientID:  "errand",
		Discovery: f,
		Verifier:  f,
		Sealer:    plainSealer{},
		Site:      origin.Site{PublicURL: publicURL},
		Log:       slog.New(slog.DiscardHandler),
		Now:       func() time.Time { return f.now },
	})
	t.Cleanup(f.client.CloseIdleConnections)
	return f
}

// Provider implements Discovery.
func (f *fixture) Provider(context.Context) (auth.Provider, error) { return f.provider, f.down }

// Verify implements auth.Verifier. It accepts the tokens of unsigned.
func (f *fixture) Verify(_ context.Context, token string) (auth.Claims, error) {
	var claims struct{ Iss, Sub string }
	payload, err := base64.RawURLEncoding.DecodeString(part(token, 1))
	if err != nil || json.Unmarshal(payload, &claims) != nil || claims.Sub == "" {
		return auth.Claims{}, apperr.New(apperr.Unauthenticated, "no")
	}
	return auth.Claims{Issuer: claims.Iss, Subject: claims.Sub, ExpiresAt: f.now.Add(time.Hour)}, nil
}

func unsigned(claims map[string]any) string {
	text, _ := json.Marshal(claims)
	return "e30." + base64.RawURLEncoding.EncodeToString(text) + ".c2ln"
}

// plainSealer prefixes the purpose and encrypts nothing.
type plainSealer struct{}

func (plainSealer) Seal(_ context.Context, purpose string, plaintext []byte) (string, error) {
	return base64.RawURLEncoding.EncodeToString(append([]byte(purpose+"|"), plaintext...)), nil
}

func (plainSealer) Unseal(_ context.Context, purpose, sealed string) ([]byte, error) {
	text, err := base64.RawURLEncoding.DecodeString(sealed)
	plain, ok := strings.CutPrefix(string(text), purpose+"|")
	if err != nil || !ok {
		return nil, apperr.New(apperr.Unauthenticated, "no")
	}
	return []byte(plain), nil
}

// begin begins a sign-in, and returns the query of the redirect and the cookie of the attempt.
func (f *fixture) begin(t *testing.T, address string) (url.Values, *http.Cookie) {
	t.Helper()
	w := httptest.NewRecorder()
	f.Begin(w, httptest.NewRequest(http.MethodGet, address, nil))
	require.Equal(t, http.StatusFound, w.Code)
	to, err := url.Parse(w.Header().Get("Location"))
	require.NoError(t, err)
	require.Equal(t, f.provider.Authorization, to.Scheme+"://"+to.Host+to.Path)
	cookies := w.Result().Cookies()
	require.Len(t, cookies, 1)
	return to.Query(), cookies[0]
}

// finish calls the callback, and returns its response and whether the sign-in succeeded.
func (f *fixture) finish(query url.Values, cookies ...*http.Cookie) (*http.Response, bool) {
	r := httptest.NewRequest(http.MethodGet, CallbackPath+"?"+query.Encode(), nil)
	for _, cookie := range cookies {
		r.AddCookie(cookie)
	}
	w, signedIn := httptest.NewRecorder(), false
	f.Callback(w, r, func() { signedIn = true })
	return w.Result(), signedIn
}

func TestBegin_Cookie_HasAttributesOfTheSite(t *testing.T) {
	for _, test := range []struct {
		publicURL, address, redirect, path string
		secure                             bool
	}{
		{"", "http://localhost:8080/auth/oidc", "http://localhost:8080/auth/callback", "/auth/", false},
		{"", "https://tasks.example/auth/oidc", "https://tasks.example/auth/callback", "/auth/", true},
		{
			"https://tasks.example/errand", "http://10.0.0.1:8080/auth/oidc",
			"https://tasks.example/errand/auth/callback", "/errand/auth/", true,
		},
	} {
		f := newFixture(t, test.publicURL)
		query, cookie := f.begin(t, test.address)
		require.Equal(t, test.redirect, query.Get("redirect_uri"))
		require.Equal(t, "code", query.Get("response_type"))
		require.Equal(t, "S256", query.Get("code_challenge_method"))
		require.Equal(t, "openid profile email", query.Get("scope"))
		require.NotEmpty(t, query.Get("nonce"))
		require.Equal(t, "errand_oidc_state", cookie.Name)
		require.Equal(t, test.path, cookie.Path)
		require.Equal(t, test.secure, cookie.Secure)
		require.True(t, cookie.HttpOnly)
		require.Equal(t, http.SameSiteLaxMode, cookie.SameSite, "the provider's redirect comes from another site")
		require.Equal(t, int(attemptTTL/time.Second), cookie.MaxAge)
		require.Empty(t, cookie.Domain)
	}
}

func TestBegin_OfflineAccess_RequestedWhereOffered(t *testing.T) {
	f := newFixture(t, "")
	query, _ := f.begin(t, "http://localhost/auth/oidc")
	require.Equal(t, "offline", query.Get("access_type"))
	f.provider.Scopes = []string{"openid", "offline_access"}
	query, _ = f.begin(t, "http://localhost/auth/oidc")
	require.Contains(t, query.Get("scope"), "offline_access")
	require.Empty(t, query.Get("access_type"))
	f.down = errors.New("down")
	w := httptest.NewRecorder()
	f.Begin(w, httptest.NewRequest(http.MethodGet, "http://localhost/auth/oidc", nil))
	require.Equal(t, "/#/sign-in?error=provider_unavailable", w.Header().Get("Location"))
	require.Empty(t, w.Result().Cookies())
}

func TestCallback_OwnResponse_SetsTheSession(t *testing.T) {
	f := newFixture(t, "https://tasks.example/errand")
	query, cookie := f.begin(t, "https://tasks.example/errand/auth/oidc")
	f.token = map[string]any{"iss": testIssuer, "sub": "u1", "nonce": query.Get("nonce")}
	response, ok := f.finish(url.Values{"code": {"c"}, "state": query["state"], "iss": {testIssuer}}, cookie)
	require.True(t, ok)
	require.Equal(t, "/errand/", response.Header.Get("Location"))
	require.Equal(t, "no-referrer", response.Header.Get("Referrer-Policy"))
	require.Equal(t, "c", f.exchanged.Get("code"))
	require.Equal(t, query.Get("redirect_uri"), f.exchanged.Get("redirect_uri"))
	require.Equal(t, query.Get("code_challenge"), oauth2.S256ChallengeFromVerifier(f.exchanged.Get("code_verifier")))
	cookies := response.Cookies()
	require.Len(t, cookies, 2)
	require.Equal(t, []any{"errand_oidc_state", -1}, []any{cookies[0].Name, cookies[0].MaxAge}, "it is used up")
	session := cookies[1]
	require.Equal(t, "errand_oidc", session.Name)
	require.Equal(t, "/errand/auth/", session.Path)
	require.True(t, session.Secure && session.HttpOnly)
	require.Equal(t, http.SameSiteStrictMode, session.SameSite)
	require.Equal(t, int(sessionTTL/time.Second), session.MaxAge)
}

func TestCallback_ForeignResponses_Refused(t *testing.T) {
	type response struct {
		query  url.Values
		cookie *http.Cookie
		extra  *http.Cookie
	}
	for name, test := range map[string]struct {
		change func(f *fixture, r *response)
		want   string
	}{
		"no cookie":          {func(_ *fixture, r *response) { r.cookie.Name = "other" }, CodeExpired},
		"two cookies":        {func(_ *fixture, r *response) { r.extra = r.cookie }, CodeExpired},
		"changed cookie":     {func(_ *fixture, r *response) { r.cookie.Value = "x" + r.cookie.Value }, CodeExpired},
		"cookie of sessions": {func(_ *fixture, r *response) { r.cookie.Value = resealed(r.cookie.Value) }, CodeExpired},
		"too late":           {func(f *fixture, _ *response) { f.now = f.now.Add(attemptTTL) }, CodeExpired},
		"no state":           {func(_ *fixture, r *response) { r.query.Del("state") }, CodeExpired},
		"empty state":        {func(_ *fixture, r *response) { r.query.Set("state", "") }, CodeExpired},
		"another state":      {func(_ *fixture, r *response) { r.query.Set("state", "x") }, CodeExpired},
		"two states":         {func(_ *fixture, r *response) { r.query.Add("state", "x") }, CodeExpired},
		"refused":            {func(_ *fixture, r *response) { r.query.Set("error", "access_denied") }, CodeDenied},
		"another error":      {func(_ *fixture, r *response) { r.query.Set("error", "<script>") }, CodeRejected},
		"another issuer":     {func(_ *fixture, r *response) { r.query.Set("iss", testIssuer+"/") }, CodeRejected},
		"no code":            {func(_ *fixture, r *response) { r.query.Del("code") }, CodeRejected},
		"two codes":          {func(_ *fixture, r *response) { r.query.Add("code", "d") }, CodeRejected},
		"provider down":      {func(f *fixture, _ *response) { f.down = errors.New("down") }, CodeUnavailable},
		"code refused":       {func(f *fixture, _ *response) { f.status = http.StatusBadRequest }, CodeRejected},
		"provider fails":     {func(f *fixture, _ *response) { f.status = http.StatusBadGateway }, CodeUnavailable},
		"no nonce":           {func(f *fixture, _ *response) { delete(f.token, "nonce") }, CodeRejected},
		"another nonce":      {func(f *fixture, _ *response) { f.token["nonce"] = "x" }, CodeRejected},
		"another's token":    {func(f *fixture, _ *response) { f.token["iss"] = "https://other.example" }, CodeRejected},
		"no subject":         {func(f *fixture, _ *response) { delete(f.token, "sub") }, CodeRejected},
	} {
		f := newFixture(t, "")
		query, cookie := f.begin(t, "http://localhost/auth/oidc")
		f.token = map[string]any{"iss": testIssuer, "sub": "u1", "nonce": query.Get("nonce")}
		r := response{query: url.Values{"code": {"c"}, "state": query["state"]}, cookie: cookie}
		test.change(f, &r)
		cookies := []*http.Cookie{r.cookie}
		if r.extra != nil {
			cookies = append(cookies, r.extra)
		}
		answer, ok := f.finish(r.query, cookies...)
		require.False(t, ok, name)
		require.Equal(t, "/#/sign-in?error="+test.want, answer.Header.Get("Location"), name)
		require.Len(t, answer.Cookies(), 1, "%s: only the attempt is removed", name)
		require.Equal(t, -1, answer.Cookies()[0].MaxAge, name)
	}
}

// resealed returns the text of a cookie sealed for the purpose of a session.
func resealed(value string) string {
	text, _ := base64.RawURLEncoding.DecodeString(value)
	sealed, _ := plainSealer{}.Seal(context.Background(), sessionCookie, text)
	return sealed
}

func TestSession_Cookies_SplitAndRemoved(t *testing.T) {
	f := newFixture(t, "")
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/auth/refresh", nil)
	s := session{
		Subject: "u1",
		Token:   strings.Repeat("t", 6000),
		Expires: f.now.Add(time.Hour),
		Ends:    f.now.Add(sessionTTL),
	}
	require.NoError(t, f.setSession(w, r, s))
	cookies := w.Result().Cookies()
	require.Len(t, cookies, 3)
	for i, cookie := range cookies {
		require.Equal(t, partName(i), cookie.Name)
		require.LessOrEqual(t, len(cookie.Value), maxCookieBytes)
		r.AddCookie(cookie)
	}
	token, err := f.Refresh(httptest.NewRecorder(), r)
	require.NoError(t, err)
	require.Equal(t, s.Token, token.AccessToken)

	w = httptest.NewRecorder()
	f.ClearSession(w, r)
	require.Len(t, w.Result().Cookies(), 3)
	for _, cookie := range w.Result().Cookies() {
		require.Equal(t, -1, cookie.MaxAge)
	}
	s.Token = strings.Repeat("t", maxParts*maxCookieBytes)
	require.ErrorContains(t, f.setSession(httptest.NewRecorder(), r, s), "more than cookies may hold")
	f.now = s.Ends
	_, err = f.Refresh(httptest.NewRecorder(), r)
	require.Equal(t, apperr.Unauthenticated, apperr.CodeOf(err), "after 90 days")
}
