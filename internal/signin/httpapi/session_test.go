package httpapi

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"errand/internal/apperr"

	"github.com/stretchr/testify/require"
)

// with returns a request with cookies, whose names and values alternate.
func with(r *http.Request, cookies ...string) *http.Request {
	for i := 0; i < len(cookies); i += 2 {
		r.AddCookie(&http.Cookie{Name: cookies[i], Value: cookies[i+1]})
	}
	return r
}

// cookieOf returns the cookie with a name that a response sets, nil if there is none.
func cookieOf(w *httptest.ResponseRecorder, name string) *http.Cookie {
	for _, cookie := range w.Result().Cookies() {
		if cookie.Name == name {
			return cookie
		}
	}
	return nil
}

func TestSignIn_Cookie_HasAttributesOfTheSite(t *testing.T) {
	for _, test := range []struct {
		publicURL, scheme, path string
		secure                  bool
	}{
		{"", "http", "/auth/", false},
		{"", "https", "/auth/", true},
		{"http://tasks.example", "http", "/auth/", false},
		{"https://tasks.example/errand", "http", "/errand/auth/", true},
	} {
		r := request("sign-in", `{"login":"ada","password":"p"}`)
		r.URL.Scheme = test.scheme
		w := serve(newHandler(&fakeAccounts{}, test.publicURL), r)
		require.Equal(t, http.StatusOK, w.Code)
		require.JSONEq(t, `{"accessToken": "access", "expiresAt": "1970-01-01T00:00:01Z",
			"user": {"login": "", "name": "", "role": ""}}`, w.Body.String(), "not the refresh token")
		cookie := cookieOf(w, refreshCookie)
		require.Equal(t, "fresh", cookie.Value)
		require.Equal(t, test.path, cookie.Path)
		require.Equal(t, test.secure, cookie.Secure)
		require.True(t, cookie.HttpOnly)
		require.Equal(t, http.SameSiteStrictMode, cookie.SameSite)
		require.Empty(t, cookie.Domain)
		require.InDelta(t, 3600, cookie.MaxAge, 5)
	}
}

func TestSignIn_EarlierSessions_AreEnded(t *testing.T) {
	accounts := &fakeAccounts{}
	r := with(request("sign-in", `{"login":"ada"}`), refreshCookie, "planted", refreshCookie, "", "errand_oidc", "old",
		"errand_oidc_1", "old")
	r.RemoteAddr = "192.0.2.1:5000"
	w := serve(newHandler(accounts, ""), r)
	require.Equal(t, []string{"planted"}, accounts.signedOut)
	require.Equal(t, []string{"sign-in ada from 192.0.2.1"}, accounts.calls)
	require.Equal(t, "fresh", cookieOf(w, refreshCookie).Value)
	require.Equal(t, -1, cookieOf(w, "errand_oidc").MaxAge)
	require.Equal(t, -1, cookieOf(w, "errand_oidc_1").MaxAge)

	accounts = &fakeAccounts{err: apperr.New(apperr.Unauthenticated, "wrong")}
	w = serve(newHandler(accounts, ""), with(request("sign-in", `{"login":"ada"}`), refreshCookie, "own"))
	require.Empty(t, accounts.signedOut, "a failed sign-in ends nothing")
	require.Empty(t, w.Result().Cookies())
}

func TestRefresh_Cookies_TriedRemovedOrKept(t *testing.T) {
	accounts := &fakeAccounts{}
	h := newHandler(accounts, "")
	w := serve(h, request("refresh", "{}"))
	require.Equal(t, http.StatusUnauthorized, w.Code)
	require.Empty(t, w.Result().Cookies(), "there is none to remove")

	w = serve(h, with(request("refresh", "{}"), refreshCookie, "bad", refreshCookie, "good"))
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, "fresh", cookieOf(w, refreshCookie).Value)

	accounts.calls = nil
	w = serve(h, with(request("refresh", "{}"), refreshCookie, "1", refreshCookie, "2", refreshCookie, "3",
		refreshCookie, "good"))
	require.Equal(t, http.StatusUnauthorized, w.Code)
	require.Len(t, accounts.calls, maxRefreshCookies)
	require.Equal(t, -1, cookieOf(w, refreshCookie).MaxAge)

	accounts.err = apperr.Wrap(errors.New("database"), apperr.Unavailable, "later")
	w = serve(h, with(request("refresh", "{}"), refreshCookie, "good", "errand_oidc", "x"))
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Empty(t, w.Result().Cookies(), "a session that could not be checked is kept")
}

func TestSignOut_Cookies_AreRemoved(t *testing.T) {
	accounts := &fakeAccounts{}
	h := newHandler(accounts, "")
	w := serve(h, request("sign-out", "{}"))
	require.Equal(t, http.StatusNoContent, w.Code)
	require.Empty(t, w.Result().Cookies())
	w = serve(h, with(request("sign-out", `{"everywhere":true}`), refreshCookie, "a", refreshCookie, "b"))
	require.Equal(t, http.StatusNoContent, w.Code)
	require.Equal(t, []string{"a", "b"}, accounts.signedOut)
	require.Equal(t, -1, cookieOf(w, refreshCookie).MaxAge)

	accounts.err = apperr.Wrap(errors.New("database"), apperr.Unavailable, "later")
	w = serve(h, with(request("sign-out", "{}"), refreshCookie, "a"))
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Empty(t, w.Result().Cookies(), "the page can try again")
}

func TestOIDC_FailedCallback_KeepsTheAccountsCookie(t *testing.T) {
	r := with(request("callback?code=c&state=s", ""), refreshCookie, "good")
	r.Method = http.MethodGet
	w := serve(newHandler(&fakeAccounts{}, ""), r)
	require.Equal(t, "/#/sign-in?error=sign_in_expired", w.Header().Get("Location"))
	require.Nil(t, cookieOf(w, refreshCookie))
}
