package graphqlhttp

import (
	"net/http"

	"errand/internal/refusal"
)

// allowedHeaders are the request headers that pages of other origins may set.
const allowedHeaders = "Authorization, Content-Type, Accept, X-Request-Id, X-Requested-With, " +
	"Apollo-Require-Preflight, GraphQL-Require-Preflight, X-Apollo-Operation-Name, X-Apollo-Operation-Id, " +
	"Apollographql-Client-Name, Apollographql-Client-Version, Traceparent, Tracestate, Last-Event-ID"

// exposedHeaders are the response headers that pages of other origins may read.
const exposedHeaders = "X-Request-Id, Retry-After, WWW-Authenticate"

// CORS wraps next so that pages of the allowed origins may send requests to it. Credentials mode is never allowed, so
// that browsers send no cookies. Requests of other origins are served without the permission to read the response, and
// their preflights fail.
func (o *Origins) CORS(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Add("Vary", "Origin")
		origin := r.Header.Get("Origin")
		permitted := origin != "" && (o.listed(origin) || sameHost(origin, r.Host))
		if permitted {
			header.Set("Access-Control-Allow-Origin", origin)
			header.Set("Access-Control-Expose-Headers", exposedHeaders)
		}
		if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
			next.ServeHTTP(w, r)
			return
		}
		header.Add("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers")
		if permitted {
			header.Set("Access-Control-Allow-Methods", "GET, POST")
			header.Set("Access-Control-Allow-Headers", allowedHeaders)
			header.Set("Access-Control-Max-Age", "7200")
		} else {
			o.Refusals.Request(r, refusal.GraphQL, refusal.Preflight, refusal.Origin, refusal.HintOrigins)
		}
		w.WriteHeader(http.StatusNoContent)
	})
}
