package offline_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"errand/internal/offline"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

func hello() []llms.MessageContent {
	return []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "hello")}
}

func TestGenerateContent_Text_StreamsWordByWord(t *testing.T) {
	var chunks []string
	r, err := offline.New(offline.Options{}).GenerateContent(context.Background(), hello(),
		llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
			chunks = append(chunks, string(chunk))
			return nil
		}))
	require.NoError(t, err)
	require.Equal(t, r.Choices[0].Content, strings.Join(chunks, ""))
	require.Len(t, chunks, len(strings.Fields(r.Choices[0].Content)))
	require.Equal(t, "Hello! ", chunks[0])
	require.Equal(t, "stop", r.Choices[0].StopReason)
	require.Equal(
		t,
		map[string]any{"InputTokens": 1, "OutputTokens": len(chunks), "CachedTokens": 0},
		r.Choices[0].GenerationInfo,
	)
}

func TestGenerateContent_Pace_PausesBetweenWords(t *testing.T) {
	const pace = 2 * time.Millisecond
	words := 0
	started := time.Now()
	_, err := offline.New(offline.Options{Pace: pace}).GenerateContent(context.Background(), hello(),
		llms.WithStreamingFunc(func(context.Context, []byte) error { words++; return nil }))
	require.NoError(t, err)
	require.GreaterOrEqual(t, time.Since(started), time.Duration(words-1)*pace)
}

func TestGenerateContent_Cancelled_StopsStream(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	got := 0
	// With this pace the test ends only if the cancellation ends the pause.
	r, err := offline.New(offline.Options{Pace: time.Hour}).GenerateContent(ctx, hello(),
		llms.WithStreamingFunc(func(context.Context, []byte) error {
			got++
			cancel()
			return nil
		}))
	require.ErrorIs(t, err, context.Canceled)
	require.Nil(t, r)
	require.Equal(t, 1, got)
}

func TestGenerateContent_CancelledAtLastWord_ReturnsError(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_, err := offline.New(offline.Options{}).GenerateContent(ctx,
		[]llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "ok")},
		llms.WithStreamingFunc(func(context.Context, []byte) error { cancel(); return nil }))
	require.ErrorIs(t, err, context.Canceled)
	_, err = offline.New(offline.Options{}).GenerateContent(ctx, hello())
	require.ErrorIs(t, err, context.Canceled)
}

func TestGenerateContent_StreamingFuncError_IsReturned(t *testing.T) {
	full := errors.New("no room")
	_, err := offline.New(offline.Options{}).GenerateContent(context.Background(), hello(),
		llms.WithStreamingFunc(func(context.Context, []byte) error { return full }))
	require.ErrorIs(t, err, full)
}

func TestGenerateContent_SameConversation_SameAnswer(t *testing.T) {
	ids := func() []string {
		w := standard(t)
		w.say("delete the meeting task and add milk")
		w.say("add milk")
		w.say("add milk")
		var all []string
		for _, m := range w.messages {
			for _, p := range m.Parts {
				if c, ok := p.(llms.ToolCall); ok {
					require.Equal(t, "function", c.Type)
					all = append(all, c.ID)
				}
			}
		}
		return all
	}
	first := ids()
	require.Len(t, first, 4) // unique within the conversation: the fixture checks that
	require.Equal(t, first, ids())
}

func TestGenerateContent_ToolCalls_HaveNoText(t *testing.T) {
	w := standard(t)
	w.messages = append(w.messages, llms.TextParts(llms.ChatMessageTypeHuman, "add milk and eggs"))
	c := w.step(offeredTools)
	require.Equal(t, "tool_calls", c.StopReason)
	require.Len(t, c.ToolCalls, 1)
	require.Equal(t, 4, c.GenerationInfo["OutputTokens"]) // the name, and three words of arguments
}

func TestCall_Prompt_ReturnsText(t *testing.T) {
	text, err := offline.New(offline.Options{}).Call(context.Background(), "thanks")
	require.NoError(t, err)
	require.Equal(t, "You are welcome.", text)
}

func TestGenerateContent_EmptyConversation_Greets(t *testing.T) {
	r, err := offline.New(offline.Options{}).GenerateContent(context.Background(), nil)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(r.Choices[0].Content, "Hello!"))
}
