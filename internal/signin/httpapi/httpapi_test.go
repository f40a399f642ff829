package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"errand/internal/apperr"
	"errand/internal/auth"
	"errand/internal/origin"
	"errand/internal/refusal"
	"errand/internal/signin"
	"errand/internal/signin/oidc"

	"github.com/stretchr/testify/require"
)

// fakeAccounts returns err from the methods that the tests call, or a session. The others are not implemented.
type fakeAccounts struct {
	Accounts
	err       error
	signedOut []string
	calls     []string
}

func (a *fakeAccounts) session(call string) (*signin.Session, error) {
	a.calls = append(a.calls, call)
	if a.err != nil {
		return nil, a.err
	}
	return &signin.Session{
		ID:             "s1",
		AccessToken:    "access",
		ExpiresAt:      time.Unix(1, 0).UTC(),
		RefreshToken:   "fresh",
		RefreshExpires: time.Now().Add(time.Hour),
	}, nil
}

// SignIn implements Accounts.
func (a *fakeAccounts) SignIn(_ context.Context, from signin.Caller, login, _ string) (*signin.Session, error) {
	return a.session("sign-in " + login + " from " + from.Address)
}

// Refresh implements Accounts. Only the token "good" is that of a session.
func (a *fakeAccounts) Refresh(_ context.Context, token string) (*signin.Session, error) {
	if token != "good" && a.err == nil {
		a.calls = append(a.calls, "refresh "+token)
		return nil, apperr.New(apperr.Unauthenticated, "ended")
	}
	return a.session("refresh " + token)
}

// SignOut implements Accounts.
func (a *fakeAccounts) SignOut(_ context.Context, token string, _ bool) error {
	a.signedOut = append(a.signedOut, token)
	return a.err
}

// EndSession implements Accounts.
func (a *fakeAccounts) EndSession(_ context.Context, id string) error {
	a.calls = append(a.calls, "end "+id)
	return a.err
}

// Invite implements Accounts.
func (a *fakeAccounts) Invite(context.Context) (*signin.NewLink, error) {
	return &signin.NewLink{Token: "link"}, a.err
}

func newHandler(accounts *fakeAccounts, publicURL string) *Handler {
	log := slog.New(slog.DiscardHandler)
	site := origin.Site{PublicURL: publicURL}
	return New(Options{
		Accounts: accounts,
		OIDC:     oidc.New(oidc.Options{Discovery: noProvider{}, Site: site, Log: log, Now: time.Now}),
		Site:     site,
		Authenticate: func(ctx context.Context, token string) (context.Context, string, time.Time, error) {
			if token != "valid" {
				return ctx, "", time.Time{}, apperr.New(apperr.Unauthenticated, "The token is not valid.")
			}
			return ctx, "user", time.Time{}, nil
		},
		Refusals: refusal.NewRecorder(log, func(refusal.Surface, refusal.Transport, refusal.Reason) {}),
		Log:      log,
	})
}

// noProvider is an OpenID Connect provider that cannot be reached.
type noProvider struct{}

// Provider implements oidc.Discovery.
func (noProvider) Provider(context.Context) (auth.Provider, error) {
	return auth.Provider{}, errors.New("down")
}

// request returns a POST request of the page with a JSON body.
func request(path, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "http://localhost:8080"+Path+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return r
}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// errorOf returns the error of a response.
func errorOf(t *testing.T, w *httptest.ResponseRecorder) map[string]any {
	t.Helper()
	var body struct{ Error map[string]any }
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &body), w.Body)
	require.NotEmpty(t, body.Error["message"])
	return body.Error
}

func TestHandler_OtherMethods_NotAllowed(t *testing.T) {
	h := newHandler(&fakeAccounts{}, "")
	for path, allowed := range map[string]string{
		"sign-in": "POST", "refresh": "POST", "sign-out": "POST", "link": "POST", "redeem": "POST",
		"passkeys/sign-in/options": "POST", "passkeys/sign-in": "POST", "passkeys/options": "POST", "passkeys": "POST",
		"passkeys/p1": "DELETE", "sessions/s1": "DELETE", "password": "POST", "invitations": "POST",
		"account": "GET", "users": "GET",
	} {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
			r := request(path, "[]") // refused by those that accept the method
			r.Method = method
			w := serve(h, r)
			require.Equal(t, "no-store", w.Header().Get("Cache-Control"), path)
			if method == allowed {
				require.NotEqual(t, http.StatusMethodNotAllowed, w.Code, path)
				continue
			}
			require.Equal(t, http.StatusMethodNotAllowed, w.Code, "%s %s", method, path)
			require.Equal(t, allowed, w.Header().Get("Allow"))
			require.Equal(t, "BAD_USER_INPUT", errorOf(t, w)["code"])
		}
	}
}

func TestHandler_UnknownPathsAndDisabledSignIns_NotFound(t *testing.T) {
	h := newHandler(&fakeAccounts{}, "")
	for _, path := range []string{"", "x", "sign-in/", "passkeys/a/b", "sessions/"} {
		w := serve(h, request(path, "{}"))
		require.Equal(t, http.StatusNotFound, w.Code, path)
		require.Equal(t, "NOT_FOUND", errorOf(t, w)["code"])
	}
	h.Accounts = nil
	without := New(Options{OIDC: h.OIDC, Site: h.Site, Refusals: h.Refusals, Log: h.Log})
	for _, path := range []string{"sign-in", "link", "redeem", "account", "users", "jwks.json", "passkeys"} {
		require.Equal(t, http.StatusNotFound, serve(without, request(path, "{}")).Code, path)
	}
	require.Equal(t, http.StatusUnauthorized, serve(without, request("refresh", "{}")).Code)
}

