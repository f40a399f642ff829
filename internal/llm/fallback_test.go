package llm_test

import (
	"context"
	"io"
	"log/slog"
	"testing"

	"errand/internal/llm"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

// scripted is a model that streams words and then returns err.
type scripted struct {
	words []string
	err   error
	calls []llms.CallOptions
}

func (s *scripted) GenerateContent(
	ctx context.Context,
	_ []llms.MessageContent,
	opts ...llms.CallOption,
) (*llms.ContentResponse, error) {
	var o llms.CallOptions
	for _, opt := range opts {
		opt(&o)
	}
	s.calls = append(s.calls, o)
	text := ""
	for _, w := range s.words {
		text += w
		if o.StreamingFunc != nil {
			if err := o.StreamingFunc(ctx, []byte(w)); err != nil {
				return nil, err
			}
		}
	}
	if s.err != nil {
		return nil, s.err
	}
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: text}}}, nil
}

func (s *scripted) Call(ctx context.Context, prompt string, opts ...llms.CallOption) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, s, prompt, opts...)
}

func TestFallback_FirstFails_CallsSecondBeforeFirstText(t *testing.T) {
	fail := func(k llm.Kind) error { return &llm.Error{Kind: k} }
	for name, c := range map[string]struct {
		first *scripted
		want  string
		kind  llm.Kind
	}{
		"first succeeds":        {&scripted{words: []string{"one"}}, "one", ""},
		"overloaded":            {&scripted{err: fail(llm.KindOverloaded)}, "two", ""},
		"rate limit":            {&scripted{err: fail(llm.KindRateLimit)}, "two", ""},
		"unavailable":           {&scripted{err: fail(llm.KindUnavailable)}, "two", ""},
		"timeout":               {&scripted{err: fail(llm.KindTimeout)}, "two", ""},
		"overloaded after text": {&scripted{words: []string{"o"}, err: fail(llm.KindOverloaded)}, "o", llm.KindOverloaded},
		"wrong key":             {&scripted{err: fail(llm.KindAuth)}, "", llm.KindAuth},
		"bad request":           {&scripted{err: fail(llm.KindBadRequest)}, "", llm.KindBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			second := &scripted{words: []string{"two"}}
			f := &llm.Fallback{First: c.first, Second: second, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
			streamed := ""
			_, err := f.GenerateContent(t.Context(), nil, llms.WithToolChoice("none"),
				llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
					streamed += string(chunk)
					return nil
				}))
			require.Equal(t, c.kind, llm.KindOf(err))
			require.Equal(t, c.want, streamed)
			for _, o := range append(c.first.calls, second.calls...) {
				require.Equal(t, "none", o.ToolChoice, "both models get the options of the call")
			}
		})
	}
}

func TestFallback_CancelledContext_DoesNotCallSecond(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	second := &scripted{}
	f := &llm.Fallback{First: &scripted{err: &llm.Error{Kind: llm.KindTimeout}}, Second: second}
	_, err := f.Call(ctx, "hello")
	require.Error(t, err)
	require.Empty(t, second.calls)
}
