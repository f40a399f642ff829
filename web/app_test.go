package web

import (
	"io/fs"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// maxAppBytes limits what a browser loads for the page, compressed.
const maxAppBytes = 200_000

// appPaths returns the paths of the page's script, stylesheet and icon.
func appPaths(t *testing.T) []string {
	t.Helper()
	var paths []string
	for _, match := range reference.FindAllStringSubmatch(body(t, getFrom(t, App(AppOptions{}), "GET", "/")), -1) {
		// Relative to /: the server may be below a path of its host.
		require.True(t, strings.HasPrefix(match[1], "./"), match[1])
		paths = append(paths, strings.TrimPrefix(match[1], "."))
	}
	require.GreaterOrEqual(t, len(paths), 3)
	return paths
}

func TestApp_Page_IsServedAtOnePathOnly(t *testing.T) {
	response := getFrom(t, App(AppOptions{}), "GET", "/")
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Equal(t, "text/html; charset=utf-8", response.Header.Get("Content-Type"))
	require.Equal(t, "no-cache", response.Header.Get("Cache-Control"))
	require.NotEmpty(t, response.Header.Get("ETag"))
	require.Contains(t, body(t, response), "<title>Errand</title>")
	for _, path := range []string{"/index.html", "/nothing", "/assets", "/assets/", "/assets/nothing.js", "/c/x", "//"} {
		require.Equal(t, http.StatusNotFound, getFrom(t, App(AppOptions{}), "GET", path).StatusCode, path)
	}
}

func TestApp_HashedFiles_AreCachedForever(t *testing.T) {
	for _, path := range appPaths(t) {
		response := getFrom(t, App(AppOptions{}), "GET", path)
		require.Equal(t, http.StatusOK, response.StatusCode, path)
		if strings.HasPrefix(path, "/assets/") {
			require.Contains(t, response.Header.Get("Cache-Control"), "immutable", path)
		}
	}
}

func TestApp_Responses_HaveSecurityHeaders(t *testing.T) {
	for _, path := range append(appPaths(t), "/", "/nothing") {
		h := getFrom(t, App(AppOptions{}), "GET", path).Header
		policy := h.Get("Content-Security-Policy")
		require.Contains(t, policy, "default-src 'none'; script-src 'self'; style-src 'self';", path)
		for _, part := range []string{"unsafe", "http", "*"} {
			require.NotContains(t, policy, part, path)
		}
		require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"), path)
		require.Equal(t, "no-referrer", h.Get("Referrer-Policy"), path)
	}
}

func TestApp_BetterAuth_AddsItsOriginToThePolicy(t *testing.T) {
	policy := func(api string) string {
		return getFrom(t, App(AppOptions{BetterAuth: api}), "GET", "/").Header.Get("Content-Security-Policy")
	}
	require.Contains(
		t,
		policy("https://app.example.com:8443/api/auth"),
		"connect-src 'self' https://app.example.com:8443; ",
	)
	unusable := []string{"", "app.example.com", "ftp://app.example.com", "https://app.example.com;x/api", "https://*/api"}
	for _, api := range unusable {
		require.Contains(t, policy(api), "connect-src 'self'; ", api)
	}
}

func TestApp_Page_HasNoInlineCode(t *testing.T) {
	page := body(t, getFrom(t, App(AppOptions{}), "GET", "/"))
	for _, tag := range regexp.MustCompile(`<script[^>]*>`).FindAllString(page, -1) {
		require.Contains(t, tag, `src="./assets/`)
	}
	require.NotRegexp(t, `\son\w+=|<style|\sstyle=`, page)
}

func TestApp_OtherMethods_AreRejected(t *testing.T) {
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS"} {
		response := getFrom(t, App(AppOptions{}), method, "/")
		require.Equal(t, http.StatusMethodNotAllowed, response.StatusCode, method)
	}
}

func TestApp_Patterns_CoverTheFilesOnly(t *testing.T) {
	mux := http.NewServeMux()
	for _, pattern := range App(AppOptions{}).Patterns() {
		mux.Handle(pattern, App(AppOptions{}))
	}
	for _, path := range append(appPaths(t), "/") {
		require.Equal(t, http.StatusOK, getFrom(t, mux, "GET", path).StatusCode, path)
	}
	for _, path := range []string{"/index.html", "/graphql", "/auth/sign-in", "/c/x", "/tasks", "/assets/nothing.js"} {
		_, pattern := mux.Handler(newRequest(path))
		require.Empty(t, pattern, path)
	}
}

// newRequest returns a GET of path.
func newRequest(path string) *http.Request {
	r, err := http.NewRequest(http.MethodGet, path, nil) //nolint:noctx // it is not sent
	if err != nil {
		panic(err)
	}
	return r
}

// TestApp_Size_IsBelowTheLimit counts all files, compressed as they are sent.
func TestApp_Size_IsBelowTheLimit(t *testing.T) {
	total := 0
	err := fs.WalkDir(appFiles, "app/dist", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasSuffix(name, "licenses.md.gz") {
			return err
		}
		content, err := fs.ReadFile(appFiles, name)
		total += len(content)
		return err
	})
	require.NoError(t, err)
	t.Logf("%d bytes", total)
	require.Less(t, total, maxAppBytes)
}
