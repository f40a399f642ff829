// Package origin decides which pages may send requests to the server, with one rule for all paths and transports.
//
// Browsers name the origin of a page in the Origin header of requests to other origins and of WebSocket handshakes.
// Other clients send none. A request is served when its origin is the server's own or is allowed by the settings; any
// other is answered with 403, so that no later handler needs a rule of its own. Credentials mode (cookies) is never
// permitted to pages of other origins.
package origin

import (
	"net"
	"net/http"
	"net/url"
	"strings"

	"errand/internal/refusal"
)

// exposedHeaders are the response headers that pages of other origins may read, besides those that browsers always
// expose.
const exposedHeaders = "X-Request-Id, Retry-After, WWW-Authenticate, Mcp-Session-Id, Mcp-Protocol-Version"

// allowedMethods are the methods that pages of other origins may use; whether a path has them is its handler's concern.
const allowedMethods = "GET, HEAD, POST, PUT, PATCH, DELETE"

// preflightSeconds is the time for which browsers may cache the permission to send requests.
const preflightSeconds = "7200"

// Policy is the rule. Allowed and Refuse are required.
type Policy struct {
	// Allowed reports whether the settings allow an origin, the value of an Origin header.
	Allowed func(origin string) bool
	// Public reports whether pages of all origins may read a path. Nil means no path.
	Public func(path string) bool
	// OnlyOwn reports whether a path is for pages of Site only, whatever Allowed permits: one that reads cookies. Nil
	// means no path.
	OnlyOwn func(path string) bool
	// Site is this server, for OnlyOwn.
	Site Site
	// Refuse writes the 403 response to a request of another origin.
	Refuse func(w http.ResponseWriter, r *http.Request)
	// Surface returns what a request was for, in the log. Nil means refusal.GraphQL.
	Surface func(path string) refusal.Surface
	// Refusals records the refused requests. Nil records nothing.
	Refusals *refusal.Recorder
}

// Wrap returns a handler that answers preflights and requests of other origins, and passes the others to next with the
// CORS headers of the response set.
func (p *Policy) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header, preflight := w.Header(), isPreflight(r)
		header.Add("Vary", "Origin")
		if preflight {
			header.Add("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers")
		}
		origin := r.Header.Get("Origin")
		switch {
		case p.Public != nil && p.Public(r.URL.Path):
			header.Set("Access-Control-Allow-Origin", "*")
		case origin == "" && len(r.Header.Values("Origin")) <= 1:
			next.ServeHTTP(w, r)
			return
		case !p.permits(r):
			p.refuse(w, r, preflight)
			return
		default:
			header.Set("Access-Control-Allow-Origin", origin)
		}
		if !preflight {
			header.Set("Access-Control-Expose-Headers", exposedHeaders)
			next.ServeHTTP(w, r)
			return
		}
		header.Set("Access-Control-Allow-Methods", allowedMethods)
		header.Set("Access-Control-Max-Age", preflightSeconds)
		if names := permittedHeaders(r.Header); names != "" {
			header.Set("Access-Control-Allow-Headers", names)
		}
		w.WriteHeader(http.StatusNoContent)
	})
}

// permits reports whether a request with an Origin header may be served. Sec-Fetch-Site counts besides Origin because a
// proxy may have replaced the Host; pages cannot set it.
func (p *Policy) permits(r *http.Request) bool {
	origins := r.Header.Values("Origin")
	if len(origins) != 1 {
		return false
	}
	if p.OnlyOwn != nil && p.OnlyOwn(r.URL.Path) {
		return p.Site.IsOwn(r)
	}
	return p.Allowed(origins[0]) || sameHost(origins[0], r.Host) ||
		origins[0] != "null" && r.Header.Get("Sec-Fetch-Site") == "same-origin"
}

func (p *Policy) refuse(w http.ResponseWriter, r *http.Request, preflight bool) {
	surface, transport := refusal.GraphQL, refusal.TransportOf(r)
	if p.Surface != nil {
		surface = p.Surface(r.URL.Path)
	}
	switch {
	case preflight:
		transport = refusal.Preflight
	case strings.EqualFold(r.Header.Get("Upgrade"), "websocket"):
		transport = refusal.WebSocket
	}
	p.Refusals.Request(r, surface, transport, refusal.Origin, hint(r.Header.Get("Origin"), r.Host))
	p.Refuse(w, r)
}

// hint returns the advice for the log on a refused origin.
func hint(origin, host string) string {
	u, err := url.Parse(origin)
	switch {
	case origin == "null":
		return "null is the origin of files and sandboxed pages; serve the page over HTTP"
	case err == nil && u.Hostname() != "" && strings.EqualFold(u.Hostname(), (&url.URL{Host: host}).Hostname()):
		return "the Host header has another port than the page: set PUBLIC_URL, or let the proxy pass the Host " +
			"unchanged (nginx: $http_host); or list the origin in CORS_ALLOWED_ORIGINS"
	default:
		return refusal.HintOrigins
	}
}

func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
}

// sameHost reports whether the origin's host and port are those of the Host header. The scheme that a client used to
// reach a proxy is unknown.
func sameHost(origin, host string) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || u.User != nil {
		return false
	}
	return strings.EqualFold(withoutDefaultPort(u.Scheme, u.Host), withoutDefaultPort(u.Scheme, host))
}

// withoutDefaultPort returns a host without the port that the scheme implies; some proxies add it.
func withoutDefaultPort(scheme, hostPort string) string {
	ports := map[string]string{"http": "80", "https": "443"}
	if _, port, err := net.SplitHostPort(hostPort); err == nil && port == ports[scheme] {
		return strings.TrimSuffix(hostPort, ":"+port)
	}
	return hostPort
}

// permittedHeaders returns the requested headers of a preflight that pages may send: all but those that carry
// credentials of the browser. Authorization is among them, since pages send their tokens in it.
func permittedHeaders(h http.Header) string {
	var names []string
	for _, line := range h.Values("Access-Control-Request-Headers") {
		for name := range strings.SplitSeq(line, ",") {
			name = strings.ToLower(strings.TrimSpace(name))
			switch {
			case !isToken(name), name == "cookie", name == "cookie2", name == "proxy-authorization":
			default:
				names = append(names, name)
			}
		}
	}
	return strings.Join(names, ", ")
}

// isToken reports whether s is a token (RFC 9110 section 5.6.2), as header names are, in lower case.
func isToken(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return s != ""
}
