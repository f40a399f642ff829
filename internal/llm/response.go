package llm

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/tmc/langchaingo/llms"
)

// Stop reasons, the same for all providers, as [llms.ContentChoice].StopReason.
const (
	StopEnd       = "stop"
	StopToolCalls = "tool_calls"
	// StopLength: the token limit cut the text. It never comes with tool calls.
	StopLength = "length"
	// StopPaused: the provider paused a long response, which the next call continues.
	StopPaused = "paused"
	// StopFiltered: a content filter withheld the response. It becomes an error.
	StopFiltered = "filtered"
	// StopMalformed: the model called a tool in a form that the provider could not read, or must not call one. It becomes
	// an error.
	StopMalformed = "malformed"
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
	// InfoWrittenCalls is true if the model wrote a tool call as text, because of a setting of its server (bool).
	InfoWrittenCalls = "WrittenCalls"
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
	client *Client
	onText func(context.Context, []byte) error
	tools  []Tool
	// noToolCalls means that the model must not call tools.
	noToolCalls bool
	textOutput
	toolCalls []llms.ToolCall

	// StopReason is one of the Stop constants, "" until the provider reports it.
	StopReason string
	// Usage is the latest report.
	Usage Usage
	// ProviderParts is the raw form of the [ProviderParts]; nil for none.
	ProviderParts json.RawMessage
}

// Unmarshal decodes the JSON of an event into v. It returns an *Error if data reports a failure of the provider or is
// not an object. A member of another type than v's is left out; the first of a client is logged.
func (r *Response) Unmarshal(data []byte, v any) error {
	if report, ok := parseErrorReport(data); ok {
		e := r.client.newError(report.kind(0), "the provider reported an error in the stream")
		e.RetryAfter = report.retryDelay
		if e.Reason = report.reason(0); reasonDetails[e.Reason] != "" {
			e.Detail += ": " + reasonDetails[e.Reason]
		}
		return e
	}
	err := json.Unmarshal(data, v)
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) && mismatch.Field != "" {
		r.client.warnOnce("member", "the provider sends a member of an unexpected type, which is ignored",
			"member", mismatch.Field) // the path of v's own tags
		return nil
	}
	if err != nil {
		return r.Malformed()
	}
	return nil
}

// Malformed returns the error for an event that violates the protocol.
func (r *Response) Malformed() error {
	e := r.client.newError(KindUnavailable, "an event of the response is malformed")
	e.malformed = true
	return e
}

// finishUnstreamed ends a response that arrived as one JSON body. The body is complete and needs no stop reason, but
// without any content it is no response of the API.
func (r *Response) finishUnstreamed(ctx context.Context, d Decoder) error {
	if err := r.finish(ctx, d); err != nil {
		return err
	}
	if r.StopReason != "" {
		return nil
	}
	if r.text.Len() == 0 && len(r.toolCalls) == 0 && !r.misplacedCall {
		return r.client.newReasonError(KindUnavailable, ReasonNotAnAPI)
	}
	r.StopReason = StopEnd
	return nil
}

// isMalformed reports whether err is of [Response.Malformed].
func isMalformed(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.malformed
}

// AddToolCall appends a tool call with the fragments of its arguments, which [JoinArguments] joins. The call gets the
// name of an offered tool and a JSON object as arguments, where possible. A call with unusable arguments or an unknown
// name is kept: executing it fails, and the model reads why. The call is returned as histories will have it.
func (r *Response) AddToolCall(id, name string, arguments ...string) Call {
	name = cmp.Or(canonicalToolName(storable(name), r.tools), unknownTool)
	object, usable := parseArguments(storable(JoinArguments(arguments...)))
	if !usable {
		object = object[:min(len(object), maxUnusable)]
	}
	joined := storable(string(object))
	tc := llms.ToolCall{ID: id, Type: "function", FunctionCall: &llms.FunctionCall{Name: name, Arguments: joined}}
	r.toolCalls = append(r.toolCalls, tc)
	return newCall(tc, 0, len(r.toolCalls))
}

// IsOffered reports whether name means a tool that the model may call.
func (r *Response) IsOffered(name string) bool {
	canonical := canonicalToolName(name, r.tools)
	return slices.ContainsFunc(r.tools, func(t Tool) bool { return t.Name == canonical })
}

// result checks the complete response and converts it.
func (r *Response) result() (*llms.ContentResponse, error) {
	if err := r.check(); err != nil {
		var e *Error
		if errors.As(err, &e) { // the provider charges an answer that cannot be used too
			e.Usage = r.Usage
		}
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
	if r.wroteCalls {
		info[InfoWrittenCalls] = true
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
		return r.client.newReasonError(KindBadRequest, ReasonContentFilter)
	case r.StopReason == StopMalformed:
		return r.newFailure(ReasonMalformedCall, "the provider could not read the model's tool call")
	case r.StopReason == StopFailed:
		return r.client.newError(KindUnavailable, "the provider aborted the response")
	case r.StopReason == StopLength && len(r.toolCalls) > 0:
		return r.newFailure(ReasonTokenLimit, "the token limit cut a tool call")
	case r.StopReason == StopLength && r.text.Len() == 0:
		return r.newFailure(ReasonTokenLimit, "the token limit was reached before any text")
	case r.misplacedCall && r.text.Len() == 0:
		return r.newFailure(ReasonMalformedCall, "the model writes tool calls as text")
	case r.StopReason == StopToolCalls && len(r.toolCalls) == 0:
		return r.client.newError(KindTruncated, "the stop reason is tool_calls, but there is no tool call")
	case len(r.toolCalls) > maxToolCalls:
		return r.client.newError(KindUnavailable, "the response has too many tool calls")
	}
	r.setCallIDs()
	return nil
}

// newFailure returns the error of a complete response that cannot be used.
func (r *Response) newFailure(reason Reason, detail string) *Error {
	e := r.client.newError(KindTruncated, detail)
	e.Reason = reason
	return e
}

// maxCallID is the maximum length of a call id in bytes; longer ones are replaced.
const maxCallID = 255

// setCallIDs gives each call a unique id that can be stored.
func (r *Response) setCallIDs() {
	seen := map[string]bool{}
	for i := range r.toolCalls {
		c := &r.toolCalls[i]
		c.ID = storable(c.ID)
		if len(c.ID) > maxCallID {
			c.ID = ShortCallID(c.ID)
		}
		if c.ID == "" || seen[c.ID] {
			c.ID = "call_" + rand.Text()
		}
		seen[c.ID] = true
	}
}

// storable returns text without NUL and invalid UTF-8, which PostgreSQL rejects.
func storable(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "")
}
