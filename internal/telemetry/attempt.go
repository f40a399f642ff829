package telemetry

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"strconv"
	"sync"

	"go.opentelemetry.io/otel/trace"
)

// randomIDs generates random trace and span IDs. It implements sdktrace.IDGenerator.
type randomIDs struct{}

// NewIDs implements sdktrace.IDGenerator.
func (g randomIDs) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	var id trace.TraceID
	_, _ = rand.Read(id[:]) // never fails
	return id, g.NewSpanID(ctx, id)
}

// NewSpanID implements sdktrace.IDGenerator.
func (randomIDs) NewSpanID(context.Context, trace.TraceID) (id trace.SpanID) {
	_, _ = rand.Read(id[:])
	return id
}

// attemptIDs generates the IDs of the spans of run attempts. Those of an attempt's root span are set by start; all
// other spans have a parent, so that only a random span ID is generated for them.
type attemptIDs struct {
	randomIDs
	mu   sync.Mutex
	root trace.SpanContext // guarded by mu
}

// start starts a root span with the IDs of root. The SDK passes no arguments to its ID generator, so root is stored
// in the generator for the duration of the call.
func (g *attemptIDs) start(
	ctx context.Context, tracer trace.Tracer, root trace.SpanContext, name string, options ...trace.SpanStartOption,
) (context.Context, trace.Span) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.root = root
	return tracer.Start(ctx, name, append(options, trace.WithNewRoot())...)
}

// NewIDs implements sdktrace.IDGenerator. It is called by start only.
func (g *attemptIDs) NewIDs(context.Context) (trace.TraceID, trace.SpanID) {
	return g.root.TraceID(), g.root.SpanID()
}

// attemptSpan returns the trace and span ID of an attempt of a run. They are derived from the run's ID, so that all
// replicas use one trace for a run without communication, and the request that creates the run can link to it. They
// are hashed, because samplers expect random bits, which a UUID does not have in all places.
func attemptSpan(runID string, attempt int) trace.SpanContext {
	runHash := sha256.Sum256([]byte(runID))
	attemptHash := sha256.Sum256([]byte(runID + "/" + strconv.Itoa(attempt)))
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID:    trace.TraceID(runHash[:16]),
		SpanID:     trace.SpanID(attemptHash[:8]),
		TraceFlags: trace.FlagsSampled,
	})
}
