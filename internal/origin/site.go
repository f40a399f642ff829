package origin

import (
	"net/http"
	"net/url"
	"strings"
)

// Site is the address of this server as browsers see it.
type Site struct {
	// PublicURL is the scheme, host and path of PUBLIC_URL without a slash at its end; "" if it is not set.
	PublicURL string
}

// Prefix returns the path of the URL, such as "/errand", "" if it has none.
func (s Site) Prefix() string {
	u, err := url.Parse(s.PublicURL)
	if err != nil {
		return ""
	}
	return u.EscapedPath()
}

// Origin returns the scheme, host and port of pages of this server: those of PUBLIC_URL, or those under which the
// client sent the request. It is never another site's origin.
func (s Site) Origin(r *http.Request) string {
	if u, err := url.Parse(s.PublicURL); err == nil && u.Host != "" {
		return u.Scheme + "://" + u.Host
	}
	// Browsers know the scheme also behind a proxy that does not report it.
	if origins := r.Header.Values("Origin"); len(origins) == 1 && sameHost(origins[0], r.Host) {
		return strings.ToLower(origins[0])
	}
	scheme := "http"
	if r.TLS != nil || r.URL.Scheme == "https" { // set from what a trusted proxy reports, see package netlimit
		scheme = "https"
	}
	return scheme + "://" + strings.ToLower(r.Host)
}

// URL returns the URL of this server for the client of a request, without a slash at its end.
func (s Site) URL(r *http.Request) string { return s.Origin(r) + s.Prefix() }

// IsSecure reports whether browsers use HTTPS for this server, so that its cookies can have the attribute Secure.
func (s Site) IsSecure(r *http.Request) bool {
	return strings.HasPrefix(s.Origin(r), "https://") || r.TLS != nil || r.URL.Scheme == "https"
}

// IsOwn reports whether a request with an Origin header comes from a page of this server.
func (s Site) IsOwn(r *http.Request) bool {
	origins := r.Header.Values("Origin")
	if len(origins) != 1 || origins[0] == "null" {
		return false
	}
	return s.PublicURL != "" && strings.EqualFold(origins[0], s.Origin(r)) || sameHost(origins[0], r.Host) ||
		r.Header.Get("Sec-Fetch-Site") == "same-origin"
}