func TestHandler_ContentTypes_OnlyJSON(t *testing.T) {
	accounts := &fakeAccounts{}
	h := newHandler(accounts, "")
	for _, types := range [][]string{
		nil,
		{""},
		{"text/plain"},
		{"application/x-www-form-urlencoded"},
		{"multipart/form-data"},
		{"application/jsonp"},
		{"application/json", "text/plain"},
		{"application/json, text/plain"},
		{"application/json;"},
		{"json"},
	} {
		r := request("sign-in", `{"login":"ada","password":"p"}`)
		r.Header["Content-Type"] = types
		w := serve(h, r)
		if len(types) == 1 && types[0] == "application/json;" {
			require.Equal(t, http.StatusOK, w.Code, "parameters may be empty")
			continue
		}
		require.Equal(t, http.StatusUnsupportedMediaType, w.Code, types)
		require.Equal(t, "BAD_USER_INPUT", errorOf(t, w)["code"])
	}
	require.Len(t, accounts.calls, 1)
	r := request("sign-in", `{"login":"ada","password":"p"}`)
	r.Header.Set("Content-Type", "Application/JSON; charset=utf-8")
	require.Equal(t, http.StatusOK, serve(h, r).Code)
	r = request("sessions/s1", "")
	r.Method = http.MethodDelete
	r.Header = http.Header{"Authorization": {"Bearer valid"}}
	require.Equal(t, http.StatusUnsupportedMediaType, serve(h, r).Code, "pages of other sites cannot delete either")
}

func TestHandler_Bodies_OneObjectWithKnownMembers(t *testing.T) {
	accounts := &fakeAccounts{}
	h := newHandler(accounts, "")
	for body, want := range map[string]int{
		"": 400, "{": 400, "[]": 400, `"x"`: 400, `{"login":7}`: 400, `{"login":"a","admin":true}`: 400,
		`{"login":"a"}{}`: 400, `{"login":"a"} x`: 400, `{"login":"a"}` + "\n": 200, "null": 200,
		`{"login":"` + strings.Repeat("a", maxBodyBytes) + `"}`: 413,
	} {
		w := serve(h, request("sign-in", body))
		require.Equal(t, want, w.Code, "%.40s", body)
		if want != http.StatusOK {
			require.Equal(t, "BAD_USER_INPUT", errorOf(t, w)["code"])
		}
	}
	require.Len(t, accounts.calls, 2)
}

func TestHandler_Errors_HaveStatusAndMembers(t *testing.T) {
	limited := apperr.New(apperr.RateLimited, "Too many.")
	limited.RetryAfter = 1500 * time.Millisecond
	for _, test := range []struct {
		err    error
		status int
		member string
		want   any
	}{
		{apperr.New(apperr.Unauthenticated, "no"), 401, "code", "UNAUTHENTICATED"},
		{apperr.New(apperr.Forbidden, "no"), 403, "code", "FORBIDDEN"},
		{apperr.New(apperr.NotFound, "no"), 404, "code", "NOT_FOUND"},
		{apperr.New(apperr.Conflict, "no"), 409, "code", "CONFLICT"},
		{apperr.Invalid("login", "no"), 400, "field", "login"},
		{limited, 429, "retryAfterMs", float64(1500)},
		{apperr.Wrap(errors.New("secret"), apperr.Unavailable, "later"), 503, "code", "SERVICE_UNAVAILABLE"},
		{errors.New("secret"), 500, "code", "INTERNAL_SERVER_ERROR"},
	} {
		w := serve(newHandler(&fakeAccounts{err: test.err}, ""), request("sign-in", `{"login":"ada"}`))
		require.Equal(t, test.status, w.Code, test.err)
		require.Equal(t, test.want, errorOf(t, w)[test.member], test.err)
		require.NotContains(t, w.Body.String(), "secret")
		require.Equal(t, test.status == 429, w.Header().Get("Retry-After") == "2", "seconds, rounded up")
		require.Empty(t, w.Result().Cookies(), test.err)
	}
}

func TestHandler_SettingsOfAnAccount_NeedAToken(t *testing.T) {
	accounts := &fakeAccounts{}
	h := newHandler(accounts, "")
	end := func(authorization ...string) *httptest.ResponseRecorder {
		r := request("sessions/s1", "")
		r.Method = http.MethodDelete
		r.AddCookie(&http.Cookie{Name: refreshCookie, Value: "good"})
		r.Header["Authorization"] = authorization
		return serve(h, r)
	}
	for _, authorization := range [][]string{
		nil, {""}, {"Bearer"}, {"Bearer x"}, {"Basic dmFsaWQ="}, {"valid"}, {"Bearer valid", "Bearer valid"},
	} {
		w := end(authorization...)
		require.Equal(t, http.StatusUnauthorized, w.Code, authorization)
		require.Equal(t, `Bearer realm="errand"`, w.Header().Get("WWW-Authenticate"))
	}
	require.Empty(t, accounts.calls)
	require.Equal(t, http.StatusNoContent, end("Bearer valid").Code)
	require.Equal(t, []string{"end s1"}, accounts.calls)
}

func TestInvite_URL_IsThatOfTheSite(t *testing.T) {
	for publicURL, want := range map[string]string{
		"":                              "http://localhost:8080/#/join/link",
		"https://tasks.example.org/app": "https://tasks.example.org/app/#/join/link",
	} {
		r := request("invitations", "{}")
		r.Header.Set("Authorization", "Bearer valid")
		w := serve(newHandler(&fakeAccounts{}, publicURL), r)
		require.Equal(t, http.StatusCreated, w.Code)
		require.JSONEq(t, `{"url": "`+want+`", "expiresAt": null}`, w.Body.String())
	}
}
