package server

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"errand/internal/config"
	"errand/internal/refusal"
)

// adminGuard protects the admin listener, which has no authentication, from pages in an operator's browser: it checks
// the Host header against DNS rebinding, and rejects requests that another site made the browser send.
type adminGuard struct {
	// loopback means that the listener accepts connections of this machine only.
	loopback bool
	// hosts are additional host names (ADMIN_HOSTS).
	hosts []string
	// refusals records rejected requests. Nil records nothing.
	refusals *refusal.Recorder
}

// wrap returns next behind the checks.
func (g adminGuard) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !g.hostAllowed(r.Host):
			g.refusals.Request(r, refusal.Admin, refusal.HTTP, refusal.Host, "ADMIN_HOSTS does not list this host")
			http.Error(w, "This host name is not allowed; list it in ADMIN_HOSTS.", http.StatusForbidden)
		case fromOtherSite(r):
			g.refusals.Request(r, refusal.Admin, refusal.HTTP, refusal.Origin, "a page of another site sent the request")
			http.Error(w, "Requests from pages of other sites are not allowed.", http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// hostAllowed reports whether the Host header names this server: a loopback host or, beyond loopback, an IP address or
// a name without dots. A page of another site reaches the server only by a name in the public DNS, which has dots.
func (g adminGuard) hostAllowed(hostPort string) bool {
	host := strings.ToLower(strings.TrimSuffix((&url.URL{Host: hostPort}).Hostname(), "."))
	switch {
	case host == "":
		return false
	case config.IsLoopbackHost(host), slices.Contains(g.hosts, host):
		return true
	default:
		return !g.loopback && (net.ParseIP(host) != nil || !strings.Contains(host, "."))
	}
}

// fromOtherSite reports whether a browser sent the request for a page of another site. Browsers send Sec-Fetch-Site to
// loopback and https addresses, and Origin with some requests to all.
func fromOtherSite(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
	default:
		return true
	}
	for _, origin := range r.Header.Values("Origin") {
		if u, err := url.Parse(origin); err != nil || !strings.EqualFold(u.Host, r.Host) {
			return true
		}
	}
	return false
}
