package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHealthURL_EachAddress_IsReachableFromThisMachine(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1:8080":  "http://127.0.0.1:8080/health",
		":8080":           "http://127.0.0.1:8080/health",
		"0.0.0.0:80":      "http://127.0.0.1:80/health",
		"[::]:8080":       "http://[::1]:8080/health",
		"[::1]:8080":      "http://[::1]:8080/health",
		"localhost:8080":  "http://localhost:8080/health",
		"10.0.0.5:8080":   "http://10.0.0.5:8080/health",
		"[fd00::5]:18080": "http://[fd00::5]:18080/health",
	} {
		got, err := healthURL(addr)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	_, err := healthURL("127.0.0.1:0")
	require.ErrorContains(t, err, "port 0")
}

func TestHealth_EachAnswer_DecidesTheExitCode(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   string // part of the error; "" means healthy
	}{
		"healthy":               {200, `{"status":"ok","database_ok":true,"pool_status":{"open":1}}`, ""},
		"no database":           {503, `{"database_ok":false,"reason":"tables are missing"}`, "tables are missing"},
		"unhealthy, no reason":  {503, `{"database_ok":false}`, "503"},
		"another program":       {200, `<html>`, "not as an Errand server does"},
		"another program, JSON": {200, `{"status":"ok"}`, "not as an Errand server does"},
		"a redirect":            {302, ``, "not as an Errand server does"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				assert.Equal(t, "/health", r.URL.Path)
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			}))
			t.Cleanup(server.Close)
			var out bytes.Buffer
			environ := map[string]string{
				"ADDR":       strings.TrimPrefix(server.URL, "http://"),
				"HTTP_PROXY": "http://127.0.0.1:1", "http_proxy": "http://127.0.0.1:1",
			}
			err := run(t.Context(), []string{"health"}, invocation{environ: environ, stdout: &out})
			if c.want == "" {
				require.NoError(t, err)
				require.Equal(t, "ok\n", out.String())
				return
			}
			require.ErrorContains(t, err, c.want)
			require.Empty(t, out.String())
		})
	}
	err := run(t.Context(), []string{"health"}, invocation{environ: map[string]string{"ADDR": "127.0.0.1:1"}})
	require.ErrorContains(t, err, "does not respond")
}
