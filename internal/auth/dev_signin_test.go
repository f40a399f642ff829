package auth

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var loopbackListener = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080}

func newDevSignInHandler(t *testing.T) (*Service, http.Handler) {
	t.Helper()
	a := newTestService(t, newFakeClock(), devEnviron(t))
	h, err := a.DevSignInHandler(loopbackListener, nil)
	require.NoError(t, err)
	return a, h
}

// newDevSignInRequest returns a request that is accepted.
func newDevSignInRequest(body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, DevSignInPath, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.RemoteAddr, r.Host = "127.0.0.1:50000", "localhost:8080"
	return r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(loopbackListener)))
}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestDevSignIn_Listener_ReturnsToken(t *testing.T) {
	a, h := newDevSignInHandler(t)
	server := httptest.NewServer(h)
	defer server.Close()
	response, err := server.Client().
		Post(server.URL+DevSignInPath, "application/json", strings.NewReader(`{"user":"alice"}`))
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Equal(t, "no-store", response.Header.Get("Cache-Control"))

	var answer map[string]string
	require.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
	require.Equal(t, "alice", answer["user"])
	require.Equal(t, testStart.Add(DevTokenTTL).Format(time.RFC3339), answer["expiresAt"])
	require.Len(t, answer, 3)
	claims, err := a.Verifier(GraphQL).Verify(t.Context(), answer["token"])
	require.NoError(t, err)
	require.Equal(t, "alice", claims.Subject)
}

func TestDevSignIn_NotThisMachine_Forbidden(t *testing.T) {
	_, h := newDevSignInHandler(t)
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Add(name, value) }
	}
	local := func(addr net.Addr) func(*http.Request) {
		return func(r *http.Request) {
			*r = *r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, addr))
		}
	}
	for name, change := range map[string]func(*http.Request){
		"public listener":    local(&net.TCPAddr{IP: net.IPv4(192, 168, 1, 2), Port: 8080}),
		"unknown listener":   local(nil),
		"unix socket":        local(&net.UnixAddr{Name: "/run/x"}),
		"other machine":      func(r *http.Request) { r.RemoteAddr = "192.168.1.7:5000" },
		"unknown peer":       func(r *http.Request) { r.RemoteAddr = "" },
		"Forwarded":          header("Forwarded", "for=1.2.3.4"),
		"X-Forwarded-For":    header("X-Forwarded-For", "1.2.3.4"),
		"X-Forwarded-Host":   header("x-forwarded-host", "localhost"),
		"X-Forwarded-Proto":  header("X-Forwarded-Proto", "http"),
		"X-Real-IP":          header("X-Real-IP", "127.0.0.1"),
		"Via":                header("Via", "1.1 proxy"),
		"X-Forwarded":        header("X-Forwarded", "for=1.2.3.4"),
		"Forwarded, empty":   header("forwarded", ""),
		"Kubernetes":         header("X-Original-Forwarded-For", "1.2.3.4"),
		"Cloudflare":         header("CF-Connecting-IP", "1.2.3.4"),
		"a CDN":              header("CDN-Loop", "x"),
		"Akamai":             header("True-Client-IP", "1.2.3.4"),
		"Envoy":              header("x-envoy-external-address", "1.2.3.4"),
		"AWS":                header("X-Amzn-Trace-Id", "Root=1"),
		"Tailscale":          header("Tailscale-User-Login", "eve@example.com"),
		"bare nginx":         func(r *http.Request) { r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/1.0", 1, 0 },
		"rebound name":       func(r *http.Request) { r.Host = "evil.example:8080" },
		"name like loopback": func(r *http.Request) { r.Host = "127.0.0.1.nip.io:8080" },
		"name below it":      func(r *http.Request) { r.Host = "localhost.evil.example" },
		"any address":        func(r *http.Request) { r.Host = "0.0.0.0:8080" },
		"no Host":            func(r *http.Request) { r.Host = "" },
		"other site's page":  header("Origin", "https://evil.example"),
		"opaque page":        header("Origin", "null"),
		"page like loopback": header("Origin", "http://localhost.evil.example"),
		"second Origin": func(r *http.Request) {
			r.Header["Origin"] = []string{"http://localhost:3000", "https://evil.example"}
		},
	} {
		r := newDevSignInRequest(`{"user":"alice"}`)
		change(r)
		w := serve(h, r)
		require.Equal(t, http.StatusForbidden, w.Code, name)
		require.Contains(t, w.Body.String(), `"code":"FORBIDDEN"`, name)
		require.NotContains(t, w.Body.String(), "token", name)
	}
	for name, change := range map[string]func(*http.Request){
		"own page":   header("Origin", "http://127.0.0.1:3000"),
		"IPv6":       func(r *http.Request) { r.Host, r.RemoteAddr = "[::1]:8080", "[::1]:5000" },
		"bare Host":  func(r *http.Request) { r.Host = "localhost" },
		"bare IPv6":  func(r *http.Request) { r.Host = "[::1]" },
		"IPv4 Host":  func(r *http.Request) { r.Host = "127.0.0.1:8080" },
		"mixed case": func(r *http.Request) { r.Host = "LocalHost:8080" },
	} {
		r := newDevSignInRequest(`{"user":"alice"}`)
		change(r)
		require.Equal(t, http.StatusOK, serve(h, r).Code, name)
	}
}

func TestDevSignIn_InvalidRequests_Rejected(t *testing.T) {
	_, h := newDevSignInHandler(t)
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodOptions} {
		r := newDevSignInRequest(`{"user":"alice"}`)
		r.Method = method
		w := serve(h, r)
		require.Equal(t, http.StatusMethodNotAllowed, w.Code)
		require.Equal(t, "POST", w.Header().Get("Allow"))
	}
	for _, contentType := range []string{"", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"} {
		r := newDevSignInRequest(`{"user":"alice"}`)
		r.Header.Set("Content-Type", contentType)
		require.Equal(t, http.StatusUnsupportedMediaType, serve(h, r).Code, contentType)
	}
	for _, body := range []string{
		"", "{}", "[]", `{"user":7}`, `{"user":"a b"}`, `{"user":"a","admin":true}`, `{"user":"a"}{}`,
		`{"user":"` + strings.Repeat("a", maxDevSignInBytes) + `"}`,
	} {
		w := serve(h, newDevSignInRequest(body))
		require.Equal(t, http.StatusBadRequest, w.Code, body)
		require.Contains(t, w.Body.String(), `"code":"BAD_USER_INPUT"`)
	}
}

func TestDevSignInHandler_DisabledOrNotLoopback_Error(t *testing.T) {
	dev := newTestService(t, newFakeClock(), devEnviron(t))
	for _, bound := range []net.Addr{
		nil,
		&net.TCPAddr{IP: net.IPv4zero, Port: 80},
		&net.TCPAddr{IP: net.IPv6zero, Port: 80},
		&net.TCPAddr{Port: 80},
	} {
		_, err := dev.DevSignInHandler(bound, nil)
		require.ErrorIs(t, err, errNoDevSignIn)
	}
	_, err := newTestService(
		t,
		newFakeClock(),
		environ{"BETTER_AUTH_SECRET": testSecret},
	).DevSignInHandler(loopbackListener, nil)
	require.ErrorIs(t, err, errNoDevSignIn)
}
