package integration

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

// getPage sends a GET as the address bar of a browser and returns the response without following redirects, and its
// body.
func getPage(t *testing.T, url string) (*http.Response, string) {
	t.Helper()
	r := newGet(t, url)
	r.Header.Set("Accept", "text/html,*/*;q=0.8")
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response, string(body)
}

// location returns the absolute URL of a redirect.
func location(t *testing.T, response *http.Response) string {
	t.Helper()
	u, err := response.Location()
	require.NoError(t, err)
	return u.String()
}

// TestPublicURL_Path_WorksWithAndWithoutStripping serves below a path, behind a proxy that removes it and one that does
// not: pages, GraphQL, its WebSocket, MCP and health.
func TestPublicURL_Path_WorksWithAndWithoutStripping(t *testing.T) {
	t.Parallel()
	for name, strip := range map[string]bool{"stripping": true, "passing": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var upstream *url.URL
			proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !strings.HasPrefix(r.URL.Path, "/errand/") {
					http.NotFound(w, r)
					return
				}
				forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
					if strip {
						r.Out.URL.Path = strings.TrimPrefix(r.Out.URL.Path, "/errand")
					}
					r.SetURL(upstream) // replaces the Host, too
				}, Transport: &http.Transport{DisableKeepAlives: true}}
				forward.ServeHTTP(w, r)
			}))
			t.Cleanup(proxy.Close)
			base := proxy.URL + "/errand"
			b := harness.Start(t, testdb.SQLiteURL(t), harness.Settings{"PUBLIC_URL": base, "AUTH": "local"})
			var err error
			upstream, err = url.Parse(b.URL())
			require.NoError(t, err)

			for _, path := range []string{"/graphql", "/playground/"} {
				response, _ := getPage(t, base+path)
				require.Equal(t, base+"/playground", location(t, response), path)
			}
			for _, path := range []string{"/", "/playground"} {
				response, page := getPage(t, base+path)
				require.Equal(t, http.StatusOK, response.StatusCode)
				_, script, ok := strings.Cut(page, `src="`)
				require.True(t, ok)
				script, _, _ = strings.Cut(script, `"`)
				response, _ = getPage(t, base+"/"+strings.TrimPrefix(script, "./"))
				require.Equal(t, "text/javascript; charset=utf-8", response.Header.Get("Content-Type"))
			}
			for path, want := range map[string]string{
				"//auth/account":      "/auth/account",
				"/auth//account?a=b":  "/auth/account?a=b",
				"/x/../auth/account":  "/auth/account",
				"//evil.example/":     "/evil.example/",
				"/./playground":       "/playground",
				"//graphql?query={a}": "/graphql?query={a}",
			} {
				response, _ := getPage(t, base+path)
				require.Equal(t, http.StatusTemporaryRedirect, response.StatusCode, path)
				require.Equal(t, base+want, location(t, response), path)
			}
			response, _ := getPage(t, base+"/auth")
			require.Equal(t, http.StatusNotFound, response.StatusCode)
			response, _ = getPage(t, base+"/health")
			require.Equal(t, http.StatusOK, response.StatusCode)

			requireServed(t, base, proxy.URL, harness.Token(t, "alice"))

			response, _ = getPage(t, base+"/mcp")
			_, metadata, ok := strings.Cut(response.Header.Get("WWW-Authenticate"), `resource_metadata="`)
			require.True(t, ok)
			metadata, _, _ = strings.Cut(metadata, `"`)
			for _, address := range []string{metadata, b.URL() + "/.well-known/oauth-protected-resource/errand/mcp"} {
				response, body := getPage(t, address)
				require.Equal(t, http.StatusOK, response.StatusCode, address)
				var document struct{ Resource string }
				require.NoError(t, json.Unmarshal([]byte(body), &document))
				require.Equal(t, base+"/mcp", document.Resource)
			}

			socket, upgrade, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(base, "http")+"/graphql",
				http.Header{"Origin": {proxy.URL}, "Sec-WebSocket-Protocol": {"graphql-transport-ws"}})
			require.NoError(t, err)
			require.NoError(t, upgrade.Body.Close())
			require.NoError(t, socket.WriteMessage(websocket.TextMessage, fmt.Appendf(nil,
				`{"type":"connection_init","payload":{"token":%q}}`, harness.Token(t, "alice"))))
			_, ack, err := socket.ReadMessage()
			require.NoError(t, err)
			require.Contains(t, string(ack), "connection_ack")
			require.NoError(t, socket.Close())

			require.Contains(t, b.Logs.String(), `"playground":"`+base+`/playground"`)
			for path, status := range map[string]int{"/errand": 302, "/errandx/playground": 404, "/errand/errand/health": 404} {
				response, _ := getPage(t, b.URL()+path)
				require.Equal(t, status, response.StatusCode, path)
			}
			response, _ = getPage(t, b.URL()+"/errand")
			require.Equal(t, b.URL()+"/errand/", location(t, response), "the page has relative URLs")
		})
	}
}

// TestPlayground_Modes_PageOrText checks PLAYGROUND.
func TestPlayground_Modes_PageOrText(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		settings harness.Settings
		on       bool
	}{
		"development":                 {nil, true},
		"off":                         {harness.Settings{"PLAYGROUND": "off"}, false},
		"production":                  {harness.Settings{"ENVIRONMENT": "production"}, false},
		"production, on":              {harness.Settings{"ENVIRONMENT": "production", "PLAYGROUND": "on"}, true},
		"production, introspection":   {harness.Settings{"ENVIRONMENT": "production", "INTROSPECTION": "on"}, true},
		"production, auto, no schema": {harness.Settings{"ENVIRONMENT": "production", "PLAYGROUND": "auto"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := harness.Start(t, testdb.SQLiteURL(t), tc.settings)
			root, rootText := getPage(t, b.URL()+"/")
			require.Equal(t, http.StatusOK, root.StatusCode)
			require.Contains(t, rootText, "<title>Errand</title>", "the page is served in all modes")
			page, pageText := getPage(t, b.URL()+"/playground")
			graphql, _ := getPage(t, b.URL()+"/graphql")
			if tc.on {
				require.Equal(t, b.URL()+"/playground", location(t, graphql))
				require.Contains(t, pageText, "<title>Errand playground</title>")
				return
			}
			require.Equal(t, []int{404, 400}, []int{page.StatusCode, graphql.StatusCode})
			require.Contains(t, pageText, "/graphql")
			require.Contains(t, pageText, "PLAYGROUND")
		})
	}
}
