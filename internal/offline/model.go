package offline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/tmc/langchaingo/llms"
)

// Options configures a Model. The zero value is ready for use.
type Options struct {
	// Pace is the pause between two words while streaming; 0 streams without pauses.
	Pace time.Duration
}

// Model is the offline llms.Model. It holds no state but a cache, and is safe for concurrent use.
type Model struct {
	pace time.Duration
	read *reader
}

var _ llms.Model = (*Model)(nil)

// New returns a Model.
func New(o Options) *Model { return &Model{pace: o.Pace, read: newReader()} }

// GenerateContent answers the conversation with tool calls or with text, never both. The
// text goes word by word to the streaming function; joined, the words are Choices[0].Content. A cancelled
// ctx gives ctx.Err(), an error of the streaming function is returned as it is.
func (m *Model) GenerateContent(
	ctx context.Context,
	messages []llms.MessageContent,
	options ...llms.CallOption,
) (*llms.ContentResponse, error) {
	var o llms.CallOptions
	for _, option := range options {
		option(&o)
	}
	turns, now := parseConversation(messages)
	v := replayTurns(m.read, turns, now, offeredTools(o))
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	choice := &llms.ContentChoice{StopReason: "tool_calls", ToolCalls: toolCalls(messages, v.calls)}
	if len(v.calls) == 0 {
		choice.StopReason, choice.Content = "stop", v.reply
		if err := m.stream(ctx, choice.Content, o.StreamingFunc); err != nil {
			return nil, err
		}
	}
	choice.GenerationInfo = usage(messages, choice)
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{choice}}, nil
}

// Call answers a single prompt. Without tools the answer is text.
func (m *Model) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, m, prompt, options...)
}

// offeredTools returns a predicate for the tools that the caller offers.
func offeredTools(o llms.CallOptions) func(string) bool {
	names := map[string]bool{}
	for _, t := range o.Tools {
		if t.Function != nil && o.ToolChoice != "none" {
			names[t.Function.Name] = true
		}
	}
	return func(name string) bool { return names[name] }
}

// toolCalls assigns each call an id: a digest of the conversation and the index of the call. The id is the same
// for the same input and differs between steps, because each step extends the conversation.
func toolCalls(messages []llms.MessageContent, requested []toolCall) []llms.ToolCall {
	h := sha256.New()
	for _, m := range messages {
		fmt.Fprintf(h, "%s %q\n", m.Role, texts(m))
	}
	sum := hex.EncodeToString(h.Sum(nil))[:20]
	var calls []llms.ToolCall
	for i, c := range requested {
		calls = append(calls, llms.ToolCall{
			ID:           fmt.Sprintf("rules_%s_%d", sum, i),
			Type:         "function",
			FunctionCall: &llms.FunctionCall{Name: c.name, Arguments: c.arguments()},
		})
	}
	return calls
}

// texts returns the parts of a message as texts.
func texts(m llms.MessageContent) []string {
	all := make([]string, len(m.Parts))
	for i, p := range m.Parts {
		switch p := p.(type) {
		case llms.TextContent:
			all[i] = p.Text
		case llms.ToolCallResponse:
			all[i] = p.Content
		case llms.ToolCall:
			if p.FunctionCall != nil {
				all[i] = p.FunctionCall.Name + " " + p.FunctionCall.Arguments
			}
		}
	}
	return all
}

// usage counts words as tokens.
func usage(messages []llms.MessageContent, c *llms.ContentChoice) map[string]any {
	in, out := 0, len(strings.Fields(c.Content))
	for _, m := range messages {
		in += len(strings.Fields(strings.Join(texts(m), " ")))
	}
	for _, call := range c.ToolCalls {
		out += 1 + len(strings.Fields(call.FunctionCall.Arguments))
	}
	return map[string]any{"InputTokens": in, "OutputTokens": out, "CachedTokens": 0}
}

// stream sends the text word by word, each with its trailing space.
func (m *Model) stream(ctx context.Context, content string, send func(context.Context, []byte) error) error {
	if send == nil {
		return ctx.Err()
	}
	for i, word := range strings.SplitAfter(strings.TrimSpace(content), " ") {
		if i > 0 && m.pace > 0 {
			select {
			case <-time.After(m.pace):
			case <-ctx.Done():
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := send(ctx, []byte(word)); err != nil {
			return err
		}
	}
	return ctx.Err()
}
