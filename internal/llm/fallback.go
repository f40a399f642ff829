package llm

import (
	"context"
	"log/slog"

	"github.com/tmc/langchaingo/llms"
)

// Fallback asks a second model when the first cannot take the call and has not
// said a word yet.
type Fallback struct {
	First, Second llms.Model
	// Log receives one warning each time the second model is asked; default slog.Default.
	Log *slog.Logger
}

var _ llms.Model = (*Fallback)(nil)

// GenerateContent implements [llms.Model]. The second model is asked with its
// own model name, whatever [llms.WithModel] said for the first.
func (f *Fallback) GenerateContent(
	ctx context.Context,
	messages []llms.MessageContent,
	opts ...llms.CallOption,
) (*llms.ContentResponse, error) {
	var o llms.CallOptions
	for _, opt := range opts {
		opt(&o)
	}
	spoke := false
	first := opts
	if o.StreamingFunc != nil {
		first = append(opts[:len(opts):len(opts)], llms.WithStreamingFunc(func(ctx context.Context, chunk []byte) error {
			spoke = true
			return o.StreamingFunc(ctx, chunk)
		}))
	}
	resp, err := f.First.GenerateContent(ctx, messages, first...)
	if err == nil || spoke || ctx.Err() != nil || !replaceable(KindOf(err)) {
		return resp, err
	}
	log := f.Log
	if log == nil {
		log = slog.Default()
	}
	log.WarnContext(ctx, "model cannot take the call, asking the fallback", "kind", string(KindOf(err)))
	return f.Second.GenerateContent(ctx, messages, append(opts[:len(opts):len(opts)], llms.WithModel(""))...)
}

// Call implements [llms.Model].
func (f *Fallback) Call(ctx context.Context, prompt string, opts ...llms.CallOption) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, f, prompt, opts...)
}

// replaceable: faults of the provider's state. A refused request or key is an
// operator's matter and must not hide behind the fallback.
func replaceable(k Kind) bool { return retryable(k) || k == KindTimeout }
