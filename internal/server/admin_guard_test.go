package server

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAdminGuard_HostHeader(t *testing.T) {
	for host, allowed := range map[string]struct{ loopback, beyond bool }{
		"127.0.0.1:8090":           {true, true},
		"localhost:8090":           {true, true},
		"LOCALHOST":                {true, true},
		"[::1]:8090":               {true, true},
		"metrics.example.com:8090": {true, true}, // listed
		"Metrics.Example.com.":     {true, true},
		"10.0.0.5:8090":            {false, true},
		"[2001:db8::5]:8090":       {false, true},
		"errand-1:8090":            {false, true},
		"evil.example:8090":        {false, false},
		"127.0.0.1.nip.io:8090":    {false, false},
		"localhost.evil.example":   {false, false},
		"":                         {false, false},
		":8090":                    {false, false},
	} {
		for _, loopback := range []bool{true, false} {
			guard := adminGuard{loopback: loopback, hosts: []string{"metrics.example.com"}}
			want := allowed.beyond
			if loopback {
				want = allowed.loopback
			}
			require.Equal(t, want, guard.hostAllowed(host), "%q, loopback %v", host, loopback)
		}
	}
}

func TestAdminGuard_PagesOfOtherSites_Forbidden(t *testing.T) {
	handler := adminGuard{loopback: true}.wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for name, tc := range map[string]struct {
		header, value string
		status        int
	}{
		"curl":                  {"User-Agent", "curl", 200},
		"address bar":           {"Sec-Fetch-Site", "none", 200},
		"a link of the index":   {"Sec-Fetch-Site", "same-origin", 200},
		"another site":          {"Sec-Fetch-Site", "cross-site", 403},
		"another port":          {"Sec-Fetch-Site", "same-site", 403},
		"an unknown value":      {"Sec-Fetch-Site", "x", 403},
		"own origin":            {"Origin", "http://localhost:8090", 200},
		"origin of another":     {"Origin", "https://evil.example", 403},
		"origin of other port":  {"Origin", "http://localhost:3000", 403},
		"origin of a file":      {"Origin", "null", 403},
		"origin of an opaque":   {"Origin", "", 403},
		"origin without a host": {"Origin", "http://", 403},
	} {
		r := httptest.NewRequest(http.MethodGet, "/debug/pprof/", nil)
		r.Host = "localhost:8090"
		r.Header.Set(tc.header, tc.value)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		require.Equal(t, tc.status, w.Code, name)
	}
}
