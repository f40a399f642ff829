package telemetry

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"strconv"

	"go.opentelemetry.io/otel/trace"
)

// ids makes random ids, except for attempts at runs: theirs follow from the run. So replicas
// agree on them without a word, and whoever brings a run into being can point to its trace.
type ids struct{}

type attemptKey struct{}

// withRun makes the next root span the attempt's.
func withRun(ctx context.Context, runID string, attempt int) context.Context {
	return context.WithValue(ctx, attemptKey{}, attemptSpan(runID, attempt))
}

// NewIDs implements sdktrace.IDGenerator.
func (ids) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	if attempt, ok := ctx.Value(attemptKey{}).(trace.SpanContext); ok {
		return attempt.TraceID(), attempt.SpanID()
	}
	var t trace.TraceID
	_, _ = rand.Read(t[:]) // never fails
	return t, ids{}.NewSpanID(ctx, t)
}

// NewSpanID implements sdktrace.IDGenerator.
func (ids) NewSpanID(context.Context, trace.TraceID) (s trace.SpanID) {
	_, _ = rand.Read(s[:])
	return s
}

// attemptSpan is hashed because samplers take the bits of a trace's id to be random, which those of a UUID are not.
func attemptSpan(runID string, attempt int) trace.SpanContext {
	run := sha256.Sum256([]byte(runID))
	one := sha256.Sum256([]byte(runID + "/" + strconv.Itoa(attempt)))
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID(run[:16]), SpanID: trace.SpanID(one[:8]), TraceFlags: trace.FlagsSampled,
	})
}
