package netlimit_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"errand/internal/netlimit"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestProxies_ForwardingHeaders(t *testing.T) {
	proxies := netlimit.Proxies{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:1::/48"), netip.MustParsePrefix("127.0.0.1/32"),
	}
	type headers = map[string][]string
	for name, tc := range map[string]struct {
		peer    string
		headers headers
		remote  string // RemoteAddr, "" means peer
		scheme  string // "" means http
		host    string // "" means app:8080
	}{
		"no headers": {peer: "10.0.0.1:5"},
		"untrusted peer": {
			peer: "192.0.2.1:5",
			headers: headers{
				"X-Forwarded-For":   {"1.2.3.4"},
				"X-Forwarded-Proto": {"https"},
				"X-Forwarded-Host":  {"evil"},
			},
		},
		"untrusted, RFC": {
			peer:    "192.0.2.1:5",
			headers: headers{"Forwarded": {"for=1.2.3.4;proto=https;host=evil"}},
		},
		"one hop": {
			peer:    "10.0.0.1:5",
			headers: headers{"X-Forwarded-For": {"192.0.2.7"}},
			remote:  "192.0.2.7:0",
		},
		"mapped peer": {
			peer:    "[::ffff:10.0.0.1]:5",
			headers: headers{"X-Forwarded-For": {"192.0.2.7"}},
			remote:  "192.0.2.7:0",
		},
		"claimed by it": {
			peer:    "10.0.0.1:5",
			headers: headers{"X-Forwarded-For": {"1.1.1.1, 192.0.2.7"}},
			remote:  "192.0.2.7:0",
		},
		"claimed loopback": {
			peer:    "10.0.0.1:5",
			headers: headers{"X-Forwarded-For": {"127.0.0.1, 192.0.2.7"}},
			remote:  "192.0.2.7:0",
		},
		"several lines": {
			peer:    "10.0.0.1:5",
			headers: headers{"X-Forwarded-For": {"1.1.1.1", "192.0.2.7,10.0.0.9"}},
			remote:  "192.0.2.7:0",
		},
		"chain of proxies": {
			peer:    "10.0.0.1:5",
			headers: headers{"X-Forwarded-For": {"1.1.1.1, 192.0.2.7, 10.0.0.3, 10.0.0.2"}},
			remote:  "192.0.2.7:0",
		},
		"only proxies": {
			peer:    "10.0.0.1:5",
			headers: headers{"X-Forwarded-For": {"10.0.0.3, 10.0.0.2"}},
			remote:  "10.0.0.3:0",
		},
		"IPv6": {
			peer:    "[2001:db8:1::1]:5",
			headers: headers{"X-Forwarded-For": {"2001:db8:2::7"}},
			remote:  "[2001:db8:2::7]:0",
		},
		"with a port": {
			peer:    "10.0.0.1:5",
			headers: headers{"X-Forwarded-For": {"192.0.2.7:4711"}},
			remote:  "192.0.2.7:0",
		},
		"IPv6 with a port": {
			peer:    "10.0.0.1:5",
			headers: headers{"X-Forwarded-For": {"[2001:db8:2::7]:4711"}},
			remote:  "[2001:db8:2::7]:0",
		},
		"not an address": {
			peer:    "10.0.0.1:5",
			headers: headers{"X-Forwarded-For": {"1.1.1.1, unknown, 10.0.0.2"}},
			remote:  "10.0.0.2:0",
		},
		"empty": {peer: "10.0.0.1:5", headers: headers{"X-Forwarded-For": {" , "}}},
		"scheme and host": {
			peer:    "10.0.0.1:5",
			headers: headers{"X-Forwarded-Proto": {"HTTPS"}, "X-Forwarded-Host": {"e.example.com"}},
			scheme:  "https",
			host:    "e.example.com",
		},
		"last of several": {
			peer:    "10.0.0.1:5",
			headers: headers{"X-Forwarded-Proto": {"http, https"}, "X-Forwarded-Host": {"a, b"}},
			scheme:  "https",
			host:    "b",
		},
		"another scheme": {peer: "10.0.0.1:5", headers: headers{"X-Forwarded-Proto": {"javascript"}}},
		"loopback host": {
			peer:    "127.0.0.1:5",
			headers: headers{"X-Forwarded-Host": {"localhost:8080"}},
		},
		"RFC 7239": {
			peer:    "10.0.0.1:5",
			headers: headers{"Forwarded": {`for=1.1.1.1, For="[2001:db8:2::7]:4711";proto=https;host="e.example.com"`}},
			remote:  "[2001:db8:2::7]:0", scheme: "https", host: "e.example.com",
		},
		"RFC 7239, obfuscated": {
			peer:    "10.0.0.1:5",
			headers: headers{"Forwarded": {"for=1.1.1.1, for=_hidden"}},
		},
		"both, different": {
			peer:    "10.0.0.1:5",
			headers: headers{"Forwarded": {"for=1.1.1.1;proto=https"}, "X-Forwarded-For": {"192.0.2.7"}},
		},
		"both, the same": {
			peer:    "10.0.0.1:5",
			headers: headers{"Forwarded": {"for=192.0.2.7"}, "X-Forwarded-For": {"192.0.2.7"}},
			remote:  "192.0.2.7:0",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr, r.Host = tc.peer, "app:8080"
			for header, values := range tc.headers {
				r.Header[header] = values
			}
			called := false
			proxies.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				called = true
				assert.Equal(t, or(tc.remote, tc.peer), r.RemoteAddr)
				assert.Equal(t, or(tc.scheme, "http"), r.URL.Scheme)
				assert.Equal(t, or(tc.host, "app:8080"), r.Host)
			})).ServeHTTP(httptest.NewRecorder(), r)
			require.True(t, called)
		})
	}
}

func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}
