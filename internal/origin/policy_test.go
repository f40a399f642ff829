package origin_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"errand/internal/origin"

	"github.com/stretchr/testify/require"
)

// serve sends a request for https://errand.example:8443 to a handler behind a policy that allows https://app.example
// and makes /open public. Headers are name, value pairs.
func serve(method, path string, headers ...string) *http.Response {
	policy := &origin.Policy{
		Allowed: func(origin string) bool { return origin == "https://app.example" },
		Public:  func(path string) bool { return path == "/open" },
		OnlyOwn: func(path string) bool { return path == "/own" },
		Refuse:  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
	}
	r := httptest.NewRequest(method, path, nil)
	r.Host = "errand.example:8443"
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	if host := r.Header.Get("Host"); host != "" {
		r.Host = host
	}
	w := httptest.NewRecorder()
	policy.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
	})).ServeHTTP(w, r)
	return w.Result()
}

func TestPolicy_Origins_ServedOrRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		headers []string
		served  bool
	}{
		"no Origin":               {nil, true},
		"empty Origin":            {[]string{"Origin", ""}, true},
		"allowed":                 {[]string{"Origin", "https://app.example"}, true},
		"own":                     {[]string{"Origin", "https://errand.example:8443"}, true},
		"own, TLS ends elsewhere": {[]string{"Origin", "http://errand.example:8443"}, true},
		"own, other case":         {[]string{"Origin", "https://Errand.example:8443"}, true},
		"own, default port":       {[]string{"Origin", "https://errand.example", "Host", "errand.example:443"}, true},
		"own, IPv6":               {[]string{"Origin", "http://[::1]", "Host", "[::1]:80"}, true},
		"own, Host replaced": {
			[]string{"Origin", "https://public.example", "Sec-Fetch-Site", "same-origin"}, true,
		},
		"other port":              {[]string{"Origin", "https://errand.example"}, false},
		"port of another scheme":  {[]string{"Origin", "http://errand.example", "Host", "errand.example:443"}, false},
		"other host":              {[]string{"Origin", "https://evil.example"}, false},
		"sibling":                 {[]string{"Origin", "https://www.errand.example", "Sec-Fetch-Site", "same-site"}, false},
		"other scheme of allowed": {[]string{"Origin", "http://app.example"}, false},
		"suffix":                  {[]string{"Origin", "https://errand.example:8443.evil.example"}, false},
		"user":                    {[]string{"Origin", "https://x@errand.example:8443"}, false},
		"null":                    {[]string{"Origin", "null"}, false},
		"null of a form":          {[]string{"Origin", "null", "Sec-Fetch-Site", "same-origin"}, false},
		"two": {
			[]string{"Origin", "https://app.example", "Origin", "https://evil.example"}, false,
		},
		"empty and other": {[]string{"Origin", "", "Origin", "https://evil.example"}, false},
	} {
		for _, method := range []string{"GET", "POST", "OPTIONS", "DELETE"} {
			response := serve(method, "/graphql", tc.headers...)
			require.Contains(t, response.Header.Values("Vary"), "Origin", name)
			require.Empty(t, response.Header.Get("Access-Control-Allow-Credentials"), name)
			if !tc.served {
				require.Equal(t, http.StatusForbidden, response.StatusCode, name)
				require.Empty(t, response.Header.Get("Access-Control-Allow-Origin"), name)
				continue
			}
			require.Equal(t, http.StatusTeapot, response.StatusCode, name)
			if tc.headers != nil {
				require.Equal(t, tc.headers[1], response.Header.Get("Access-Control-Allow-Origin"), name)
			}
		}
	}
}

func TestPolicy_Preflight_PermitsHeadersWithoutCredentials(t *testing.T) {
	response := serve("OPTIONS", "/any", "Origin", "https://app.example", "Access-Control-Request-Method", "POST",
		"Access-Control-Request-Headers", "authorization,baggage, Sentry-Trace , cookie,proxy-authorization,bad name,",
		"Access-Control-Request-Headers", "x-1")
	require.Equal(t, http.StatusNoContent, response.StatusCode)
	require.Equal(t, "https://app.example", response.Header.Get("Access-Control-Allow-Origin"))
	require.Equal(t, "authorization, baggage, sentry-trace, x-1", response.Header.Get("Access-Control-Allow-Headers"))
	require.Contains(t, response.Header.Get("Access-Control-Allow-Methods"), "POST")
	require.Equal(t, "7200", response.Header.Get("Access-Control-Max-Age"))
	require.Equal(t, []string{"Origin", "Access-Control-Request-Method, Access-Control-Request-Headers"},
		response.Header.Values("Vary"))

	response = serve("OPTIONS", "/any", "Origin", "https://evil.example", "Access-Control-Request-Method", "POST",
		"Access-Control-Request-Headers", "baggage")
	require.Equal(t, http.StatusForbidden, response.StatusCode)
	require.Empty(t, response.Header.Get("Access-Control-Allow-Methods"))
	require.Empty(t, response.Header.Get("Access-Control-Allow-Headers"))
	require.Len(t, response.Header.Values("Vary"), 2, "a cache must not give this to other pages")
}

