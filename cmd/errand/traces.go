package main

import (
	"context"

	"errand/graph/transport"
	"errand/internal/runs"
	"errand/internal/telemetry"
)

// startTraces begins to export spans, if a receiver is configured. They are the last
// thing that ends, so that everything before is in them.
func (s *Server) startTraces(ctx context.Context) (err error) {
	s.tracer, err = telemetry.NewTracer(ctx, telemetry.TraceOptions{
		Endpoint: s.cfg.Traces.TracesURL(), Headers: s.cfg.Traces.TracesHeaders(),
		Service: s.cfg.Traces.ServiceName, Replica: s.cfg.Replicas.ReplicaName, Logger: s.log,
	})
	if s.tracer != nil {
		s.onStop(func(ctx context.Context) error {
			if err := s.tracer.Shutdown(ctx); err != nil {
				s.log.Warn("some traces are lost", "error", err)
			}
			return nil
		})
	}
	return err
}

// beginOperation traces GraphQL operations; nil when traces are off.
func (s *Server) beginOperation() func(ctx context.Context, kind, name string) (context.Context, func(transport.Report)) {
	if s.tracer == nil {
		return nil
	}
	return func(ctx context.Context, kind, name string) (context.Context, func(transport.Report)) {
		ctx, end := s.tracer.Operation(ctx, kind, name)
		return ctx, func(r transport.Report) { end(r.Transport, string(r.Code)) }
	}
}

// traced is the handler with a span around each attempt.
func (s *Server) traced(handler runs.Handler) runs.Handler {
	if s.tracer == nil {
		return handler
	}
	return s.tracer.Handler(handler)
}
