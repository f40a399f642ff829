package llm

import (
	"context"
	"errors"
	"log/slog"

	"github.com/tmc/langchaingo/llms"
)

// Fallback is a model that calls Second if First fails before its first text, for a reason that may not affect Second:
// a rate limit, an exhausted quota, an overload, an outage or a timeout.
type Fallback struct {
	First, Second llms.Model
	// Log receives one warning for each call of Second; default [slog.Default].
	Log *slog.Logger
}

var _ llms.Model = (*Fallback)(nil)

// GenerateContent implements [llms.Model].
func (f *Fallback) GenerateContent(
	ctx context.Context,
	messages []llms.MessageContent,
	opts ...llms.CallOption,
) (*llms.ContentResponse, error) {
	var o llms.CallOptions
	for _, opt := range opts {
		opt(&o)
	}
	streamed := false
	first := opts
	if o.StreamingFunc != nil {
		first = append(opts[:len(opts):len(opts)], llms.WithStreamingFunc(func(ctx context.Context, chunk []byte) error {
			streamed = true
			return o.StreamingFunc(ctx, chunk)
		}))
	}
	resp, err := f.First.GenerateContent(ctx, messages, first...)
	if err == nil || streamed || ctx.Err() != nil || !fallbackAllowed(err) {
		return resp, err
	}
	log := f.Log
	if log == nil {
		log = slog.Default()
	}
	log.WarnContext(ctx, "model call failed, calling the fallback", "kind", string(KindOf(err)))
	return f.Second.GenerateContent(ctx, messages, opts...)
}

// Call implements [llms.Model].
func (f *Fallback) Call(ctx context.Context, prompt string, opts ...llms.CallOption) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, f, prompt, opts...)
}

// fallbackAllowed reports whether the failure is due to the provider's state. An invalid request, key or address is an
// error of the configuration, which the fallback must not hide.
func fallbackAllowed(err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	return retryable(e) || e.Kind == KindTimeout || e.Reason == ReasonNoCredit
}
