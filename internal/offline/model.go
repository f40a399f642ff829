package offline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
	"time"

	"github.com/tmc/langchaingo/llms"
)

// Options configures a Model. The zero value is ready for use.
type Options struct {
	// Pace is the pause between two words while streaming; 0 streams without pauses.
	Pace time.Duration
}

// Model is the offline llms.Model. It holds no state and is safe for concurrent use.
type Model struct{ pace time.Duration }

var _ llms.Model = (*Model)(nil)

// New returns a Model.
func New(o Options) *Model { return &Model{pace: o.Pace} }

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
	v := replayTurns(turns, now, offeredTools(o))
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
	if len(requested) == 0 {
		return nil
	}
	h := sha256.New()
	for _, msg := range messages {
		digest(h, msg)
	}
	sum := hex.EncodeToString(h.Sum(nil))[:20]
	calls := make([]llms.ToolCall, len(requested))
	for i, a := range requested {
		calls[i] = llms.ToolCall{
			ID: fmt.Sprintf("rules_%s_%d", sum, i), Type: "function",
			FunctionCall: &llms.FunctionCall{Name: a.name, Arguments: a.arguments()},
		}
	}
	return calls
}

func digest(h hash.Hash, msg llms.MessageContent) {
	fmt.Fprintf(h, "%s\x00", msg.Role)
	for _, p := range msg.Parts {
		switch p := p.(type) {
		case llms.TextContent:
			fmt.Fprintf(h, "t%q\x00", p.Text)
		case llms.ToolCall:
			fmt.Fprintf(h, "c%q\x00", p.ID)
		case llms.ToolCallResponse:
			fmt.Fprintf(h, "r%q%q\x00", p.ToolCallID, p.Content)
		}
	}
}

// usage counts words as tokens.
func usage(messages []llms.MessageContent, c *llms.ContentChoice) map[string]any {
	in, out := 0, words(c.Content)
	for _, msg := range messages {
		for _, p := range msg.Parts {
			switch p := p.(type) {
			case llms.TextContent:
				in += words(p.Text)
			case llms.ToolCallResponse:
				in += words(p.Content)
			case llms.ToolCall:
				if p.FunctionCall != nil {
					in += 1 + words(p.FunctionCall.Arguments)
				}
			}
		}
	}
	for _, call := range c.ToolCalls {
		out += 1 + words(call.FunctionCall.Arguments)
	}
	return map[string]any{"InputTokens": in, "OutputTokens": out, "CachedTokens": 0}
}

func words(s string) int { return len(strings.Fields(s)) }

// stream sends the text word by word, each with its trailing space.
func (m *Model) stream(ctx context.Context, content string, send func(context.Context, []byte) error) error {
	if send == nil {
		return ctx.Err()
	}
	for i, chunk := range chunks(content) {
		if i > 0 && m.pace > 0 {
			if err := pause(ctx, m.pace); err != nil {
				return err
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := send(ctx, []byte(chunk)); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// chunks splits s after each run of white space.
func chunks(s string) []string {
	var all []string
	start := 0
	for i := 1; i < len(s); i++ {
		if isSpace(s[i-1]) && !isSpace(s[i]) {
			all = append(all, s[start:i])
			start = i
		}
	}
	if start < len(s) {
		all = append(all, s[start:])
	}
	return all
}

func isSpace(b byte) bool { return b == ' ' || b == '\n' || b == '\t' }
