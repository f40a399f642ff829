package server

import (
	"context"

	"errand/internal/graphqlhttp"
	"errand/internal/run"
	"errand/internal/telemetry"
)

// startTraces begins to export spans, if a receiver is configured. They are the last
// thing that ends, so that everything before is in them.
func (s *Server) startTraces(ctx context.Context) (err error) {
	s.Tracer, err = telemetry.NewTracer(ctx, telemetry.TraceOptions{
		Endpoint: s.Config.Traces.TracesURL(), Headers: s.Config.Traces.TracesHeaders(),
		Service: s.Config.Traces.ServiceName, Replica: s.Config.Replicas.ReplicaName, Logger: s.Log,
	})
	if s.Tracer != nil {
		s.onStop(func(ctx context.Context) error {
			if err := s.Tracer.Shutdown(ctx); err != nil {
				s.Log.Warn("some traces are lost", "error", err)
			}
			return nil
		})
	}
	return err
}

// beginOperation traces GraphQL operations; nil when traces are off.
func (s *Server) beginOperation() func(ctx context.Context, kind, name string) (context.Context, func(graphqlhttp.Report)) {
	if s.Tracer == nil {
		return nil
	}
	return func(ctx context.Context, kind, name string) (context.Context, func(graphqlhttp.Report)) {
		ctx, end := s.Tracer.Operation(ctx, kind, name)
		return ctx, func(r graphqlhttp.Report) { end(r.Transport, string(r.Code)) }
	}
}

// traced is the handler with a span around each attempt.
func (s *Server) traced(handler run.Handler) run.Handler {
	if s.Tracer == nil {
		return handler
	}
	return s.Tracer.Handler(handler)
}
