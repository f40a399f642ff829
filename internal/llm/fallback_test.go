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

// scripted says some words and then fails or answers.
type scripted struct {
	words []string
	err   error
	asked []llms.CallOptions
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
	s.asked = append(s.asked, o)
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

func TestFallback(t *testing.T) {
	fail := func(k llm.Kind) error { return &llm.Error{Kind: k} }
	for name, c := range map[string]struct {
		first *scripted
		want  string
		kind  llm.Kind
	}{
		"the first answers":           {&scripted{words: []string{"one"}}, "one", ""},
		"overloaded":                  {&scripted{err: fail(llm.KindOverloaded)}, "two", ""},
		"rate limit":                  {&scripted{err: fail(llm.KindRateLimit)}, "two", ""},
		"unavailable":                 {&scripted{err: fail(llm.KindUnavailable)}, "two", ""},
		"silent":                      {&scripted{err: fail(llm.KindTimeout)}, "two", ""},
		"overloaded after a word":     {&scripted{words: []string{"o"}, err: fail(llm.KindOverloaded)}, "o", llm.KindOverloaded},
		"a wrong key is not hidden":   {&scripted{err: fail(llm.KindAuth)}, "", llm.KindAuth},
		"a bad request is not hidden": {&scripted{err: fail(llm.KindBadRequest)}, "", llm.KindBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			second := &scripted{words: []string{"two"}}
			f := &llm.Fallback{First: c.first, Second: second, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
			heard := ""
			_, err := f.GenerateContent(t.Context(), nil, llms.WithModel("first's"), llms.WithMaxTokens(3),
				llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
					heard += string(chunk)
					return nil
				}))
			require.Equal(t, c.kind, llm.KindOf(err))
			require.Equal(t, c.want, heard)
			require.Equal(t, "first's", c.first.asked[0].Model)
			for _, o := range second.asked {
				require.Empty(t, o.Model)
				require.Equal(t, 3, o.MaxTokens)
			}
		})
	}
}

func TestFallbackRespectsTheCaller(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	second := &scripted{}
	f := &llm.Fallback{First: &scripted{err: &llm.Error{Kind: llm.KindTimeout}}, Second: second}
	_, err := f.Call(ctx, "hello")
	require.Error(t, err)
	require.Empty(t, second.asked)
}
