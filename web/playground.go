// Package web serves the browser pages from the binary. The built pages are committed, so that building the server
// needs Go only; "make -C web build" rebuilds them with Node.
package web

import (
	"embed"
	"encoding/json"
	"io/fs"
	"net/http"
	"strings"
)

//go:embed playground/dist
var playgroundFiles embed.FS

// PlaygroundOptions configures the playground. Its values are public: every client can read them.
type PlaygroundOptions struct {
	// DevSignIn makes the page sign in with POST /dev/sign-in, initially as "alice". Without it the page has a field
	// for a token.
	DevSignIn bool
}

// playgroundPolicy restricts the page to its own server. Inline scripts are forbidden. Inline styles are allowed
// because GraphiQL's dialogs add style elements. 'self' in connect-src includes WebSockets of the same host (Content
// Security Policy Level 3).
const playgroundPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
	"img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Playground returns a handler for GraphiQL at /playground and its files below /playground/. Mount it at both paths
// and keep the prefix. The page sends requests to graphql and, with DevSignIn, to dev/sign-in beside its own path, so
// that a proxy may add a prefix to all paths. Playground panics if the embedded files are invalid, which a test of this
// package excludes.
func Playground(opts PlaygroundOptions) http.Handler {
	root, err := fs.Sub(playgroundFiles, "playground/dist")
	if err != nil {
		panic(err)
	}
	assets, err := loadAssets(root)
	if err != nil {
		panic(err)
	}
	config, err := json.Marshal(map[string]any{"devSignIn": opts.DevSignIn})
	if err != nil {
		panic(err)
	}
	return &playground{assets: assets, config: config}
}

type playground struct {
	assets map[string]*asset
	config []byte
}

func (p *playground) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setSecurityHeaders(w.Header(), playgroundPolicy)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "The method must be GET or HEAD.", http.StatusMethodNotAllowed)
		return
	}
	switch r.URL.Path {
	case "/playground":
		p.assets["index.html"].ServeHTTP(w, r)
	case "/playground/":
		RedirectRelative(w, r, "../playground")
	case "/playground/config.json":
		p.serveConfig(w)
	default:
		p.serveFile(w, r)
	}
}

func (p *playground) serveConfig(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(p.config) // fails only if the client has disconnected
}

func (p *playground) serveFile(w http.ResponseWriter, r *http.Request) {
	name, found := strings.CutPrefix(r.URL.Path, "/playground/")
	// index.html is served at /playground only.
	if a, ok := p.assets[name]; found && ok && name != "index.html" {
		a.ServeHTTP(w, r)
		return
	}
	http.NotFound(w, r)
}

func setSecurityHeaders(h http.Header, policy string) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// RedirectRelative redirects to a path relative to that of the request, with the query of the request. A proxy may have
// removed a prefix of the path, so that the server cannot name its own paths.
func RedirectRelative(w http.ResponseWriter, r *http.Request, path string) {
	if r.URL.RawQuery != "" {
		path += "?" + r.URL.RawQuery
	}
	w.Header().Set("Location", path)
	w.WriteHeader(http.StatusFound)
}
