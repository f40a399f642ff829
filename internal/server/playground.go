package server

import (
	"cmp"
	"net/http"

	"errand/web"
)

// mountPlayground adds the playground, to which / leads, or a text at these paths if it is off.
func (s *Server) mountPlayground(mux *http.ServeMux, devSignIn bool) {
	if !s.Config.PlaygroundEnabled() {
		for _, pattern := range []string{"/playground", "/playground/", "GET /{$}"} {
			mux.HandleFunc(pattern, servePlaygroundOff)
		}
		return
	}
	playground := web.Playground(web.PlaygroundOptions{DevSignIn: devSignIn})
	mux.Handle("/playground", playground)
	mux.Handle("/playground/", playground)
	// Relative unless the prefix is known: a proxy may have removed it.
	target := s.playgroundLink()
	if prefix := s.Config.Server.PathPrefix(); prefix != "" {
		target = prefix + "/" + target
	}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { web.RedirectRelative(w, r, target) })
}

func servePlaygroundOff(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "This is an Errand server. GraphQL is served at /graphql; the playground is off (PLAYGROUND).",
		http.StatusNotFound)
}

// playgroundLink returns the URL of the playground relative to the root or to /graphql, "" if it is off.
func (s *Server) playgroundLink() string {
	if !s.Config.PlaygroundEnabled() {
		return ""
	}
	return "playground"
}

// PublicURL returns the URL under which clients reach the server, without a trailing slash: PUBLIC_URL, or that of the
// listener. It panics after Open.
func (s *Server) PublicURL() string { return cmp.Or(s.Config.Server.PublicURL, s.URL()) }

// PlaygroundURL returns the URL of the playground, "" if it is off. It panics after Open.
func (s *Server) PlaygroundURL() string {
	if !s.Config.PlaygroundEnabled() {
		return ""
	}
	return s.PublicURL() + "/playground"
}
