package graphqlhttp

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Origins is an allow-list of foreign browser origins. Its zero value allows none; a
// server's own origin is always allowed.
type Origins struct {
	any   bool
	exact map[string]bool
}

// NewOrigins reads origins as browsers send them ("https://app.example.com", no path).
// "*" allows every origin, which is safe as far as cookies never authenticate.
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

// listed says that the origin is on the allow-list.
func (o *Origins) listed(origin string) bool {
	return o.any || o.exact[strings.ToLower(origin)]
}

// allows says that a request's Origin header is no reason to refuse it: there is none,
// it is the server's own, or it is listed.
func (o *Origins) allows(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	return origin == "" || o.listed(origin) || sameHost(origin, r.Host)
}

// sameHost compares hosts alone: behind a proxy the server cannot know its own scheme.
func sameHost(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, host)
}
