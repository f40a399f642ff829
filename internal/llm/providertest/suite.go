package providertest

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"errand/internal/llm"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

// Texts that must not appear in errors, logs or printed models.
const (
	// APIKey is the key of every provider under test.
	APIKey = "sk-planted-key-4711"
	// ProviderText is the message in the error reports of the fake servers.
	ProviderText = "planted-provider-text"
)

// Suite is the conformance suite of a provider: its constructor and the responses of the cases in the provider's wire
// format. Frames are complete events with their blank line.
type Suite struct {
	// NewModel returns the model under test for a server at url.
	NewModel func(t *testing.T, url string, o llm.HTTPOptions) llms.Model
	// Text returns a complete response in the given chunks, with 11 input, 7 output and 3 cached tokens.
	Text func(chunks ...string) []string
	// PartialText is a response with the text "Hel" and without an end.
	PartialText []string
	// ToolCalls is a complete response with the text "On it." and two parallel calls: add_task {"title":"a b"}, and
	// list_tasks without arguments. It uses as many peculiarities of the format as possible.
	ToolCalls []string
	// UnfinishedCall ends cleanly within the arguments of a call, without the terminal event.
	UnfinishedCall []string
	// CallAtTokenLimit is complete, but the token limit cut a call.
	CallAtTokenLimit []string
	// ToolCall returns a complete response with one call, whose arguments are sent in the fragments, or joined where the
	// format has no fragments ([Suite].WholeArguments).
	ToolCall       func(id, name string, arguments ...string) []string
	WholeArguments bool
	// Usage returns the complete response "Hello" with the token counts, which are JSON.
	Usage func(input, output string) []string
	// ContentFiltered is complete, but withheld by a content filter.
	ContentFiltered []string
	// ErrorEvent reports an overload within the stream and quotes [ProviderText].
	ErrorEvent string
	// UnstreamedText is the response "Hello" as one JSON body.
	UnstreamedText string
	// RateLimitBody is the body of a rate limit error that quotes [ProviderText].
	RateLimitBody string
}

// RunSuite runs all cases of the suite.
func RunSuite(t *testing.T, s Suite) {
	t.Run("responses", func(t *testing.T) { s.testResponses(t) })
	t.Run("requests", func(t *testing.T) { s.testRequests(t) })
	t.Run("invalid responses", func(t *testing.T) { s.testInvalidResponses(t) })
	t.Run("connection failures", func(t *testing.T) { s.testConnectionFailures(t) })
	t.Run("HTTP errors", func(t *testing.T) { s.testHTTPErrors(t) })
	t.Run("reasons", func(t *testing.T) { s.testReasons(t) })
	t.Run("calls", func(t *testing.T) { s.testCalls(t) })
	t.Run("texts", func(t *testing.T) { s.testTexts(t) })
	t.Run("usage", func(t *testing.T) { s.testUsage(t) })
	t.Run("framing", func(t *testing.T) { s.testFraming(t) })
	t.Run("cancellation", func(t *testing.T) { s.testCancellation(t) })
}

