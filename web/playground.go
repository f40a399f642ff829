// Package web serves Errand's pages from the binary. Their sources are built with Node
// ahead of time and the results committed, so that building the server needs Go alone.
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

// PlaygroundOptions says what the playground tells its page. Nothing in it may be secret:
// anybody who reaches the server can read it.
type PlaygroundOptions struct {
	// DevSignIn makes the page sign in by itself with POST /dev/sign-in, as "alice" at first.
	// Without it the page has a field to paste a token.
	DevSignIn bool
	// Notice is a short plain text in the page's bar; empty shows nothing.
	Notice string
}

// playgroundPolicy lets the page load from, and talk to, its own server only. Scripts are files, never
// inline. Inline styles stay allowed because GraphiQL's dialogs add style elements as they open.
// 'self' in connect-src covers the WebSocket of the same host (Content Security Policy Level 3).
const playgroundPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
	"img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Playground serves GraphiQL at /playground and its files below. Mount it for both, without
// stripping the prefix. It talks to /graphql and, with DevSignIn, to /dev/sign-in of the same host.
// It panics when the embedded files are unreadable, which a test of this package rules out.
func Playground(opts PlaygroundOptions) http.Handler {
	root, err := fs.Sub(playgroundFiles, "playground/dist")
	if err != nil {
		panic(err)
	}
	assets, err := loadAssets(root)
	if err != nil {
		panic(err)
	}
	config, err := json.Marshal(map[string]any{"devSignIn": opts.DevSignIn, "notice": opts.Notice})
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
	setSecurityHeaders(w.Header())
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "Only GET and HEAD.", http.StatusMethodNotAllowed)
		return
	}
	switch r.URL.Path {
	case "/playground", "/playground/":
		p.assets["index.html"].ServeHTTP(w, r)
	case "/playground/config.json":
		p.serveConfig(w)
	default:
		p.serveFile(w, r)
	}
}

func (p *playground) serveConfig(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(p.config) // a reader that went away is nobody's fault
}

func (p *playground) serveFile(w http.ResponseWriter, r *http.Request) {
	name, below := strings.CutPrefix(r.URL.Path, "/playground/")
	// index.html has one address, the page's own.
	if a, found := p.assets[name]; below && found && name != "index.html" {
		a.ServeHTTP(w, r)
		return
	}
	http.NotFound(w, r)
}

func setSecurityHeaders(h http.Header) {
	h.Set("Content-Security-Policy", playgroundPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}
