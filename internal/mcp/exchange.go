package mcp

import (
	"context"
	"net/http"
	"sync/atomic"

	"errand/internal/auth"

	sdkauth "github.com/modelcontextprotocol/go-sdk/auth"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// httpExchange is the response of an HTTP request. Handlers inside the SDK use it to set the status and the
// headers of the response around their message.
type httpExchange struct {
	http.ResponseWriter
	request  *http.Request
	resource *auth.ProtectedResource
	head     messageHead
	// limited is the error of a limit, with which the middleware rejects the message; nil within the limits.
	limited error
	// server serves this request instead of the shared one, if set.
	server        *sdk.Server
	status        atomic.Int32
	headerWritten atomic.Bool
}

// exchangeKey is the key of the exchange in the SDK's token information.
const exchangeKey = "errand/exchange"

// withExchange returns a handler that passes a request's exchange to the SDK's handlers, as an extra of the token
// information: the SDK carries nothing else of the transport to them. It must be called with a verified token in the
// Authorization header, which it removes.
func withExchange(x *httpExchange, next http.Handler) http.Handler {
	info := &sdkauth.TokenInfo{Extra: map[string]any{exchangeKey: x}}
	verified := func(context.Context, string, *http.Request) (*sdkauth.TokenInfo, error) { return info, nil }
	options := &sdkauth.RequireBearerTokenOptions{AllowMissingExpiration: true} // Guard has checked it
	return sdkauth.RequireBearerToken(verified, options)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Authorization")
		next.ServeHTTP(w, r)
	}))
}

// exchangeFrom returns the HTTP exchange of ctx, nil over stdio.
func exchangeFrom(ctx context.Context) *httpExchange {
	info := sdkauth.TokenInfoFromContext(ctx)
	if info == nil {
		return nil
	}
	x, _ := info.Extra[exchangeKey].(*httpExchange)
	return x
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