func (s Suite) testResponses(t *testing.T) {
	t.Run("text", func(t *testing.T) {
		e := s.newEnvironment(t, 0, Stream(s.Text("Two ", "tasks ", "äöü 🦊.")...))
		c, err := e.generate(t.Context())
		require.NoError(t, err)
		require.Equal(t, "Two tasks äöü 🦊.", c.Content)
		require.Equal(t, []string{"Two ", "tasks ", "äöü 🦊."}, e.chunks)
		require.Equal(t, llm.StopEnd, c.StopReason)
		require.Equal(t, 11, c.GenerationInfo[llm.InfoInputTokens])
		require.Equal(t, 7, c.GenerationInfo[llm.InfoOutputTokens])
		require.Equal(t, 3, c.GenerationInfo[llm.InfoCachedTokens])
		require.NotContains(t, e.Requests()[0].JSON(t), "temperature")
		e.requireNoSecrets(t, nil)
	})
	t.Run("parallel tool calls", func(t *testing.T) {
		e := s.newEnvironment(t, 0, Stream(s.ToolCalls...))
		c, err := e.generate(t.Context())
		require.NoError(t, err)
		requireCalls(t, c)
		require.Equal(t, "On it.", strings.Join(e.chunks, ""))
	})
	t.Run("one byte at a time", func(t *testing.T) {
		all := strings.Join(s.ToolCalls, "")
		e := s.newEnvironment(t, 0, Stream(strings.Split(all, "")...))
		c, err := e.generate(t.Context())
		require.NoError(t, err)
		requireCalls(t, c)
	})
	t.Run("CRLF and comments", func(t *testing.T) {
		all := ": keep-alive\n\nretry: 10\n\n" + strings.Join(s.ToolCalls, ": still here\n\n")
		e := s.newEnvironment(t, 0, Stream(strings.ReplaceAll(all, "\n", "\r\n")))
		c, err := e.generate(t.Context())
		require.NoError(t, err)
		requireCalls(t, c)
	})
	t.Run("concurrent calls", func(t *testing.T) {
		e := s.newEnvironment(t, 0, Stream(s.ToolCalls...))
		var wg sync.WaitGroup
		responses := make([]*llms.ContentResponse, 16)
		for i := range responses {
			wg.Go(func() { responses[i], _ = e.model.GenerateContent(t.Context(), Messages()) })
		}
		wg.Wait()
		for _, a := range responses {
			require.NotNil(t, a)
			requireCalls(t, a.Choices[0])
		}
	})
	t.Run("unstreamed", func(t *testing.T) {
		e := s.newEnvironment(t, 0, JSON(200, " \n"+s.UnstreamedText))
		c, err := e.generate(t.Context())
		require.NoError(t, err)
		require.Equal(t, "Hello", c.Content)
		require.Equal(t, []string{"Hello"}, e.chunks)
	})
	t.Run("no final line feed", func(t *testing.T) {
		all := strings.TrimRight(strings.Join(s.Text("Hello"), ""), "\n")
		e := s.newEnvironment(t, 0, Stream(all))
		c, err := e.generate(t.Context())
		require.NoError(t, err)
		require.Equal(t, "Hello", c.Content)
	})
}

func requireCalls(t *testing.T, c *llms.ContentChoice) {
	t.Helper()
	require.Equal(t, "On it.", c.Content)
	require.Equal(t, llm.StopToolCalls, c.StopReason)
	require.Len(t, c.ToolCalls, 2)
	require.Equal(t, "add_task", c.ToolCalls[0].FunctionCall.Name)
	require.JSONEq(t, `{"title":"a b"}`, c.ToolCalls[0].FunctionCall.Arguments)
	require.Equal(t, "list_tasks", c.ToolCalls[1].FunctionCall.Name)
	require.Equal(t, `{}`, c.ToolCalls[1].FunctionCall.Arguments)
	require.Equal(t, "function", c.ToolCalls[0].Type)
	require.NotEmpty(t, c.ToolCalls[0].ID)
	require.NotEmpty(t, c.ToolCalls[1].ID)
	require.NotEqual(t, c.ToolCalls[0].ID, c.ToolCalls[1].ID)
}

