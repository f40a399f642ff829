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

// traceOperations returns a function that starts the span of a GraphQL operation, or nil if traces are off. The
// returned function ends the span.
func (s *Server) traceOperations() func(ctx context.Context, kind, name string) (context.Context, func(graphqlhttp.Report)) {
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