func TestPolicy_Response_ExposesHeaders(t *testing.T) {
	exposed := serve("POST", "/any", "Origin", "https://app.example").Header.Get("Access-Control-Expose-Headers")
	for _, name := range []string{"X-Request-Id", "Retry-After", "WWW-Authenticate", "Mcp-Session-Id"} {
		require.Contains(t, exposed, name)
	}
}

func TestPolicy_PublicPath_AllowsEveryOrigin(t *testing.T) {
	for _, from := range []string{"https://evil.example", "null", "https://app.example"} {
		response := serve("GET", "/open", "Origin", from)
		require.Equal(t, http.StatusTeapot, response.StatusCode)
		require.Equal(t, "*", response.Header.Get("Access-Control-Allow-Origin"))
		response = serve("OPTIONS", "/open", "Origin", from, "Access-Control-Request-Method", "GET",
			"Access-Control-Request-Headers", "mcp-protocol-version")
		require.Equal(t, http.StatusNoContent, response.StatusCode)
		require.Equal(t, "mcp-protocol-version", response.Header.Get("Access-Control-Allow-Headers"))
	}
}

// TestPolicy_OnlyOwn_RefusesAllowedOrigins sends the requests that a listed origin may send elsewhere.
func TestPolicy_OnlyOwn_RefusesAllowedOrigins(t *testing.T) {
	preflight := []string{"Origin", "https://app.example", "Access-Control-Request-Method", "POST"}
	require.Equal(t, http.StatusForbidden, serve(http.MethodPost, "/own", "Origin", "https://app.example").StatusCode)
	require.Equal(t, http.StatusForbidden, serve(http.MethodOptions, "/own", preflight...).StatusCode)
	require.Equal(t, http.StatusNoContent, serve(http.MethodOptions, "/", preflight...).StatusCode)
	require.Equal(t, http.StatusForbidden, serve(http.MethodPost, "/own", "Origin", "null").StatusCode)
	require.Equal(t, http.StatusTeapot, serve(http.MethodPost, "/own", "Origin", "https://errand.example:8443").StatusCode)
	require.Equal(t, http.StatusTeapot, serve(http.MethodPost, "/own").StatusCode)
}

func TestSite_Request_OwnOriginAndURL(t *testing.T) {
	request := func(headers ...string) *http.Request {
		r := httptest.NewRequest(http.MethodPost, "/auth/sign-in", nil)
		r.URL.Scheme, r.Host = "http", "Errand.example:8080"
		for i := 0; i < len(headers); i += 2 {
			r.Header.Add(headers[i], headers[i+1])
		}
		return r
	}
	site := origin.Site{}
	require.Equal(t, "http://errand.example:8080", site.URL(request()))
	require.False(t, site.IsSecure(request()))
	require.False(t, site.IsOwn(request()))

	tls := request("Origin", "https://errand.example:8080")
	require.Equal(t, "https://errand.example:8080", site.Origin(tls), "behind a proxy that does not report the scheme")
	require.True(t, site.IsSecure(tls))
	require.True(t, site.IsOwn(tls))

	for _, foreign := range []string{"https://evil.example", "null", "https://errand.example:8080.evil.example"} {
		require.Equal(t, "http://errand.example:8080", site.Origin(request("Origin", foreign)))
		require.False(t, site.IsOwn(request("Origin", foreign)))
	}

	site.PublicURL = "https://example.com/errand"
	require.Equal(t, "https://example.com/errand", site.URL(tls))
	require.Equal(t, "/errand", site.Prefix())
	require.True(t, site.IsSecure(request()))
	require.True(t, site.IsOwn(request("Origin", "https://example.com")))
	require.False(t, site.IsOwn(request("Origin", "https://other.example")))
}