func (s Suite) testInvalidResponses(t *testing.T) {
	huge := "data: {\"x\":\"" + strings.Repeat("x", llm.MaxLine) + "\"}\n\n"
	pad := "data: {\"type\":\"ping\",\"x\":\"" + strings.Repeat("x", llm.MaxLine/2) + "\"}\n\n"
	tooLarge := append(append([]string(nil), s.PartialText...), strings.Repeat(pad, 5))
	for name, c := range map[string]struct {
		kind   llm.Kind
		frames []string
	}{
		"empty body":                   {llm.KindTruncated, nil},
		"no terminal event":            {llm.KindTruncated, s.PartialText},
		"end within arguments":         {llm.KindTruncated, s.UnfinishedCall},
		"token limit within arguments": {llm.KindTruncated, s.CallAtTokenLimit},
		"content filter":               {llm.KindBadRequest, s.ContentFiltered},
		"error event first":            {llm.KindOverloaded, []string{s.ErrorEvent}},
		"error event after text":       {llm.KindOverloaded, append(append([]string(nil), s.PartialText...), s.ErrorEvent)},
		"malformed event": {llm.KindUnavailable, append(append([]string(nil), s.PartialText...),
			"data: {\""+ProviderText+"\n\n")},
		"event of another type": {llm.KindUnavailable, append(append([]string(nil), s.PartialText...),
			"data: 17\n\n")},
		"incomplete event at the end": {llm.KindTruncated, append(append([]string(nil), s.PartialText...),
			strings.TrimRight(s.PartialText[len(s.PartialText)-1], "}\n "))},
		"line too long":      {llm.KindUnavailable, []string{huge}},
		"response too large": {llm.KindUnavailable, tooLarge},
		"HTML page": {llm.KindUnavailable, []string{
			"<!doctype html><title>Sign in</title><p>" + ProviderText + "</p>\n",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			e := s.newEnvironment(t, 0, Stream(c.frames...))
			e.requireError(t, c.kind)
			require.Len(t, e.Requests(), 1, "no retry after the first byte")
		})
	}
	t.Run("incomplete unstreamed body", func(t *testing.T) {
		e := s.newEnvironment(t, 0, JSON(200, s.UnstreamedText[:len(s.UnstreamedText)-1]))
		e.requireError(t, llm.KindUnavailable)
	})
	t.Run("error with status 200", func(t *testing.T) {
		e := s.newEnvironment(t, 0, JSON(200, s.RateLimitBody))
		e.requireError(t, llm.KindRateLimit)
	})
}

func (s Suite) testConnectionFailures(t *testing.T) {
	const idle = 50 * time.Millisecond
	t.Run("reset during the response", func(t *testing.T) {
		e := s.newEnvironment(t, 0, StreamThenReset(s.PartialText...))
		e.requireError(t, llm.KindTruncated)
		require.Len(t, e.Requests(), 1)
	})
	t.Run("reset before the response, then success", func(t *testing.T) {
		e := s.newEnvironment(t, 0, StreamThenReset(), Stream(s.Text("Hello")...))
		c, err := e.generate(t.Context())
		require.NoError(t, err)
		require.Equal(t, "Hello", c.Content)
	})
	t.Run("idle timeout during the response", func(t *testing.T) {
		e := s.newEnvironment(t, idle, StreamThenHang(s.PartialText...))
		e.requireError(t, llm.KindTimeout)
		require.Len(t, e.Requests(), 1)
	})
	t.Run("bytes without a line end", func(t *testing.T) {
		e := s.newEnvironment(
			t,
			idle,
			StreamSlowly(
				5*time.Millisecond,
				append(slices.Clone(s.PartialText), strings.Split("data: "+strings.Repeat("x", 10_000), "")...)...),
		)
		e.requireError(t, llm.KindTimeout)
		require.Len(t, e.Requests(), 1)
	})
	t.Run("slow response", func(t *testing.T) {
		e := s.newEnvironment(
			t,
			2*time.Second,
			StreamSlowly(50*time.Millisecond, s.Text(strings.Split(strings.Repeat("word ", 44), " ")...)...),
		)
		c, err := e.generate(t.Context())
		require.NoError(t, err, "only the whole response takes longer than the idle timeout")
		require.Equal(t, strings.Repeat("word", 44), c.Content)
	})
	t.Run("idle timeout before the response", func(t *testing.T) {
		e := s.newEnvironment(t, idle, Hang())
		e.requireError(t, llm.KindTimeout)
		require.Len(t, e.Requests(), 1)
	})
	t.Run("connection refused", func(t *testing.T) {
		e := s.newEnvironment(t, 0, Hang())
		e.model = s.NewModel(t, "http://127.0.0.1:1", llm.HTTPOptions{Retry: llm.Retry{Attempts: 1}})
		e.requireError(t, llm.KindUnavailable)
	})
}

