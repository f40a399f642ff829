package server

import (
	"context"
	"log/slog"

	"errand/internal/graphqlhttp/exec"
	"errand/internal/ids"
	"errand/internal/mcp"
	"errand/internal/run"
	"errand/internal/telemetry"
	"errand/internal/viewer"
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
	s.onStop("traces", 1, func(ctx context.Context) error {
		if err := s.Tracer.Shutdown(ctx); err != nil {
			s.Log.Warn("some traces were not exported", "error", err)
		}
		return nil
	})
	return err
}

// observer reports operations, MCP requests and attempts to metrics, log and traces. It records no arguments and no
// data.
type observer struct {
	metrics *telemetry.Metrics
	tracer  *telemetry.Tracer // nil when traces are off
	log     *slog.Logger
}

func (s *Server) observer() observer {
	return observer{metrics: s.Metrics, tracer: s.Tracer, log: s.Log}
}

// observeOperation logs and counts a finished operation.
func (o observer) observeOperation(ctx context.Context, r exec.Report) {
	o.metrics.Operation(ctx, r.Type, r.Name, r.Transport, string(r.Code), r.Latency)
	o.log.LogAttrs(ctx, slog.LevelInfo, "operation", withToken(
		ctx,
		slog.String("type", r.Type),
		slog.String("name", r.Name),
		slog.String("transport", r.Transport),
		slog.String("code", string(r.Code)),
		slog.Int64("latency_ms", r.Latency.Milliseconds()),
	)...)
}

// observeMCP logs and counts a finished MCP request.
func (o observer) observeMCP(ctx context.Context, r mcp.Report) {
	if r.Method != mcp.MethodListen { // the duration of a subscription is the client's choice, not a latency
		o.metrics.Operation(ctx, "mcp", r.Method, r.Transport, string(r.Code), r.Latency)
	}
	if r.Tool != "" {
		o.metrics.ToolCall(r.Tool, r.Latency, r.Code != "")
	}
	o.log.LogAttrs(ctx, slog.LevelInfo, "mcp", withToken(
		ctx,
		slog.String("method", r.Method),
		slog.String("tool_name", r.Tool),
		slog.String("client", r.Client),
		slog.String("transport", r.Transport),
		slog.String("code", string(r.Code)),
		slog.Int64("latency_ms", r.Latency.Milliseconds()),
	)...)
}

// withToken adds the ID of the API token that authenticated the viewer, if one did.
func withToken(ctx context.Context, attrs ...slog.Attr) []slog.Attr {
	if v, ok := viewer.FromContext(ctx); ok && ids.Is(v.CredentialID, ids.APIToken) {
		attrs = append(attrs, slog.String("token_id", v.CredentialID))
	}
	return attrs
}

// startSpan starts the span of a GraphQL operation; the function that it returns ends the span.
type startSpan = func(ctx context.Context, kind, name string) (context.Context, func(exec.Report))

// traceOperations returns the function that starts spans of GraphQL operations, or nil if traces are off.
func (o observer) traceOperations() startSpan {
	if o.tracer == nil {
		return nil
	}
	return func(ctx context.Context, kind, name string) (context.Context, func(exec.Report)) {
		ctx, end := o.tracer.Operation(ctx, kind, name)
		return ctx, func(r exec.Report) { end(r.Transport, string(r.Code)) }
	}
}

// traceAttempts adds a span to each attempt of a run, if traces are on.
func (o observer) traceAttempts(handler run.Handler) run.Handler {
	if o.tracer == nil {
		return handler
	}
	return o.tracer.Handler(handler)
}
