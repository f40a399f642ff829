package graphqlhttp

import (
	"context"
	"time"

	"errand/internal/apperr"
)

// Observer is told what passes through the handler, for metrics and logs. Every field
// may be nil. The functions are called from many goroutines and must not block.
type Observer struct {
	// Begin is called before an operation is executed, with its type and name as in Report. The
	// operation has the returned context, and ends with a call of the returned function, after its last
	// response. It is not called for what is refused before execution.
	Begin func(ctx context.Context, kind, name string) (context.Context, func(Report))
	// Operation is called when an operation has ended.
	Operation func(ctx context.Context, report Report)
	// SocketOpened and SocketClosed count WebSockets; the code is the close code sent, or
	// 1006 when the peer vanished.
	SocketOpened func()
	SocketClosed func(code int)
	// SubscriptionOpened and SubscriptionClosed count live subscriptions on any transport.
	SubscriptionOpened func()
	SubscriptionClosed func()
}

// Report describes an operation that has ended.
type Report struct {
	// Type is "query", "mutation", "subscription", or "" when the document was refused.
	Type string
	// Name is the operation's name as the client wrote it, at most 100 bytes; unbounded in variety.
	Name string
	// Transport is "http", "sse", "multipart", "websocket" or "websocket-legacy".
	Transport string
	// Code is the code of the first error, or "".
	Code apperr.Code
	// Latency is the time from the decoded request to the last response.
	Latency time.Duration
	// Cost is the estimate of limits.Estimate.
	Cost int
}

func (o Observer) operation(ctx context.Context, report Report) {
	if o.Operation != nil {
		o.Operation(ctx, report)
	}
}

func (o Observer) socketOpened() {
	if o.SocketOpened != nil {
		o.SocketOpened()
	}
}

func (o Observer) socketClosed(code int) {
	if o.SocketClosed != nil {
		o.SocketClosed(code)
	}
}

func (o Observer) subscriptionOpened() {
	if o.SubscriptionOpened != nil {
		o.SubscriptionOpened()
	}
}

func (o Observer) subscriptionClosed() {
	if o.SubscriptionClosed != nil {
		o.SubscriptionClosed()
	}
}
