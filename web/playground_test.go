package web

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// get sends a request to a playground; headers are name, value pairs.
func get(t *testing.T, method, path string, headers ...string) *http.Response {
	t.Helper()
	return getFrom(t, Playground(PlaygroundOptions{}), method, path, headers...)
}

func getFrom(t *testing.T, h http.Handler, method, path string, headers ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, response *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(text)
}

var reference = regexp.MustCompile(`(?:src|href)="([^"]*)"`)

// references returns the paths of the page's script, stylesheet and icon.
func references(t *testing.T) []string {
	t.Helper()
	var paths []string
	for _, match := range reference.FindAllStringSubmatch(body(t, get(t, "GET", "/playground")), -1) {
		// Relative to /playground: the server may be below a path of its host.
		require.True(t, strings.HasPrefix(match[1], "playground/assets/"), match[1])
		paths = append(paths, "/"+match[1])
	}
	require.Len(t, paths, 3)
	return paths
}

func TestPlayground_Page_IsServedAtOnePathOnly(t *testing.T) {
	response := get(t, "GET", "/playground")
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Equal(t, "text/html; charset=utf-8", response.Header.Get("Content-Type"))
	require.Equal(t, "no-cache", response.Header.Get("Cache-Control"))
	require.Contains(t, body(t, response), "<title>Errand playground</title>")
	response = get(t, "GET", "/playground/?query=x")
	require.Equal(t, http.StatusFound, response.StatusCode)
	require.Equal(t, "../playground?query=x", response.Header.Get("Location"))
	for _, path := range []string{
		"/playground/index.html", "/playground/nothing", "/playground/assets", "/playground/assets/",
		"/playground/assets/nothing.js", "/playgroundindex.html", "/playground/../index.html", "/",
	} {
		require.Equal(t, http.StatusNotFound, get(t, "GET", path).StatusCode, path)
	}
}

func TestPlayground_Responses_HaveSecurityHeaders(t *testing.T) {
	for _, path := range append(references(t), "/playground", "/playground/config.json", "/playground/nothing") {
		h := get(t, "GET", path).Header
		policy := h.Get("Content-Security-Policy")
		require.Contains(t, policy, "default-src 'none'; script-src 'self';", path)
		require.Contains(t, policy, "frame-ancestors 'none'", path)
		require.NotContains(t, policy, "unsafe-eval", path)
		require.NotContains(t, policy, "http", path)
		require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"), path)
		require.Equal(t, "no-referrer", h.Get("Referrer-Policy"), path)
	}
}

func TestPlayground_Page_HasNoInlineScript(t *testing.T) {
	page := body(t, get(t, "GET", "/playground"))
	for _, tag := range regexp.MustCompile(`<script[^>]*>`).FindAllString(page, -1) {
		require.Contains(t, tag, `src="playground/assets/`)
	}
	require.NotRegexp(t, `\son\w+=`, page)
}

func TestPlayground_OtherMethods_AreRejected(t *testing.T) {
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS"} {
		response := get(t, method, "/playground")
		require.Equal(t, http.StatusMethodNotAllowed, response.StatusCode, method)
		require.Equal(t, "GET, HEAD", response.Header.Get("Allow"), method)
	}
}

func TestPlayground_Head_ReturnsHeadersWithoutBody(t *testing.T) {
	for _, path := range append(references(t), "/playground") {
		head, full := get(t, "HEAD", path), get(t, "GET", path)
		require.Equal(t, http.StatusOK, head.StatusCode, path)
		require.Equal(t, full.Header, head.Header, path)
		require.Empty(t, body(t, head), path)
	}
}

func TestPlayground_Config_ReturnsOptions(t *testing.T) {
	h := Playground(PlaygroundOptions{DevSignIn: true})
	response := getFrom(t, h, "GET", "/playground/config.json")
	require.Equal(t, "application/json", response.Header.Get("Content-Type"))
	require.Equal(t, "no-store", response.Header.Get("Cache-Control"))
	var config map[string]any
	require.NoError(t, json.Unmarshal([]byte(body(t, response)), &config))
	require.Equal(t, map[string]any{"devSignIn": true}, config)
	require.JSONEq(t, `{"devSignIn":false}`, body(t, get(t, "GET", "/playground/config.json")))
}
