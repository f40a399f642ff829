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

func TestError_As_ReturnsPublicForm(t *testing.T) {
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
		require.Equal(t, kind, llm.KindOf(public), "the kind stays available for logs")
	}
}

func TestTransient_Kinds_AreClassified(t *testing.T) {
	require.True(t, llm.Transient(&llm.Error{Kind: llm.KindTruncated}))
	require.False(t, llm.Transient(&llm.Error{Kind: llm.KindAuth}))
	require.False(t, llm.Transient(&llm.Error{Kind: llm.KindCancelled}))
	require.False(t, llm.Transient(context.Canceled))
	require.False(t, llm.Transient(nil))
}

func TestError_Text_NamesProviderKindAndStatus(t *testing.T) {
	require.Equal(
		t,
		"openai: rate_limit (HTTP 429): slow down",
		(&llm.Error{Kind: llm.KindRateLimit, Provider: "openai", Status: 429, Detail: "slow down"}).Error(),
	)
}
