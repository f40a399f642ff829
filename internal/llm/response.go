package llm

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"strings"

	"github.com/tmc/langchaingo/llms"
)

// Stop reasons, the same for all providers, as [llms.ContentChoice].StopReason.
const (
	StopEnd       = "stop"
	StopToolCalls = "tool_calls"
	// StopLength: the token limit cut the text. It never comes with tool calls.
	StopLength = "length"
	// StopFiltered: a content filter withheld the response. It becomes an error.
	StopFiltered = "filtered"
	// StopFailed: the provider aborted the response. It becomes an error.
	StopFailed = "failed"
)

// Keys of [llms.ContentChoice].GenerationInfo.
const (
	// InfoInputTokens is the number of all tokens of the prompt, cached ones included (int).
	InfoInputTokens = "InputTokens"
	// InfoOutputTokens is the number of all generated tokens, thinking included (int).
	InfoOutputTokens = "OutputTokens"
	// InfoCachedTokens is the number of prompt tokens read from the provider's cache (int).
	InfoCachedTokens = "CachedTokens"
	// InfoProvider and InfoModel name the provider and the model of the response (string).
	InfoProvider = "Provider"
	InfoModel    = "Model"
	// InfoParts holds the [ProviderParts] of the response, if there are any.
	InfoParts = "ProviderParts"
)

// Usage is the number of tokens of one call, as defined by the Info keys. It is zero if the server reports none.
type Usage struct{ Input, Output, Cached int }

// maxToolCalls is the maximum number of tool calls in one response.
const maxToolCalls = 128

const detailTruncated = "the stream ended before the response was complete"

// Response accumulates one response from the events of its stream. A [Decoder] fills it.
type Response struct {
	client    *Client
	onText    func(context.Context, []byte) error
	text      strings.Builder
	toolCalls []llms.ToolCall

	// StopReason is one of the Stop constants, "" until the provider reports it.
	StopReason string
	// Usage is the latest report.
	Usage Usage
	// ProviderParts is the raw form of the [ProviderParts]; nil for none.
	ProviderParts json.RawMessage
}

// Unmarshal decodes the JSON of an event into v. It returns an *Error if data reports a failure of the provider or
// does not fit v.
func (r *Response) Unmarshal(data []byte, v any) error {
	if report, ok := parseErrorReport(data); ok {
		e := r.client.newError(report.kind(0), "the provider reported an error in the stream")
		e.RetryAfter = report.retryDelay
		return e
	}
	if json.Unmarshal(data, v) != nil {
		return r.Malformed()
	}
	return nil
}

// Malformed returns the error for an event that violates the protocol.
func (r *Response) Malformed() error {
	return r.client.newError(KindUnavailable, "an event of the response is malformed")
}

// AddText appends text to the response and passes it to the streaming function. The chunks passed on are, joined,
// exactly the content of the response.
func (r *Response) AddText(ctx context.Context, text string) error {
	if text == "" {
		return nil
	}
	if ctx.Err() != nil {
		return r.client.contextError(ctx)
	}
	r.text.WriteString(text)
	if r.onText == nil {
		return nil
	}
	if err := r.onText(ctx, []byte(text)); err != nil {
		e := r.client.newError(KindCancelled, "the streaming function returned an error")
		e.cause = err
		return e
	}
	return nil
}

// AddToolCall appends a tool call. The arguments are checked when the response is complete.
func (r *Response) AddToolCall(id, name, arguments string) {
	r.toolCalls = append(r.toolCalls, llms.ToolCall{
		ID:           id,
		Type:         "function",
		FunctionCall: &llms.FunctionCall{Name: name, Arguments: arguments},
	})
}

// result checks the complete response and converts it.
func (r *Response) result() (*llms.ContentResponse, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	provider, model := r.client.config.Provider, r.client.config.Model
	info := map[string]any{
		InfoInputTokens:  r.Usage.Input,
		InfoOutputTokens: r.Usage.Output,
		InfoCachedTokens: r.Usage.Cached,
		InfoProvider:     provider,
		InfoModel:        model,
	}
	if r.ProviderParts != nil {
		info[InfoParts] = ProviderParts{Provider: provider, Model: model, Raw: r.ProviderParts}
	}
	choice := &llms.ContentChoice{
		Content:        r.text.String(),
		StopReason:     r.StopReason,
		ToolCalls:      r.toolCalls,
		GenerationInfo: info,
	}
	if len(r.toolCalls) > 0 {
		choice.StopReason = StopToolCalls
		choice.FuncCall = r.toolCalls[0].FunctionCall
	}
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{choice}}, nil
}

func (r *Response) check() error {
	switch {
	case r.StopReason == "":
		return r.client.newError(KindTruncated, detailTruncated)
	case r.StopReason == StopFiltered:
		return r.client.newError(KindBadRequest, "the provider's content filter withheld the response")
	case r.StopReason == StopFailed:
		return r.client.newError(KindUnavailable, "the provider aborted the response")
	case r.StopReason == StopLength && len(r.toolCalls) > 0:
		return r.client.newError(KindTruncated, "the token limit cut a tool call")
	case r.StopReason == StopLength && r.text.Len() == 0:
		return r.client.newError(KindTruncated, "the token limit was reached before any text")
	case r.StopReason == StopToolCalls && len(r.toolCalls) == 0:
		return r.client.newError(KindTruncated, "the stop reason is tool_calls, but there is no tool call")
	case len(r.toolCalls) > maxToolCalls:
		return r.client.newError(KindUnavailable, "the response has too many tool calls")
	}
	return r.checkToolCalls()
}

// checkToolCalls checks names and arguments and gives each call a unique id.
func (r *Response) checkToolCalls() error {
	seen := map[string]bool{}
	for i := range r.toolCalls {
		c := &r.toolCalls[i]
		args, ok := parseArguments(c.FunctionCall.Arguments)
		if !ok || c.FunctionCall.Name == "" {
			return r.client.newError(KindTruncated, "a tool call is incomplete")
		}
		c.FunctionCall.Arguments = string(args)
		if c.ID == "" || seen[c.ID] {
			c.ID = "call_" + rand.Text()
		}
		seen[c.ID] = true
	}
	return nil
}

// parseArguments reports whether s, the arguments of a tool call, is a JSON object. Empty text and null mean an empty
// object.
func parseArguments(s string) (json.RawMessage, bool) {
	s = strings.TrimSpace(s)
	if s == "" || s == "null" {
		return json.RawMessage(`{}`), true
	}
	return json.RawMessage(s), s[0] == '{' && json.Valid([]byte(s))
}
