package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// TraceOptions are the options of NewTracer. Others, such as sampler, timeouts, certificates and resource
// attributes, are read by the SDK from the standard OTEL_* variables of the process.
type TraceOptions struct {
	// Endpoint is the complete URL of an OTLP/HTTP receiver of traces; "" disables tracing.
	Endpoint string
	// Headers are sent with each export. They may contain keys.
	Headers map[string]string
	// Service and Replica are the service.name and service.instance.id of this process.
	Service, Replica string
	// Logger receives export errors.
	Logger *slog.Logger
}

// Tracer starts the root spans: those of operations and of run attempts. The functions ModelCall and ToolCall start
// spans below them. Safe for concurrent use.
type Tracer struct {
	operations trace.Tracer
	attempts   trace.Tracer
	attemptIDs *attemptIDs
	shutdown   func(context.Context) error
	// redact removes secrets from the exporter's errors.
	redact func(error) error
}

// NewTracer returns a tracer that exports spans in the background. It is nil when o.Endpoint is empty.
func NewTracer(ctx context.Context, o TraceOptions) (*Tracer, error) {
	if o.Endpoint == "" {
		return nil, nil
	}
	options := []otlptracehttp.Option{otlptracehttp.WithEndpointURL(o.Endpoint)}
	if len(o.Headers) > 0 {
		options = append(options, otlptracehttp.WithHeaders(o.Headers))
	}
	exporter, err := otlptracehttp.New(ctx, options...)
	if err != nil {
		return nil, errors.New("traces cannot be exported: check the OTEL_EXPORTER_OTLP_* variables") // err may quote headers
	}
	self, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithFromEnv(), resource.WithAttributes(
		attribute.String("service.name", o.Service), attribute.String("service.instance.id", o.Replica)))
	if err != nil {
		return nil, fmt.Errorf("reading the resource attributes of traces: %w", err)
	}
	redact := newErrorRedactor(o.Headers)
	// The SDK reports background errors to one global handler.
	otel.SetErrorHandler(
		otel.ErrorHandlerFunc(func(err error) { o.Logger.Warn("exporting traces failed", "error", redact(err)) }),
	)
	processor := sdktrace.NewBatchSpanProcessor(exporter)
	newProvider := func(ids sdktrace.IDGenerator) *sdktrace.TracerProvider {
		return sdktrace.NewTracerProvider(
			sdktrace.WithSpanProcessor(processor), sdktrace.WithResource(self), sdktrace.WithIDGenerator(ids))
	}
	ids := &attemptIDs{}
	operations, attempts := newProvider(randomIDs{}), newProvider(ids)
	return &Tracer{
		operations: operations.Tracer(tracerName),
		attempts:   attempts.Tracer(tracerName),
		attemptIDs: ids,
		shutdown: func(ctx context.Context) error {
			return errors.Join(operations.Shutdown(ctx), attempts.Shutdown(ctx))
		},
		redact: redact,
	}, nil
}

// newErrorRedactor returns a function that removes from an error the receiver's response, which may quote the
// request, and the values of the headers.
func newErrorRedactor(headers map[string]string) func(error) error {
	var secrets []string
	for _, value := range headers {
		if value != "" {
			secrets = append(secrets, value, "[redacted]")
		}
	}
	replacer := strings.NewReplacer(secrets...)
	return func(err error) error {
		text, _, _ := strings.Cut(err.Error(), " (body: ")
		return errors.New(replacer.Replace(text))
	}
}

// tracerName is the instrumentation scope of all spans.
const tracerName = "errand"

// shutdownTimeout limits Shutdown, so that an unreachable receiver does not delay a restart.
const shutdownTimeout = 3 * time.Second

// Shutdown exports the remaining spans within three seconds or until ctx ends.
func (t *Tracer) Shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, shutdownTimeout)
	defer cancel()
	if err := t.shutdown(ctx); err != nil {
		return fmt.Errorf("exporting the last traces: %w", t.redact(err))
	}
	return nil
}

// ExtractParent returns a handler that makes the spans of a request continue the trace in its headers (W3C Trace
// Context).
func (t *Tracer) ExtractParent(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}
