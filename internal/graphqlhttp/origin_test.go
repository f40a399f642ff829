package graphqlhttp_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCSRF_ForgedGet_403(t *testing.T) {
	b := start(t, func(o *serverOptions) { o.Origin = "https://app.example.com" })
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
		"foreign page that needs a preflight": {
			[]string{"Origin", "https://evil.example", "Apollo-Require-Preflight", "true"},
			403,
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

func TestAuthorization_Cookie_Ignored(t *testing.T) {
	b := start(t, nil)
	a := b.query(`{ me }`, "", "Cookie", "authorization=alice; token=alice; session=alice")
	require.Equal(t, map[string]any{"me": nil}, a.json["data"])
}
