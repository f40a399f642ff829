package mcp

import (
	"net/http"
	"sync/atomic"

	"errand/internal/auth"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// httpExchange is the response of an HTTP request. Handlers inside the SDK use it to set the status and the
// headers of the response around their message.
type httpExchange struct {
	http.ResponseWriter
	request  *http.Request
	resource *auth.ProtectedResource
	// server serves this request instead of the shared one, if set.
	server        *sdk.Server
	status        atomic.Int32
	headerWritten atomic.Bool
}

// requireScope makes the response a 403 with the missing scope (RFC 6750, section 3.1).
func (x *httpExchange) requireScope(scope string) {
	x.Header().Set("WWW-Authenticate", x.resource.InsufficientScope(x.request, scope))
	x.status.Store(http.StatusForbidden)
}

// Write writes the header with the status set by requireScope first.
func (x *httpExchange) Write(b []byte) (int, error) {
	if status := int(x.status.Load()); status != 0 && !x.headerWritten.Load() {
		x.WriteHeader(status)
	}
	x.headerWritten.Store(true)
	return x.ResponseWriter.Write(b)
}

// WriteHeader passes the status on.
func (x *httpExchange) WriteHeader(status int) {
	x.headerWritten.Store(true)
	x.ResponseWriter.WriteHeader(status)
}

// Unwrap gives http.ResponseController access to Flush.
func (x *httpExchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }
