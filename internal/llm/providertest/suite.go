package providertest

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
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

// APIKey is the key that every provider under test is given. It and [ProviderText] must
// never show.
const (
	APIKey  = "sk-planted-key-4711"
	ProviderText = "planted-provider-text"
)

// Call is a tool call as a test expects it.
type Call struct{ Name, Arguments string }

// Suite is how a wire says what the suite needs said. Frames are whole
// events with their blank line.
type Suite struct {
	// NewModel makes the provider under test.
	NewModel func(t *testing.T, url string, w llm.Wire) llms.Model
	// Text is a complete answer in the given pieces, usage 11 in, 7 out, 3 cached.
	Text func(pieces ...string) []string
	// PartialText is a stream that has said "Hel" and goes on.
	PartialText []string
	// ToolCalls is a complete answer with text "On it." and two parallel calls,
	// add_task {"title":"a b"} and list_tasks with no arguments, as hostile as the wire allows.
	ToolCalls []string
	// UnfinishedCall ends cleanly inside a call's arguments, without the terminal event.
	UnfinishedCall []string
	// CallAtTokenLimit is complete, but the token limit fell inside a call.
	CallAtTokenLimit []string
	// InvalidArguments is complete, with arguments that are no JSON object.
	InvalidArguments []string
	// ContentFiltered is complete, withheld by a filter.
	ContentFiltered []string
	// ErrorEvent reports overload inside the stream and quotes [Leak].
	ErrorEvent string
	// UnstreamedText is an unstreamed answer "Hello".
	UnstreamedText string
	// RateLimitBody is an error report that quotes [Leak].
	RateLimitBody string
}

type environment struct {
	*Server
	model  llms.Model
	waits  []time.Duration
	log    bytes.Buffer
	chunks []string
}

func (d Suite) newEnvironment(t *testing.T, idle time.Duration, script ...Step) *environment {
	t.Helper()
	b := &environment{Server: NewServer(t, script...)}
	b.model = d.NewModel(t, b.URL, llm.Wire{
		Client: b.Client, IdleTimeout: idle, MaxAnswer: 2 * llm.MaxLine, Log: slog.New(slog.NewTextHandler(&b.log, nil)),
		Retry: llm.Retry{
			Jitter: func() float64 { return 0.5 },
			Sleep: func(_ context.Context, d time.Duration) error {
				b.waits = append(b.waits, d)
				return nil
			},
		},
	})
	return b
}

func (b *environment) generate(ctx context.Context) (*llms.ContentChoice, error) {
	resp, err := b.model.GenerateContent(ctx, Messages(), llms.WithTools(Tools()),
		llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
			b.chunks = append(b.chunks, string(chunk))
			return nil
		}))
	if err != nil {
		return nil, err
	}
	return resp.Choices[0], nil
}

// requireError asks and demands an error of the kind that shows nothing planted.
func (b *environment) requireError(t *testing.T, kind llm.Kind) *llm.Error {
	t.Helper()
	_, err := b.generate(t.Context())
	var e *llm.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, kind, e.Kind, "%v", err)
	b.requireNoSecrets(t, err)
	return e
}

func (b *environment) requireNoSecrets(t *testing.T, err error) {
	t.Helper()
	shown := fmt.Sprintf("%v %+v %#v %s %+v", err, err, err, b.log.String(), b.model)
	require.NotContains(t, shown, APIKey)
	require.NotContains(t, shown, ProviderText)
	require.NotContains(t, shown, "What is open?")
}

// Messages is a small conversation.
func Messages() []llms.MessageContent {
	return []llms.MessageContent{
		llms.TextParts(llms.ChatMessageTypeSystem, "You keep a task list."),
		llms.TextParts(llms.ChatMessageTypeHuman, "What is open?"),
	}
}

// Tools are two declarations.
func Tools() []llms.Tool {
	schema := map[string]any{
		"type":                 "object",
		"properties":           map[string]any{"title": map[string]any{"type": "string"}},
		"additionalProperties": false,
	}
	return []llms.Tool{
		{
			Type:     "function",
			Function: &llms.FunctionDefinition{Name: "add_task", Description: "Adds a task.", Parameters: schema},
		},
		{Type: "function", Function: &llms.FunctionDefinition{Name: "list_tasks", Description: "Lists tasks."}},
	}
}

// RunSuite puts a provider through every case.
func RunSuite(t *testing.T, d Suite) {
	t.Run("answers", func(t *testing.T) { d.testResponses(t) })
	t.Run("broken answers", func(t *testing.T) { d.testInvalidResponses(t) })
	t.Run("broken connections", func(t *testing.T) { d.testConnectionFailures(t) })
	t.Run("refusals", func(t *testing.T) { d.testHTTPErrors(t) })
	t.Run("cancelling", func(t *testing.T) { d.testCancellation(t) })
}

func (d Suite) testResponses(t *testing.T) {
	t.Run("text is streamed and counted", func(t *testing.T) {
		b := d.newEnvironment(t, 0, Stream(d.Text("Two ", "tasks ", "äöü 🦊.")...))
		c, err := b.generate(t.Context())
		require.NoError(t, err)
		require.Equal(t, "Two tasks äöü 🦊.", c.Content)
		require.Equal(t, []string{"Two ", "tasks ", "äöü 🦊."}, b.chunks)
		require.Equal(t, llm.StopEnd, c.StopReason)
		require.Equal(t, 11, c.GenerationInfo[llm.InfoInputTokens])
		require.Equal(t, 7, c.GenerationInfo[llm.InfoOutputTokens])
		require.Equal(t, 3, c.GenerationInfo[llm.InfoCachedTokens])
		require.NotContains(t, b.Requests()[0].JSON(t), "temperature")
		b.requireNoSecrets(t, nil)
	})
	t.Run("parallel calls keep apart and out of the text", func(t *testing.T) {
		b := d.newEnvironment(t, 0, Stream(d.ToolCalls...))
		c, err := b.generate(t.Context())
		require.NoError(t, err)
		requireCalls(t, c)
		require.Equal(t, "On it.", strings.Join(b.chunks, ""))
	})
	t.Run("one byte at a time", func(t *testing.T) {
		all := strings.Join(d.ToolCalls, "")
		b := d.newEnvironment(t, 0, Stream(strings.Split(all, "")...))
		c, err := b.generate(t.Context())
		require.NoError(t, err)
		requireCalls(t, c)
	})
	t.Run("carriage returns and comments", func(t *testing.T) {
		all := ": keep-alive\n\nretry: 10\n\n" + strings.Join(d.ToolCalls, ": still here\n\n")
		b := d.newEnvironment(t, 0, Stream(strings.ReplaceAll(all, "\n", "\r\n")))
		c, err := b.generate(t.Context())
		require.NoError(t, err)
		requireCalls(t, c)
	})
	t.Run("many at once", func(t *testing.T) {
		b := d.newEnvironment(t, 0, Stream(d.ToolCalls...))
		var all sync.WaitGroup
		answers := make([]*llms.ContentResponse, 16)
		for i := range answers {
			all.Go(func() { answers[i], _ = b.model.GenerateContent(t.Context(), Messages()) })
		}
		all.Wait()
		for _, a := range answers {
			require.NotNil(t, a)
			requireCalls(t, a.Choices[0])
		}
	})
	t.Run("plain JSON", func(t *testing.T) {
		b := d.newEnvironment(t, 0, JSON(200, " \n"+d.UnstreamedText))
		c, err := b.generate(t.Context())
		require.NoError(t, err)
		require.Equal(t, "Hello", c.Content)
		require.Equal(t, []string{"Hello"}, b.chunks)
	})
	t.Run("no last line feeds", func(t *testing.T) {
		all := strings.TrimRight(strings.Join(d.Text("Hello"), ""), "\n")
		b := d.newEnvironment(t, 0, Stream(all))
		c, err := b.generate(t.Context())
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

func (d Suite) testInvalidResponses(t *testing.T) {
	huge := "data: {\"x\":\"" + strings.Repeat("x", llm.MaxLine) + "\"}\n\n"
	pad := "data: {\"type\":\"ping\",\"x\":\"" + strings.Repeat("x", llm.MaxLine/2) + "\"}\n\n"
	flood := append(append([]string(nil), d.PartialText...), strings.Repeat(pad, 5))
	for name, c := range map[string]struct {
		kind   llm.Kind
		frames []string
	}{
		"empty body":             {llm.KindTruncated, nil},
		"no terminal event":      {llm.KindTruncated, d.PartialText},
		"cut inside arguments":   {llm.KindTruncated, d.UnfinishedCall},
		"limit inside arguments": {llm.KindTruncated, d.CallAtTokenLimit},
		"arguments not JSON":     {llm.KindTruncated, d.InvalidArguments},
		"filtered":               {llm.KindBadRequest, d.ContentFiltered},
		"error first":            {llm.KindOverloaded, []string{d.ErrorEvent}},
		"error after text":       {llm.KindOverloaded, append(append([]string(nil), d.PartialText...), d.ErrorEvent)},
		"malformed chunk":        {llm.KindUnavailable, append(append([]string(nil), d.PartialText...), "data: {\""+ProviderText+"\n\n")},
		"chunk of another shape": {llm.KindUnavailable, append(append([]string(nil), d.PartialText...), "data: 17\n\n")},
		"half an event at the end": {llm.KindTruncated, append(append([]string(nil), d.PartialText...),
			strings.TrimRight(d.PartialText[len(d.PartialText)-1], "}\n "))},
		"huge line": {llm.KindUnavailable, []string{huge}},
		"flood":     {llm.KindUnavailable, flood},
		"a web page": {llm.KindTruncated, []string{
			"<!doctype html><title>Sign in</title><p>" + ProviderText + "</p>\n",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			b := d.newEnvironment(t, 0, Stream(c.frames...))
			b.requireError(t, c.kind)
			require.Len(t, b.Requests(), 1, "an answer that has begun is not asked for again")
		})
	}
	t.Run("broken plain JSON", func(t *testing.T) {
		b := d.newEnvironment(t, 0, JSON(200, d.UnstreamedText[:len(d.UnstreamedText)-1]))
		b.requireError(t, llm.KindUnavailable)
	})
	t.Run("error as plain JSON", func(t *testing.T) {
		b := d.newEnvironment(t, 0, JSON(200, d.RateLimitBody))
		b.requireError(t, llm.KindRateLimit)
	})
}

func (d Suite) testConnectionFailures(t *testing.T) {
	const idle = 50 * time.Millisecond
	t.Run("reset inside the answer", func(t *testing.T) {
		b := d.newEnvironment(t, 0, StreamThenReset(d.PartialText...))
		b.requireError(t, llm.KindTruncated)
		require.Len(t, b.Requests(), 1)
	})
	t.Run("reset before the answer, then fine", func(t *testing.T) {
		b := d.newEnvironment(t, 0, StreamThenReset(), Stream(d.Text("Hello")...))
		c, err := b.generate(t.Context())
		require.NoError(t, err)
		require.Equal(t, "Hello", c.Content)
	})
	t.Run("stall inside the answer", func(t *testing.T) {
		b := d.newEnvironment(t, idle, StreamThenHang(d.PartialText...))
		b.requireError(t, llm.KindTimeout)
		require.Len(t, b.Requests(), 1)
	})
	t.Run("a drip that never makes a line", func(t *testing.T) {
		b := d.newEnvironment(
			t,
			idle,
			StreamSlowly(
				5*time.Millisecond,
				append(slices.Clone(d.PartialText), strings.Split("data: "+strings.Repeat("x", 10_000), "")...)...),
		)
		b.requireError(t, llm.KindTimeout)
		require.Len(t, b.Requests(), 1)
	})
	t.Run("a slow answer that goes on", func(t *testing.T) {
		b := d.newEnvironment(
			t,
			2*time.Second,
			StreamSlowly(50*time.Millisecond, d.Text(strings.Split(strings.Repeat("word ", 44), " ")...)...),
		)
		c, err := b.generate(t.Context())
		require.NoError(t, err, "the whole takes longer than the idle timeout, no piece does")
		require.Equal(t, strings.Repeat("word", 44), c.Content)
	})
	t.Run("silence before the answer", func(t *testing.T) {
		b := d.newEnvironment(t, idle, Hang())
		b.requireError(t, llm.KindTimeout)
		require.Len(t, b.Requests(), 1)
	})
	t.Run("nobody there", func(t *testing.T) {
		b := d.newEnvironment(t, 0, Hang())
		b.model = d.NewModel(t, "http://127.0.0.1:1", llm.Wire{Retry: llm.Retry{Attempts: 1}})
		b.requireError(t, llm.KindUnavailable)
	})
}

func (d Suite) testHTTPErrors(t *testing.T) {
	t.Run("429 with a wait, then fine", func(t *testing.T) {
		b := d.newEnvironment(t, 0, JSON(429, d.RateLimitBody, "Retry-After", "2"), Stream(d.Text("Hello")...))
		c, err := b.generate(t.Context())
		require.NoError(t, err)
		require.Equal(t, "Hello", c.Content)
		require.Equal(t, []time.Duration{2*time.Second + 250*time.Millisecond}, b.waits)
		require.Contains(t, b.log.String(), "rate_limit")
		b.requireNoSecrets(t, nil)
	})
	t.Run("429 with a long wait is handed on", func(t *testing.T) {
		b := d.newEnvironment(t, 0, JSON(429, d.RateLimitBody, "Retry-After", "90"))
		e := b.requireError(t, llm.KindRateLimit)
		require.Equal(t, 90*time.Second, e.RetryAfter)
		require.Empty(t, b.waits)
	})
	t.Run("500 for ever", func(t *testing.T) {
		b := d.newEnvironment(t, 0, JSON(500, ProviderText))
		e := b.requireError(t, llm.KindUnavailable)
		require.Equal(t, 500, e.Status)
		require.Equal(t, []time.Duration{375 * time.Millisecond, 750 * time.Millisecond}, b.waits)
		require.Len(t, b.Requests(), 3)
	})
	for status, kind := range map[int]llm.Kind{
		400: llm.KindBadRequest, 401: llm.KindAuth, 403: llm.KindAuth, 404: llm.KindBadRequest,
		413: llm.KindBadRequest, 503: llm.KindOverloaded, 529: llm.KindOverloaded,
	} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			b := d.newEnvironment(t, 0, JSON(status, d.RateLimitBody))
			require.Equal(t, status, b.requireError(t, kind).Status)
		})
	}
	t.Run("an unknown model is told to the operator", func(t *testing.T) {
		b := d.newEnvironment(t, 0, JSON(404, d.RateLimitBody))
		require.ErrorContains(t, b.requireError(t, llm.KindBadRequest), "there is no such model")
	})
	t.Run("redirects keep the key", func(t *testing.T) {
		thief := NewServer(t, Stream(d.Text("Hello")...))
		for _, status := range []int{302, 307, 308} {
			b := d.newEnvironment(t, 0, JSON(status, "", "Location", thief.URL))
			b.requireError(t, llm.KindBadRequest)
		}
		require.Empty(t, thief.Requests())
	})
}

func (d Suite) testCancellation(t *testing.T) {
	t.Run("in mid-stream, every time", func(t *testing.T) {
		for range 20 {
			b := d.newEnvironment(t, 0, StreamThenHang(d.PartialText...))
			ctx, cancel := context.WithCancel(t.Context())
			_, err := b.model.GenerateContent(ctx, Messages(), llms.WithStreamingFunc(func(context.Context, []byte) error {
				cancel()
				return nil
			}))
			require.ErrorIs(t, err, context.Canceled)
			require.Equal(t, llm.KindCancelled, llm.KindOf(err))
		}
	})
	t.Run("with everything received", func(t *testing.T) {
		b := d.newEnvironment(t, 0, Stream(d.Text("Hello")...))
		ctx, cancel := context.WithCancel(t.Context())
		_, err := b.model.GenerateContent(ctx, Messages(), llms.WithStreamingFunc(func(context.Context, []byte) error {
			cancel()
			return nil
		}))
		require.Equal(t, llm.KindCancelled, llm.KindOf(err))
	})
	t.Run("before it began", func(t *testing.T) {
		b := d.newEnvironment(t, 0, Hang())
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := b.generate(ctx)
		require.Equal(t, llm.KindCancelled, llm.KindOf(err))
		require.Empty(t, b.Requests())
	})
	t.Run("deadline", func(t *testing.T) {
		b := d.newEnvironment(t, 0, StreamThenHang(d.PartialText...))
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := b.generate(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, llm.KindTimeout, llm.KindOf(err))
	})
	t.Run("the receiver refuses", func(t *testing.T) {
		b := d.newEnvironment(t, 0, StreamThenHang(d.PartialText...))
		_, err := b.model.GenerateContent(
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
