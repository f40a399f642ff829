package exec

import (
	"context"
	"time"

	"errand/internal/apperr"
)

// Observer receives the operations and connections of an engine, for metrics, traces and logs. All fields may be nil.
// The functions are called from many goroutines and must not block.
type Observer struct {
	// Begin is called before an operation is executed, with its type and name as in Report. The operation runs in
	// the returned context, and the returned function is called after its last response. Begin is not called for
	// requests that are rejected before execution.
	Begin func(ctx context.Context, kind, name string) (context.Context, func(Report))
	// Operation is called when an operation has ended, or was rejected.
	Operation func(ctx context.Context, report Report)
	// SocketOpened and SocketClosed count WebSockets; the code is the close code sent, or 1006 when the connection
	// was lost.
	SocketOpened func()
	SocketClosed func(code int)
	// SubscriptionOpened and SubscriptionClosed count subscriptions on all transports.
	SubscriptionOpened func()
	SubscriptionClosed func()
}

// Report describes an operation that has ended.
type Report struct {
	// Type is "query", "mutation", "subscription", or "" when the document was rejected.
	Type string
	// Name is the operation's name in the document, at most 100 bytes. Clients choose it: it is unfit for metric
	// labels.
	Name string
	// Transport is "http", "sse", "multipart", "websocket" or "websocket-legacy".
	Transport string
	// Code is the code of the first error, or "".
	Code apperr.Code
	// Latency is the time from the decoded request to the last response.
	Latency time.Duration
	// Cost is the cost that limits.Limits.Estimate returned.
	Cost int
}

func (o Observer) withDefaults() Observer {
	if o.Begin == nil {
		o.Begin = func(ctx context.Context, _, _ string) (context.Context, func(Report)) { return ctx, func(Report) {} }
	}
	if o.Operation == nil {
		o.Operation = func(context.Context, Report) {}
	}
	if o.SocketClosed == nil {
		o.SocketClosed = func(int) {}
	}
	for _, f := range []*func(){&o.SocketOpened, &o.SubscriptionOpened, &o.SubscriptionClosed} {
		if *f == nil {
			*f = func() {}
		}
	}
	return o
}
