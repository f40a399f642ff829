package integration

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// pageRequest is a request as a page sends it.
type pageRequest struct {
	method, path, body string
	header             http.Header
}

func jsonRequest(path, body, accept string) pageRequest {
	return pageRequest{http.MethodPost, path, body, http.Header{
		"Content-Type": {"application/json"}, "Accept": {accept},
	}}
}

// pageRequests are requests on all paths and transports. The sign-in is for pages of this machine only.
func pageRequests() map[string]pageRequest {
	get := func(path string) pageRequest { return pageRequest{http.MethodGet, path, "", http.Header{}} }
	stream := `{"query":"subscription { taskStream { cursor } }"}`
	return map[string]pageRequest{
		"POST":      jsonRequest("/graphql", `{"query":"{ viewer { id } }"}`, "application/json"),
		"GET":       get("/graphql?query=%7Bviewer%7Bid%7D%7D"),
		"SSE":       jsonRequest("/graphql", stream, "text/event-stream"),
		"multipart": jsonRequest("/graphql", stream, "multipart/mixed;subscriptionSpec=1.0, application/json"),
		"WebSocket": {http.MethodGet, "/graphql", "", http.Header{
			"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"},
			"Sec-Websocket-Key": {"AAAAAAAAAAAAAAAAAAAAAA=="}, "Sec-Websocket-Protocol": {"graphql-transport-ws"},
		}},
		"MCP":        jsonRequest("/mcp", `{"jsonrpc":"2.0","id":1,"method":"ping"}`, "application/json, text/event-stream"),
		"MCP stream": {http.MethodGet, "/mcp", "", http.Header{"Accept": {"text/event-stream"}}},
		"sign-in":    jsonRequest("/dev/sign-in", `{"user":"alice"}`, "application/json"),
		"playground": get("/playground"),
		"config":     get("/playground/config.json"),
		"root":       get("/"),
		"health":     get("/health"),
		"livez":      get("/livez"),
		"missing":    {http.MethodPut, "/nothing/anything", "", http.Header{}},
	}
}

// sendPageRequest sends a request as a page of an origin and returns the response, with the start of its body.
func sendPageRequest(t *testing.T, url, origin, token string, p pageRequest) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), p.method, url+p.path, strings.NewReader(p.body))
	require.NoError(t, err)
	r.Header = p.header.Clone()
	r.Header.Set("Origin", origin)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if token != "" && p.path != "/dev/sign-in" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := transport.RoundTrip(r)
	require.NoError(t, err)
	defer func() { require.NoError(t, response.Body.Close()) }()
	body := make([]byte, 4<<10)
	n := 0
	if response.StatusCode != http.StatusSwitchingProtocols {
		n, _ = response.Body.Read(body) // empty bodies end here
	}
	return response, string(body[:n])
}

// sendPreflight sends the preflight of a request with headers of tracing libraries.
func sendPreflight(t *testing.T, url, origin, path string) *http.Response {
	t.Helper()
	response, _ := sendPageRequest(t, url, origin, "", pageRequest{http.MethodOptions, path, "", http.Header{
		"Access-Control-Request-Method":  {"POST"},
		"Access-Control-Request-Headers": {"apollo-require-preflight,authorization,baggage,content-type,sentry-trace"},
	}})
	return response
}

func requireServed(t *testing.T, url, origin, token string) {
	t.Helper()
	for name, p := range pageRequests() {
		response, body := sendPageRequest(t, url, origin, token, p)
		what := name + " from " + origin
		if name != "WebSocket" { // to which CORS does not apply
			require.Equal(t, origin, response.Header.Get("Access-Control-Allow-Origin"), what)
			require.Contains(t, response.Header.Values("Vary"), "Origin", what)
		}
		require.NotEqual(t, http.StatusForbidden, response.StatusCode, "%s: %s", what, body)
		switch name {
		case "POST", "GET", "MCP", "SSE", "multipart", "playground", "health", "livez":
			require.Equal(t, http.StatusOK, response.StatusCode, "%s: %s", what, body)
		case "WebSocket":
			require.Equal(t, http.StatusSwitchingProtocols, response.StatusCode, "%s: %s", what, body)
		}
		path, _, _ := strings.Cut(p.path, "?")
		preflight := sendPreflight(t, url, origin, path)
		require.Equal(t, http.StatusNoContent, preflight.StatusCode, what)
		require.Equal(t, origin, preflight.Header.Get("Access-Control-Allow-Origin"), what)
		for _, header := range []string{
			"apollo-require-preflight", "authorization", "baggage", "content-type", "sentry-trace",
		} {
			require.Contains(t, preflight.Header.Get("Access-Control-Allow-Headers"), header, what)
		}
	}
}

