package telemetry

import (
	"context"

	"errand/internal/apperr"
	"errand/internal/run"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// Operation begins the span of a GraphQL operation. The function ends it with the transport and
// the code of the first error.
func (t *Tracer) Operation(ctx context.Context, kind, name string) (context.Context, func(transport, code string)) {
	ctx, span := t.tracer.Start(ctx, "graphql "+kind, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
		attribute.String("graphql.operation.type", kind), attribute.String("graphql.operation.name", name),
		attribute.String("errand.request_id", RequestID(ctx)),
	))
	return ctx, func(transport, code string) {
		span.SetAttributes(attribute.String("errand.transport", transport))
		endSpan(span, code)
	}
}

// Handler wraps a run's handler in a span for each attempt. All attempts at one reply, on any
// replica, are one trace.
func (t *Tracer) Handler(next run.Handler) run.Handler {
	return func(ctx context.Context, job run.Job) error {
		ctx, span := t.tracer.Start(withRun(ctx, job.RunID, job.Attempt), "run attempt", trace.WithNewRoot(),
			trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(
				runIDKey.String(job.RunID), messageIDKey.String(job.MessageID),
				attribute.String("errand.conversation_id", job.ConversationID), attribute.Int("errand.attempt", job.Attempt),
			))
		err := next(ctx, job)
		endSpan(span, errorCode(err))
		return err
	}
}

const (
	runIDKey     = attribute.Key("errand.run_id")
	messageIDKey = attribute.Key("errand.message_id")
)

// LinkRun notes in ctx's span which run it has brought into being.
func LinkRun(ctx context.Context, runID, messageID string) {
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		return
	}
	span.SetAttributes(messageIDKey.String(messageID))
	span.AddLink(trace.Link{SpanContext: attemptSpan(runID, 1), Attributes: []attribute.KeyValue{runIDKey.String(runID)}})
}

// ModelCall begins the span of a call of the model, inside ctx's. The function ends it.
func ModelCall(ctx context.Context, model string) (context.Context, func(error)) {
	ctx, span := start(ctx, "model call", trace.SpanKindClient, attribute.String("gen_ai.request.model", model))
	return ctx, func(err error) { endSpan(span, errorCode(err)) }
}

// ToolCall begins the span of the use of a tool, inside ctx's. The function ends it; failed says that
// the model was given an error as the result.
func ToolCall(ctx context.Context, tool string) (context.Context, func(err error, failed bool)) {
	ctx, span := start(ctx, "tool call", trace.SpanKindInternal, attribute.String("gen_ai.tool.name", tool))
	return ctx, func(err error, failed bool) {
		span.SetAttributes(attribute.Bool("errand.tool_failed", failed))
		endSpan(span, errorCode(err))
	}
}

// start makes a span inside ctx's one; it costs next to nothing when that is not recorded.
func start(
	ctx context.Context,
	name string,
	kind trace.SpanKind,
	attrs ...attribute.KeyValue,
) (context.Context, trace.Span) {
	parent := trace.SpanFromContext(ctx)
	if !parent.IsRecording() {
		return ctx, parent
	}
	return parent.TracerProvider().Tracer(tracerName).Start(ctx, name, trace.WithSpanKind(kind), trace.WithAttributes(attrs...))
}

// endSpan keeps an error's code and not its text.
func endSpan(span trace.Span, code string) {
	if code != "" {
		span.SetAttributes(attribute.String("errand.code", code))
		span.SetStatus(codes.Error, code)
	}
	span.End()
}

func errorCode(err error) string {
	if err == nil {
		return ""
	}
	return string(apperr.CodeOf(err))
}
