package graphqlhttp

import (
	"net/http"

	"errand/internal/apperr"
	"errand/internal/graphqlhttp/exec"
)

// preflightHeaders are headers that a page cannot set on a request to another origin without a CORS preflight, which
// only allowed origins pass.
var preflightHeaders = []string{
	"Authorization", "Apollo-Require-Preflight", "GraphQL-Require-Preflight",
	"X-Apollo-Operation-Name", "X-Requested-With", "X-Request-Id",
}

// checkForgery rejects requests that another site may have made a browser send (CSRF).
//
// Cookies never authenticate here, so that such a request has no user. The check prevents that it causes work or probes
// a server in a private network, and protects installations behind an authenticating proxy.
//
// POST is safe by its content type: application/json forces a preflight, and nothing else is accepted. GET is accepted
// when a header that forces a preflight is present, when it has an Origin, which package origin has checked, or when
// Sec-Fetch-Site does not report another site (it is absent outside browsers). The Accept header does not count: any
// page may set it without a preflight.
func checkForgery(r *http.Request) *exec.RequestError {
	for _, name := range preflightHeaders {
		if r.Header.Get(name) != "" {
			return nil
		}
	}
	site := r.Header.Get("Sec-Fetch-Site")
	if r.Header.Get("Origin") != "" || site != "cross-site" && site != "same-site" {
		return nil
	}
	return exec.NewRequestError(http.StatusForbidden, apperr.New(apperr.Forbidden,
		"The request may have been forged by another site. Send the header Apollo-Require-Preflight, or use POST "+
			"with application/json."))
}
