package llm

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"strings"

	"github.com/tmc/langchaingo/llms"
)

// Stop reasons, the same for all providers, as [llms.ContentChoice].StopReason.
const (
	StopEnd       = "stop"
	StopToolCalls = "tool_calls"
	// StopLength: the text was cut by the token limit. Tool calls never come with it.
	StopLength = "length"
	// StopRefused marks an answer withheld by a filter; it becomes an error.
	StopRefused = "refused"
	// StopFailed marks an answer its provider gave up on; it becomes an error.
	StopFailed = "failed"
)

// maxCalls bounds the tool calls of one answer.
const maxCalls = 128

var errNoFunction = errors.New("no function")

// Reply assembles one answer from what a provider streams.
type Reply struct {
	wire   *Wire
	onText func(context.Context, []byte) error
	text   strings.Builder

	// Calls are the tool calls so far, in order.
	Calls []llms.ToolCall
	// Stop is one of the Stop constants, "" until the terminal event.
	Stop string
	// Usage is the newest report.
	Usage Usage
	// Model names the model that was asked.
	Model string
	// Extra is what the provider wants to see again; nil for none.
	Extra json.RawMessage
}

// NewReply starts an answer of the model.
func (w *Wire) NewReply(o Options, model string) *Reply {
	return &Reply{wire: w, onText: o.OnText, Model: model}
}

// Text adds a piece of the answer and passes it on. The pieces passed on are,
// joined, exactly the answer's content.
func (r *Reply) Text(ctx context.Context, piece string) error {
	if piece == "" {
		return nil
	}
	if ctx.Err() != nil {
		return r.wire.contextError(ctx)
	}
	r.text.WriteString(piece)
	if r.onText == nil {
		return nil
	}
	if err := r.onText(ctx, []byte(piece)); err != nil {
		e := r.wire.fail(KindCancelled, "the answer's receiver stopped it")
		e.cause = err
		return e
	}
	return nil
}

// Content is the text so far.
func (r *Reply) Content() string { return r.text.String() }

// Call adds a tool call. Arguments are checked at the end.
func (r *Reply) Call(id, name, arguments string) {
	r.Calls = append(
		r.Calls,
		llms.ToolCall{ID: id, Type: "function", FunctionCall: &llms.FunctionCall{Name: name, Arguments: arguments}},
	)
}

// Finish checks the answer and gives it its final form.
func (r *Reply) Finish() (*llms.ContentResponse, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	info := map[string]any{
		InfoInputTokens: r.Usage.Input, InfoOutputTokens: r.Usage.Output, InfoCachedTokens: r.Usage.Cached,
		InfoProvider: r.wire.Provider, InfoModel: r.Model,
	}
	if r.Extra != nil {
		info[InfoParts] = ProviderParts{Provider: r.wire.Provider, Model: r.Model, Raw: r.Extra}
	}
	choice := &llms.ContentChoice{Content: r.Content(), StopReason: r.Stop, ToolCalls: r.Calls, GenerationInfo: info}
	if len(r.Calls) > 0 {
		choice.StopReason = StopToolCalls
		choice.FuncCall = r.Calls[0].FunctionCall
	}
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{choice}}, nil
}

func (r *Reply) check() error {
	switch {
	case r.Stop == "":
		return r.wire.fail(KindTruncated, "the stream ended before the answer did")
	case r.Stop == StopRefused:
		return r.wire.fail(KindBadRequest, "the provider's filter withheld the answer")
	case r.Stop == StopFailed:
		return r.wire.fail(KindUnavailable, "the provider gave up inside the answer")
	case r.Stop == StopLength && len(r.Calls) > 0:
		return r.wire.fail(KindTruncated, "the token limit cut a tool call")
	case r.Stop == StopLength && r.text.Len() == 0:
		return r.wire.fail(KindTruncated, "the token limit left no answer")
	case r.Stop == StopToolCalls && len(r.Calls) == 0:
		return r.wire.fail(KindTruncated, "tool calls were announced but none came")
	case len(r.Calls) > maxCalls:
		return r.wire.fail(KindUnavailable, "the answer holds too many tool calls")
	}
	return r.checkCalls()
}

// checkCalls gives every call an id of its own and proper arguments.
func (r *Reply) checkCalls() error {
	seen := map[string]bool{}
	for i := range r.Calls {
		c := &r.Calls[i]
		args, ok := object(c.FunctionCall.Arguments)
		if !ok || c.FunctionCall.Name == "" {
			return r.wire.fail(KindTruncated, "a tool call is not complete")
		}
		c.FunctionCall.Arguments = string(args)
		if c.ID == "" || seen[c.ID] {
			c.ID = "call_" + rand.Text()
		}
		seen[c.ID] = true
	}
	return nil
}

// object reads the arguments of a call: a JSON object, where nothing at all
// means an empty one.
func object(s string) (json.RawMessage, bool) {
	s = strings.TrimSpace(s)
	if s == "" || s == "null" {
		return json.RawMessage(`{}`), true
	}
	return json.RawMessage(s), s[0] == '{' && json.Valid([]byte(s))
}
