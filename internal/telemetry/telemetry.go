// Package telemetry provides the logs, metrics and traces of the server for its operators. They contain names, IDs,
// codes, counts and durations, and never message text, tokens or keys.
package telemetry

import (
	"context"
	"crypto/rand"
)

type requestIDKey struct{}

// WithRequestID returns a context with a new random request ID, which is added to log lines.
func WithRequestID(ctx context.Context) context.Context {
	return context.WithValue(ctx, requestIDKey{}, rand.Text())
}

// RequestID returns the ID of the request that ctx belongs to, "" outside of a request.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}
