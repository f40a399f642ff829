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

// TraceOptions say where spans go. What they leave out comes from the standard OTEL_* variables of the
// process: sampler, timeouts, certificates, resource attributes.
type TraceOptions struct {
	// Endpoint is the full URL of an OTLP/HTTP receiver of traces; "" turns tracing off.
	Endpoint string
	// Headers are sent along; they may hold keys.
	Headers map[string]string
	// Service and Replica name this process to the receiver.
	Service, Replica string
	// Logger is told when spans cannot be exported.
	Logger *slog.Logger
}

// Tracer makes the spans that all others hang on: operations and attempts at replies. Spans hold
// names, ids, codes and counts, and never what people or models wrote.
type Tracer struct {
	tracer   trace.Tracer
	shutdown func(context.Context) error
	// redact makes the receiver's errors fit for the log.
	redact func(error) error
}

// NewTracer makes a tracer that exports in the background; nil when there is no endpoint.
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
		return nil, fmt.Errorf("describing this process to traces: %w", err)
	}
	reword := newErrorRedactor(o.Headers)
	// The SDK has one place for what goes wrong in the background.
	otel.SetErrorHandler(
		otel.ErrorHandlerFunc(func(err error) { o.Logger.Warn("exporting traces failed", "error", reword(err)) }),
	)
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter), sdktrace.WithResource(self), sdktrace.WithIDGenerator(ids{}))
	return &Tracer{tracer: provider.Tracer(tracerName), shutdown: provider.Shutdown, redact: reword}, nil
}

// newErrorRedactor drops from an error what the receiver answered, which may quote what it was sent, and
// the values of headers wherever else they are.
func newErrorRedactor(headers map[string]string) func(error) error {
	var secrets []string
	for _, value := range headers {
		if value != "" {
			secrets = append(secrets, value, "[redacted]")
		}
	}
	redact := strings.NewReplacer(secrets...)
	return func(err error) error {
		text, _, _ := strings.Cut(err.Error(), " (body: ")
		return errors.New(redact.Replace(text))
	}
}

// tracerName names the code that makes the spans.
const tracerName = "errand"

// shutdownTimeout bounds Shutdown: a receiver that is away must not hold up a restart.
const shutdownTimeout = 3 * time.Second

// Shutdown exports what waits, for three seconds or until ctx ends.
func (t *Tracer) Shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, shutdownTimeout)
	defer cancel()
	if err := t.shutdown(ctx); err != nil {
		return fmt.Errorf("exporting the last traces: %w", t.redact(err))
	}
	return nil
}

// ExtractParent makes the spans of requests continue the trace that their headers name (W3C Trace Context).
func (t *Tracer) ExtractParent(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}
