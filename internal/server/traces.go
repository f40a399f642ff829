package server

import (
	"context"

	"errand/internal/graphqlhttp"
	"errand/internal/run"
	"errand/internal/telemetry"
)

// startTraces starts the export of spans if a receiver is configured. It is the first part to start and therefore
// the last to stop, so that the spans of the shutdown are exported too.
func (s *Server) startTraces(ctx context.Context) (err error) {
	s.Tracer, err = telemetry.NewTracer(ctx, telemetry.TraceOptions{
		Endpoint: s.Config.Traces.TracesURL(),
		Headers:  s.Config.Traces.TracesHeaders(),
		Service:  s.Config.Traces.ServiceName,
		Replica:  s.Config.Replicas.ReplicaName,
		Logger:   s.Log,
	})
	if s.Tracer == nil {
		return err
	}
	s.onStop(func(ctx context.Context) error {
		if err := s.Tracer.Shutdown(ctx); err != nil {
			s.Log.Warn("some traces were not exported", "error", err)
		}
		return nil
	})
	return err
}

// startSpan starts the span of a GraphQL operation; the function that it returns ends the span.
type startSpan = func(ctx context.Context, kind, name string) (context.Context, func(graphqlhttp.Report))

// traceOperations returns the function that starts spans of GraphQL operations, or nil if traces are off.
func (s *Server) traceOperations() startSpan {
	if s.Tracer == nil {
		return nil
	}
	return func(ctx context.Context, kind, name string) (context.Context, func(graphqlhttp.Report)) {
		ctx, end := s.Tracer.Operation(ctx, kind, name)
		return ctx, func(r graphqlhttp.Report) { end(r.Transport, string(r.Code)) }
	}
}

// traceAttempts adds a span to each attempt of a run, if traces are on.
func (s *Server) traceAttempts(handler run.Handler) run.Handler {
	if s.Tracer == nil {
		return handler
	}
	return s.Tracer.Handler(handler)
}
