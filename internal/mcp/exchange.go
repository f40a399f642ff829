package mcp

import (
	"context"
	"net/http"
	"sync/atomic"

	"errand/internal/auth"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// exchange is a request's way back: what handles the message inside of the SDK can still
// decide about the HTTP answer around it.
type exchange struct {
	http.ResponseWriter
	request  *http.Request
	resource *auth.ProtectedResource
	// server answers this request instead of the shared one; nil for most.
	server *sdk.Server
	status atomic.Int32
	begun  atomic.Bool
}

type exchangeKey struct{}

func withExchange(ctx context.Context, x *exchange) context.Context {
	return context.WithValue(ctx, exchangeKey{}, x)
}

// exchangeFrom is nil over stdio.
func exchangeFrom(ctx context.Context) *exchange {
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	return x
}

// forbid makes the answer a 403 that tells the scope to ask for.
func (x *exchange) forbid(scope string) {
	x.Header().Set("WWW-Authenticate", x.resource.InsufficientScope(x.request, scope))
	x.status.Store(http.StatusForbidden)
}

// Write begins with the status that was decided on meanwhile.
func (x *exchange) Write(b []byte) (int, error) {
	if status := int(x.status.Load()); status != 0 && !x.begun.Load() {
		x.WriteHeader(status)
	}
	x.begun.Store(true)
	return x.ResponseWriter.Write(b)
}

// WriteHeader passes the status on.
func (x *exchange) WriteHeader(status int) {
	x.begun.Store(true)
	x.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController flush.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }
