package llm_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"errand/internal/apperr"
	"errand/internal/llm"

	"github.com/stretchr/testify/require"
)

func TestErrorsHaveAPublicForm(t *testing.T) {
	for kind, code := range map[llm.Kind]apperr.Code{
		llm.KindAuth: apperr.Unavailable, llm.KindRateLimit: apperr.RateLimited, llm.KindOverloaded: apperr.Unavailable,
		llm.KindBadRequest: apperr.Internal, llm.KindTruncated: apperr.Unavailable, llm.KindTimeout: apperr.Unavailable,
		llm.KindCancelled: apperr.Unavailable, llm.KindUnavailable: apperr.Unavailable,
	} {
		err := fmt.Errorf(
			"step 2: %w",
			&llm.Error{Kind: kind, Provider: "gemini", Status: 418, Detail: "inside", RetryAfter: time.Second},
		)
		public := apperr.From(err)
		require.Equal(t, code, public.Code, kind)
		require.Equal(t, time.Second, public.RetryAfter)
		require.NotContains(t, public.Message, "gemini")
		require.NotContains(t, public.Message, "inside")
		require.NotEmpty(t, public.Message)
		require.Equal(t, kind, llm.KindOf(public), "the log still finds the kind")
	}
}

func TestTransient(t *testing.T) {
	require.True(t, llm.Transient(&llm.Error{Kind: llm.KindTruncated}))
	require.False(t, llm.Transient(&llm.Error{Kind: llm.KindAuth}))
	require.False(t, llm.Transient(&llm.Error{Kind: llm.KindCancelled}))
	require.False(t, llm.Transient(context.Canceled))
	require.False(t, llm.Transient(nil))
}

func TestErrorText(t *testing.T) {
	require.Equal(
		t,
		"openai: rate_limit (HTTP 429): slow down",
		(&llm.Error{Kind: llm.KindRateLimit, Provider: "openai", Status: 429, Detail: "slow down"}).Error(),
	)
}

func TestBaseURL(t *testing.T) {
	for in, want := range map[string]string{
		"http://127.0.0.1:11434/v1/":    "http://127.0.0.1:11434/v1",
		" https://openrouter.ai/api/v1": "https://openrouter.ai/api/v1",
	} {
		got, err := llm.BaseURL(in)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, in := range []string{"", "localhost:1", "ftp://x", "http://", "http://u:planted@x", "http://x?key=planted", "http://x/#planted", "http://%planted"} {
		_, err := llm.BaseURL(in)
		require.Error(t, err, in)
		require.NotContains(t, err.Error(), "planted")
	}
}
