package telemetry

import (
	"context"

	"errand/internal/apperr"
	"errand/internal/run"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// Operation starts the span of a GraphQL operation. The returned function ends it with the transport and the code of
// the first error, "" when there is none.
func (t *Tracer) Operation(ctx context.Context, kind, name string) (context.Context, func(transport, code string)) {
	ctx, span := t.operations.Start(ctx, "graphql "+kind, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
		attribute.String("graphql.operation.type", kind), attribute.String("graphql.operation.name", name),
		attribute.String("errand.request_id", RequestID(ctx)),
	))
	return ctx, func(transport, code string) {
		span.SetAttributes(attribute.String("errand.transport", transport))
		endSpan(span, code)
	}
}

// Handler returns a handler that runs next in a span for each attempt. All attempts of a run, on any replica, are in
// one trace.
func (t *Tracer) Handler(next run.Handler) run.Handler {
	return func(ctx context.Context, job run.Job) error {
		ctx, span := t.attemptIDs.start(ctx, t.attempts, attemptSpan(job.RunID, job.Attempt), "run attempt",
			trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(
				runIDKey.String(job.RunID), messageIDKey.String(job.MessageID),
				operationKey.String("invoke_agent"), attribute.String("gen_ai.agent.name", "errand"),
				attribute.String("gen_ai.conversation.id", job.ConversationID),
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

// LinkRun adds to ctx's span a link to the first attempt of the run that it created.
func LinkRun(ctx context.Context, runID, messageID string) {
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		return
	}
	span.SetAttributes(messageIDKey.String(messageID))
	span.AddLink(trace.Link{SpanContext: attemptSpan(runID, 1), Attributes: []attribute.KeyValue{runIDKey.String(runID)}})
}

// StartModelCall starts the span of a call of a model, as provider/name, below ctx's span. The returned function ends
// it.
func StartModelCall(ctx context.Context, model string) (context.Context, func(ModelCall)) {
	provider, name := splitModel(model)
	ctx, span := startChild(ctx, chatOperation+" "+name, trace.SpanKindClient,
		operationKey.String(chatOperation), providerKey.String(provider), requestModelKey.String(name))
	return ctx, func(c ModelCall) {
		if c.Err != nil {
			span.SetAttributes(errorTypeKey.String(c.errorType()))
			endSpan(span, errorCode(c.Err))
			return
		}
		_, answered := splitModel(c.Answered)
		span.SetAttributes(
			attribute.String("gen_ai.response.model", answered),
			attribute.StringSlice("gen_ai.response.finish_reasons", []string{c.StopReason}),
			attribute.Int("gen_ai.usage.input_tokens", c.Input),
			attribute.Int("gen_ai.usage.output_tokens", c.Output),
			attribute.Int("gen_ai.usage.cache_read.input_tokens", c.Cached),
		)
		endSpan(span, "")
	}
}

// StartToolCall starts the span of a tool call below ctx's span; id is the call's. The returned function ends it;
// failed means that the result is an error that the model receives, err that the call could not be completed.
func StartToolCall(ctx context.Context, tool, id string) (context.Context, func(err error, failed bool)) {
	ctx, span := startChild(ctx, toolOperation+" "+tool, trace.SpanKindInternal,
		operationKey.String(toolOperation), attribute.String("gen_ai.tool.name", tool),
		attribute.String("gen_ai.tool.type", "function"), attribute.String("gen_ai.tool.call.id", id))
	return ctx, func(err error, failed bool) {
		span.SetAttributes(attribute.Bool("errand.tool_failed", failed))
		if code := errorCode(err); code != "" {
			span.SetAttributes(errorTypeKey.String(code))
		}
		endSpan(span, errorCode(err))
	}
}

// startChild starts a span below ctx's span. When that is not recorded, it returns it instead.
func startChild(
	ctx context.Context,
	name string,
	kind trace.SpanKind,
	attrs ...attribute.KeyValue,
) (context.Context, trace.Span) {
	parent := trace.SpanFromContext(ctx)
	if !parent.IsRecording() {
		return ctx, parent
	}
	return parent.TracerProvider().
		Tracer(tracerName).
		Start(ctx, name, trace.WithSpanKind(kind), trace.WithAttributes(attrs...))
}

// endSpan ends a span with an error code. The error's text is not recorded, because it may quote user data.
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
