package graphqlhttp

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"errand/internal/refusal"
)

// Origins is an allow-list of browser origins. Its zero value allows none but the server's own origin, which is always
// allowed.
type Origins struct {
	// Refusals records refused preflights. Nil records nothing.
	Refusals *refusal.Recorder

	any   bool
	exact map[string]bool
}

// NewOrigins parses origins in the form in which browsers send them ("https://app.example.com", no path). "*" allows
// all origins, which is safe because cookies never authenticate.
func NewOrigins(list []string) (*Origins, error) {
	o := &Origins{exact: map[string]bool{}}
	for _, entry := range list {
		if entry = strings.TrimSpace(entry); entry == "*" {
			o.any = true
			continue
		}
		u, err := url.Parse(entry)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") ||
			strings.TrimSuffix(u.Path, "/") != "" ||
			u.RawQuery != "" ||
			u.User != nil {
			return nil, fmt.Errorf("%q is not an origin such as https://app.example.com", entry)
		}
		o.exact[strings.ToLower(u.Scheme+"://"+u.Host)] = true
	}
	return o, nil
}

// listed reports whether the origin is on the allow-list.
func (o *Origins) listed(origin string) bool {
	return o.any || o.exact[strings.ToLower(origin)]
}

// allows reports whether a request may be served: it has no Origin header, or that of the server or of the
// allow-list.
func (o *Origins) allows(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	return origin == "" || o.listed(origin) || sameHost(origin, r.Host)
}

// sameHost compares only hosts, since the scheme of a server behind a proxy is unknown.
func sameHost(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, host)
}
