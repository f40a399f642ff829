package server

import (
	"cmp"
	"net"
	"net/http"

	"errand/web"
)

// mountApp adds the page for users at / and its files.
func (s *Server) mountApp(mux *http.ServeMux) {
	app := web.App(web.AppOptions{BetterAuth: s.Config.Auth.BetterAuth()})
	for _, pattern := range app.Patterns() {
		mux.Handle(pattern, app)
	}
}

// mountPlayground adds the playground, or a text at its paths if it is off.
func (s *Server) mountPlayground(mux *http.ServeMux, devSignIn bool) {
	if !s.Config.PlaygroundEnabled() {
		for _, pattern := range []string{"/playground", "/playground/"} {
			mux.HandleFunc(pattern, servePlaygroundOff)
		}
		return
	}
	playground := web.Playground(web.PlaygroundOptions{DevSignIn: devSignIn})
	mux.Handle("/playground", playground)
	mux.Handle("/playground/", playground)
}

func servePlaygroundOff(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "The playground of this server is off (PLAYGROUND). GraphQL is served at /graphql.",
		http.StatusNotFound)
}

// playgroundLink returns the URL of the playground relative to the root or to /graphql, "" if it is off.
func (s *Server) playgroundLink() string {
	if !s.Config.PlaygroundEnabled() {
		return ""
	}
	return "playground"
}

// PublicURL returns the URL under which clients reach the server, without a trailing slash: PUBLIC_URL, or the
// PageURL of the listener. It panics after Open.
func (s *Server) PublicURL() string {
	return cmp.Or(s.Config.Server.PublicURL, PageURL(s.listener.Addr().String()))
}

// PageURL returns the URL at which a browser on this machine reaches a server that listens on addr: localhost takes the
// place of the address of all interfaces, which browsers do not open.
func PageURL(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "http://" + addr
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// PlaygroundURL returns the URL of the playground, "" if it is off. It panics after Open.
func (s *Server) PlaygroundURL() string {
	if !s.Config.PlaygroundEnabled() {
		return ""
	}
	return s.PublicURL() + "/playground"
}
