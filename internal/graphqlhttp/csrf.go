package graphqlhttp

import (
	"net/http"

	"errand/internal/apperr"
)

// preflightHeaders are headers that a page cannot set on a foreign request without the
// browser asking the server first (CORS preflight), which only allowed origins pass.
var preflightHeaders = []string{
	"Authorization", "Apollo-Require-Preflight", "GraphQL-Require-Preflight",
	"X-Apollo-Operation-Name", "X-Requested-With", "X-Request-Id",
}

// checkForgery refuses requests that another site may have made a browser send.
//
// Cookies never authenticate here, so such a request carries nobody's authority; the
// check keeps it from doing work, from probing a server inside a private network, and
// from becoming dangerous on the day somebody puts an authenticating proxy in front.
//
// POST is safe by its content type: application/json forces a preflight, and nothing
// else is accepted. GET is let through when a preflight-forcing header is present, when
// its Origin is ours or listed, or when there is no Origin and the browser does not say
// that it crosses sites (Sec-Fetch-Site is absent outside browsers). The Accept header
// does not count: any page may set it without a preflight.
func checkForgery(r *http.Request, origins *Origins) *problem {
	for _, name := range preflightHeaders {
		if r.Header.Get(name) != "" {
			return nil
		}
	}
	site := r.Header.Get("Sec-Fetch-Site")
	crossing := site == "cross-site" || site == "same-site"
	if r.Header.Get("Origin") != "" {
		crossing = false // decided by the allow-list alone
	}
	if origins.allows(r) && !crossing {
		return nil
	}
	return refuse(http.StatusForbidden, apperr.New(
		apperr.Forbidden,
		"This looks like a request forged by another site. Send the header Apollo-Require-Preflight, or use POST with application/json.",
	))
}
