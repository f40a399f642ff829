package graphqlhttp_test

import (
	"testing"

	"errand/internal/graphqlhttp"

	"github.com/stretchr/testify/require"
)

func origins(t *testing.T, list ...string) func(*serverOptions) {
	return func(o *serverOptions) {
		var err error
		o.HTTP.Origins, err = graphqlhttp.NewOrigins(list)
		require.NoError(t, err)
	}
}

func TestNewOrigins_Invalid_Error(t *testing.T) {
	for _, bad := range []string{
		"example.com",
		"https://example.com/path",
		"ftp://example.com",
		"https://",
		"https://user@example.com",
		"",
	} {
		_, err := graphqlhttp.NewOrigins([]string{bad})
		require.Error(t, err, bad)
	}
}

func TestCSRF_ForgedGet_403(t *testing.T) {
	b := start(t, origins(t, "https://app.example.com"))
	own := "http://" + b.server.Listener.Addr().String()
	for what, tc := range map[string]struct {
		headers []string
		status  int
	}{
		"no browser":              {nil, 200},
		"own page":                {[]string{"Origin", own, "Sec-Fetch-Site", "same-origin"}, 200},
		"own page without Origin": {[]string{"Sec-Fetch-Site", "same-origin"}, 200},
		"address bar":             {[]string{"Sec-Fetch-Site", "none"}, 200},
		"listed page": {
			[]string{"Origin", "https://app.example.com", "Sec-Fetch-Site", "cross-site"},
			200,
		},
		"foreign page":                 {[]string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, 403},
		"foreign page, old browser":    {[]string{"Origin", "https://evil.example"}, 403},
		"sandboxed page":               {[]string{"Origin", "null"}, 403},
		"foreign image":                {[]string{"Sec-Fetch-Site", "cross-site"}, 403},
		"sibling site":                 {[]string{"Sec-Fetch-Site", "same-site"}, 403},
		"foreign page with any Accept": {[]string{"Origin", "https://evil.example", "Accept", responseType}, 403},
		"foreign page after a preflight": {
			[]string{"Origin", "https://evil.example", "Apollo-Require-Preflight", "true"},
			200,
		},
	} {
		t.Run(what, func(t *testing.T) {
			a := b.do("GET", "/?query=%7Bhello%7D", "", tc.headers...)
			require.Equal(t, tc.status, a.status, a.body)
			if tc.status == 403 {
				require.Equal(t, "FORBIDDEN", a.code())
			}
		})
	}
}

func TestCORS_Origins_GetPermissions(t *testing.T) {
	b := start(t, origins(t, "https://app.example.com"))
	preflight := func(origin string) answer {
		return b.do(
			"OPTIONS",
			"/",
			"",
			"Origin",
			origin,
			"Access-Control-Request-Method",
			"POST",
			"Access-Control-Request-Headers",
			"authorization,content-type",
		)
	}
	a := preflight("https://app.example.com")
	require.Equal(t, 204, a.status)
	require.Equal(t, "https://app.example.com", a.header.Get("Access-Control-Allow-Origin"))
	require.Contains(t, a.header.Get("Access-Control-Allow-Headers"), "Authorization")
	require.Contains(t, a.header.Get("Access-Control-Allow-Methods"), "POST")
	require.Empty(t, a.header.Get("Access-Control-Allow-Credentials"))
	require.Contains(t, a.header.Values("Vary"), "Origin")
	require.Equal(t, "7200", a.header.Get("Access-Control-Max-Age"), "browsers cache preflights for two hours")
	for _, name := range []string{"Content-Type", "Apollo-Require-Preflight", "X-Apollo-Operation-Name"} {
		require.Contains(t, a.header.Get("Access-Control-Allow-Headers"), name)
	}

	a = preflight("https://evil.example")
	require.Empty(t, a.header.Get("Access-Control-Allow-Origin"))
	require.Empty(t, a.header.Get("Access-Control-Allow-Methods"))
	require.Empty(t, a.header.Get("Access-Control-Allow-Headers"))
	require.Contains(t, a.header.Values("Vary"), "Origin", "a cache must not give this to the others")

	a = b.query(`{ hello }`, "", "Origin", "https://app.example.com")
	require.Equal(t, "https://app.example.com", a.header.Get("Access-Control-Allow-Origin"))
	require.Contains(t, a.header.Get("Access-Control-Expose-Headers"), "X-Request-Id")

	a = b.query(`{ hello }`, "", "Origin", "https://evil.example")
	require.Equal(t, 200, a.status, "without permission to read it, the answer is harmless")
	require.Empty(t, a.header.Get("Access-Control-Allow-Origin"))

	require.Equal(t, "GET, POST, OPTIONS", b.do("OPTIONS", "/", "").header.Get("Allow"))
}

func TestCORS_Wildcard_AllowsAllOrigins(t *testing.T) {
	b := start(t, origins(t, "*"))
	a := b.query(`{ hello }`, "", "Origin", "https://any.example")
	require.Equal(t, "https://any.example", a.header.Get("Access-Control-Allow-Origin"))
	require.Empty(t, a.header.Get("Access-Control-Allow-Credentials"))
}

func TestAuthorization_Cookie_Ignored(t *testing.T) {
	b := start(t, nil)
	a := b.query(`{ me }`, "", "Cookie", "authorization=alice; token=alice; session=alice")
	require.Equal(t, map[string]any{"me": nil}, a.json["data"])
}

func TestSocket_Origins_CheckedAtUpgrade(t *testing.T) {
	b := start(t, origins(t, "https://app.example.com"))
	own := "http://" + b.server.Listener.Addr().String()
	for origin, allowed := range map[string]bool{
		"https://app.example.com":           true,
		"https://APP.example.com":           true,
		own:                                 true,
		"https://evil.example":              false,
		"https://app.example.com.evil":      false,
		"https://evil.example/app.example":  false,
		"null":                              false,
		"http://app.example.com":            false,
		"https://app.example.com@evil.test": false,
	} {
		_, response, err := b.tryDial([]string{"graphql-transport-ws"}, "Origin", origin)
		if allowed {
			require.NoError(t, err, origin)
			continue
		}
		require.Error(t, err, origin)
		require.Equal(t, 403, response.StatusCode, origin)
	}
}
