package web

import (
	"embed"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

//go:embed app/dist
var appFiles embed.FS

// appPolicy restricts the page to its own server and, if there is one, the Better Auth server where its users sign in.
// Inline scripts and styles are forbidden. 'self' in connect-src includes WebSockets of the same host (Content Security
// Policy Level 3).
func appPolicy(o AppOptions) string {
	connect := "'self'"
	if u, err := url.Parse(o.BetterAuth); err == nil && originPattern.MatchString(u.Scheme+"://"+u.Host) {
		connect += " " + u.Scheme + "://" + u.Host
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
		"connect-src " + connect + "; manifest-src 'self'; worker-src 'self'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

// originPattern matches origins that can be a source of a policy: no character separates sources or directives.
var originPattern = regexp.MustCompile(`^https?://[\w.:\[\]-]+$`)

// AppOptions configure the page.
type AppOptions struct {
	// BetterAuth is the URL of the API of a Better Auth server, to whose origin the page may send requests; "" if there
	// is none.
	BetterAuth string
}

// AppFiles serves the page for users and its files, each at its own path and at no other, so that paths of the API stay
// free. The views of the page are fragments of its URL.
type AppFiles struct {
	assets map[string]*asset
	policy string
}

// App returns the page. It sends requests to paths relative to its own, so that a proxy may add a prefix to all paths.
// App panics if the embedded files are invalid, which a test of this package excludes.
func App(o AppOptions) *AppFiles {
	root, err := fs.Sub(appFiles, "app/dist")
	if err != nil {
		panic(err)
	}
	assets, err := loadAssets(root)
	if err != nil {
		panic(err)
	}
	return &AppFiles{assets: assets, policy: appPolicy(o)}
}

// Patterns returns the patterns for http.ServeMux of all paths that the page has.
func (a *AppFiles) Patterns() []string {
	patterns := []string{"/{$}"}
	for _, name := range slices.Sorted(maps.Keys(a.assets)) {
		if name != "index.html" {
			patterns = append(patterns, "/"+name)
		}
	}
	return patterns
}

func (a *AppFiles) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setSecurityHeaders(w.Header(), a.policy)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "The method must be GET or HEAD.", http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/")
	switch name {
	case "":
		name = "index.html"
	case "index.html":
		name = "" // the page has one address
	}
	file, ok := a.assets[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	file.ServeHTTP(w, r)
}