func requireRefused(t *testing.T, url, origin, token string) {
	t.Helper()
	for name, p := range pageRequests() {
		response, body := sendPageRequest(t, url, origin, token, p)
		what := name + " from " + origin
		require.Equal(t, http.StatusForbidden, response.StatusCode, "%s: %s", what, body)
		require.Empty(t, response.Header.Get("Access-Control-Allow-Origin"), what)
		require.True(t, json.Valid([]byte(body)), "%s: %s", what, body)
		path, _, _ := strings.Cut(p.path, "?")
		preflight := sendPreflight(t, url, origin, path)
		require.Empty(t, preflight.Header.Get("Access-Control-Allow-Origin"), what)
		require.Empty(t, preflight.Header.Get("Access-Control-Allow-Headers"), what)
	}
}

// TestOrigins_Development_LoopbackPagesAreServed checks pages of this machine and others with the binary, on all paths
// and transports.
func TestOrigins_Development_LoopbackPagesAreServed(t *testing.T) {
	t.Parallel()
	p := harness.StartProcess(t, testdb.SQLiteURL(t), harness.Settings{"BETTER_AUTH_SECRET": ""})
	token := devSignIn(t, p.URL, "http://localhost:5173")
	for _, origin := range []string{
		"http://localhost:5173", "http://127.0.0.1:3000", "http://[::1]:4321", "https://localhost", "http://LOCALHOST:1",
		p.URL,
	} {
		requireServed(t, p.URL, origin, token)
	}
	for _, origin := range []string{
		"https://evil.example", "null", "http://localhost.evil.example", "http://127.0.0.1.nip.io:5173", "file://",
	} {
		requireRefused(t, p.URL, origin, token)
	}
}

// TestOrigins_Production_ListedPagesAreServed checks that pages of this machine are served in development only.
func TestOrigins_Production_ListedPagesAreServed(t *testing.T) {
	t.Parallel()
	production := harness.Settings{
		"ENVIRONMENT": "production", "PUBLIC_URL": "https://errand.example.com/x", "PLAYGROUND": "on",
		"CORS_ALLOWED_ORIGINS": "https://app.example.com, capacitor://localhost",
	}
	p := harness.StartProcess(t, testdb.SQLiteURL(t), production)
	token := harness.Token(t, "alice")
	for _, origin := range []string{
		"https://app.example.com", "https://errand.example.com", "capacitor://localhost", p.URL,
	} {
		requireServed(t, p.URL, origin, token)
	}
	for _, origin := range []string{"http://localhost:5173", "http://127.0.0.1:3000", "null", "http://app.example.com"} {
		requireRefused(t, p.URL, origin, token)
	}
	requireRefused(t, harness.StartProcess(t, testdb.SQLiteURL(t), harness.Settings{
		"ENVIRONMENT": "production",
	}).URL, "http://localhost:5173", token)
}

// TestOrigins_SignIn_ListedPagesOfOtherHosts_AreRefused: everyone may sign in under any name there.
func TestOrigins_SignIn_ListedPagesOfOtherHosts_AreRefused(t *testing.T) {
	t.Parallel()
	b := harness.Start(t, testdb.SQLiteURL(t), harness.Settings{"BETTER_AUTH_SECRET": "", "CORS_ALLOWED_ORIGINS": "*"})
	for _, origin := range []string{"https://evil.example", "null"} {
		response, body := sendPageRequest(t, b.URL(), origin, "", pageRequests()["sign-in"])
		require.Equal(t, http.StatusForbidden, response.StatusCode, body)
		response, body = sendPageRequest(t, b.URL(), origin, "", pageRequests()["livez"])
		require.Equal(t, http.StatusOK, response.StatusCode, body)
	}
}

// TestOrigins_Metadata_IsPublic checks the document that OAuth clients in browsers read first.
func TestOrigins_Metadata_IsPublic(t *testing.T) {
	t.Parallel()
	b := harness.Start(t, testdb.SQLiteURL(t))
	path := "/.well-known/oauth-protected-resource/mcp"
	response, body := sendPageRequest(
		t,
		b.URL(),
		"https://any.example",
		"",
		pageRequest{http.MethodGet, path, "", http.Header{}},
	)
	require.Equal(t, http.StatusOK, response.StatusCode, body)
	require.Equal(t, "*", response.Header.Get("Access-Control-Allow-Origin"))
	preflight := sendPreflight(t, b.URL(), "https://any.example", path)
	require.Equal(t, http.StatusNoContent, preflight.StatusCode)
	require.Contains(t, preflight.Header.Get("Access-Control-Allow-Headers"), "authorization")
}

// devSignIn signs alice in as a page of an origin does and returns the token.
func devSignIn(t *testing.T, url, origin string) string {
	t.Helper()
	response, body := sendPageRequest(t, url, origin, "", pageRequests()["sign-in"])
	require.Equal(t, http.StatusOK, response.StatusCode, body)
	var answer struct{ Token string }
	require.NoError(t, json.NewDecoder(bytes.NewBufferString(body)).Decode(&answer))
	return answer.Token
}