func (s Suite) testHTTPErrors(t *testing.T) {
	t.Run("429 with a short Retry-After", func(t *testing.T) {
		e := s.newEnvironment(t, 0, JSON(429, s.RateLimitBody, "Retry-After-Ms", "30"), Stream(s.Text("Hello")...))
		c, err := e.generate(t.Context())
		require.NoError(t, err)
		require.Equal(t, "Hello", c.Content)
		waits := e.retryWaits(t)
		require.Len(t, waits, 1)
		require.GreaterOrEqual(t, waits[0], 30*time.Millisecond)
		require.Less(t, waits[0], 30*time.Millisecond+retryBase)
		require.Contains(t, e.log.String(), "rate_limit")
		e.requireNoSecrets(t, nil)
	})
	t.Run("429 with a long Retry-After", func(t *testing.T) {
		e := s.newEnvironment(t, 0, JSON(429, s.RateLimitBody, "Retry-After", "90"))
		modelErr := e.requireError(t, llm.KindRateLimit)
		require.Equal(t, 90*time.Second, modelErr.RetryAfter)
		require.Empty(t, e.retryWaits(t))
	})
	t.Run("repeated 500", func(t *testing.T) {
		e := s.newEnvironment(t, 0, JSON(500, ProviderText))
		modelErr := e.requireError(t, llm.KindUnavailable)
		require.Equal(t, 500, modelErr.Status)
		waits := e.retryWaits(t)
		require.Len(t, waits, 2)
		for i, longest := range []time.Duration{retryBase, 2 * retryBase} {
			require.GreaterOrEqual(t, waits[i], longest/2)
			require.LessOrEqual(t, waits[i], longest+1)
		}
		require.Len(t, e.Requests(), 3)
	})
	for status, kind := range map[int]llm.Kind{
		400: llm.KindBadRequest, 401: llm.KindAuth, 403: llm.KindAuth, 404: llm.KindBadRequest,
		413: llm.KindBadRequest, 503: llm.KindOverloaded, 529: llm.KindOverloaded,
	} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			e := s.newEnvironment(t, 0, JSON(status, s.RateLimitBody))
			require.Equal(t, status, e.requireError(t, kind).Status)
		})
	}
	t.Run("unknown model", func(t *testing.T) {
		e := s.newEnvironment(t, 0, JSON(404, s.RateLimitBody))
		require.ErrorContains(t, e.requireError(t, llm.KindBadRequest), "there is no such model")
	})
	t.Run("redirects", func(t *testing.T) {
		target := NewServer(t, Stream(s.Text("Hello")...))
		for _, status := range []int{302, 307, 308} {
			e := s.newEnvironment(t, 0, JSON(status, "", "Location", target.URL))
			e.requireError(t, llm.KindBadRequest)
		}
		require.Empty(t, target.Requests())
	})
}

func (s Suite) testCancellation(t *testing.T) {
	t.Run("during the stream", func(t *testing.T) {
		for range 20 {
			e := s.newEnvironment(t, 0, StreamThenHang(s.PartialText...))
			ctx, cancel := context.WithCancel(t.Context())
			_, err := e.model.GenerateContent(ctx, Messages(), llms.WithStreamingFunc(func(context.Context, []byte) error {
				cancel()
				return nil
			}))
			require.ErrorIs(t, err, context.Canceled)
			require.Equal(t, llm.KindCancelled, llm.KindOf(err))
		}
	})
	t.Run("after the complete response", func(t *testing.T) {
		e := s.newEnvironment(t, 0, Stream(s.Text("Hello")...))
		ctx, cancel := context.WithCancel(t.Context())
		_, err := e.model.GenerateContent(ctx, Messages(), llms.WithStreamingFunc(func(context.Context, []byte) error {
			cancel()
			return nil
		}))
		require.Equal(t, llm.KindCancelled, llm.KindOf(err))
	})
	t.Run("before the request", func(t *testing.T) {
		e := s.newEnvironment(t, 0, Hang())
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := e.generate(ctx)
		require.Equal(t, llm.KindCancelled, llm.KindOf(err))
		require.Empty(t, e.Requests())
	})
	t.Run("deadline", func(t *testing.T) {
		e := s.newEnvironment(t, 0, StreamThenHang(s.PartialText...))
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := e.generate(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, llm.KindTimeout, llm.KindOf(err))
	})
	t.Run("streaming function fails", func(t *testing.T) {
		e := s.newEnvironment(t, 0, StreamThenHang(s.PartialText...))
		_, err := e.model.GenerateContent(
			t.Context(),
			Messages(),
			llms.WithStreamingFunc(func(context.Context, []byte) error {
				return http.ErrAbortHandler
			}),
		)
		require.ErrorIs(t, err, http.ErrAbortHandler)
		require.Equal(t, llm.KindCancelled, llm.KindOf(err))
	})
}
