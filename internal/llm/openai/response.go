package openai

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"errand/internal/llm"
)

// chunk is one event of the stream. With Message in place of Delta it is also the complete response of a server that
// did not stream.
type chunk struct {
	Object  string `json:"object"`
	Choices []struct {
		Index        int    `json:"index"`
		Delta        delta  `json:"delta"`
		Message      *delta `json:"message"`
		FinishReason string `json:"finish_reason"`
	} `json:"choices"`
	Usage *usage `json:"usage"`
}

type delta struct {
	Content          text                         `json:"content"`
	Refusal          string                       `json:"refusal"`
	ReasoningContent string                       `json:"reasoning_content"`
	ReasoningDetails []map[string]json.RawMessage `json:"reasoning_details"`
	ToolCalls        []callDelta                  `json:"tool_calls"`
}

type callDelta struct {
	Index    *int   `json:"index"`
	ID       string `json:"id"`
	Function struct {
		Name      string    `json:"name"`
		Arguments arguments `json:"arguments"`
	} `json:"function"`
	ExtraContent json.RawMessage `json:"extra_content"`
}

type usage struct {
	PromptTokens        int `json:"prompt_tokens"`
	CompletionTokens    int `json:"completion_tokens"`
	PromptTokensDetails struct {
		CachedTokens int `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
}

// text is a string, or the joined text parts of a list of parts.
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(data []byte) error {
	if data[0] != '[' {
		return json.Unmarshal(data, (*string)(t))
	}
	var parts []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	if err := json.Unmarshal(data, &parts); err != nil {
		return err
	}
	for _, p := range parts {
		if p.Type == "text" {
			*t += text(p.Text)
		}
	}
	return nil
}

// arguments is a fragment of JSON in a string. Some servers send the object itself.
type arguments string

// UnmarshalJSON implements json.Unmarshaler.
func (a *arguments) UnmarshalJSON(data []byte) error {
	if data[0] == '{' {
		*a = arguments(data)
		return nil
	}
	return json.Unmarshal(data, (*string)(a))
}

// maxToolCalls is the maximum number of tool calls in one stream.
const maxToolCalls = 256

// decoder decodes one response.
type decoder struct {
	response  *llm.Response
	toolCalls []*partialToolCall
	parts     savedParts
}

// partialToolCall is a tool call that deltas add to.
type partialToolCall struct {
	index        int
	id, name     string
	arguments    strings.Builder
	extraContent json.RawMessage
}

// Decode implements [llm.Decoder]. The terminal event is [DONE], but the response is complete after a finish_reason;
// only the usage follows it.
func (d *decoder) Decode(ctx context.Context, e llm.Event) (done bool, err error) {
	if string(e.Data) == "[DONE]" {
		return true, nil
	}
	var c chunk
	if err := d.response.Unmarshal(e.Data, &c); err != nil {
		return false, err
	}
	if e.Name == "error" || c.Object == "error" {
		return false, d.response.Malformed()
	}
	if u := c.Usage; u != nil {
		d.response.Usage = llm.Usage{
			Input:  u.PromptTokens,
			Output: u.CompletionTokens,
			Cached: u.PromptTokensDetails.CachedTokens,
		}
	}
	for _, choice := range c.Choices {
		if choice.Index != 0 {
			continue
		}
		content := choice.Delta
		if choice.Message != nil {
			content = *choice.Message
		}
		if err := d.addDelta(ctx, content); err != nil {
			return false, err
		}
		if choice.FinishReason != "" {
			d.response.StopReason = stopReason(choice.FinishReason)
		}
	}
	return false, nil
}

func (d *decoder) addDelta(ctx context.Context, content delta) error {
	if err := d.response.AddText(ctx, string(content.Content)+content.Refusal); err != nil {
		return err
	}
	d.parts.ReasoningContent += content.ReasoningContent
	d.parts.addDetails(content.ReasoningDetails)
	for _, c := range content.ToolCalls {
		call := d.findToolCall(c)
		if len(d.toolCalls) > maxToolCalls || c.Index != nil && *c.Index < 0 {
			return d.response.Malformed()
		}
		if call.id == "" {
			call.id = c.ID
		}
		if c.Function.Name != call.name { // some servers repeat the name in every delta
			call.name += c.Function.Name
		}
		call.arguments.WriteString(string(c.Function.Arguments))
		if c.ExtraContent != nil {
			call.extraContent = c.ExtraContent
		}
	}
	return nil
}

// findToolCall returns the call that a delta belongs to, and adds one if there is none: by index; without an index by
// id; without both the latest. A delta with a new id and a name begins a call even at a used index, for servers that
// give every call the index 0.
func (d *decoder) findToolCall(c callDelta) *partialToolCall {
	index := len(d.toolCalls)
	if c.Index != nil {
		index = *c.Index
	}
	var found *partialToolCall
	for _, t := range d.toolCalls { // the latest match wins
		byIndex := c.Index != nil && t.index == index
		byID := c.Index == nil && c.ID != "" && t.id == c.ID
		latest := c.Index == nil && c.ID == "" && c.Function.Name == ""
		if byIndex || byID || latest {
			found = t
		}
	}
	if found != nil && c.ID != "" && found.id != "" && found.id != c.ID && c.Function.Name != "" {
		found = nil
	}
	if found == nil {
		found = &partialToolCall{index: index}
		d.toolCalls = append(d.toolCalls, found)
	}
	return found
}

// Finish implements [llm.Decoder]. It adds the tool calls in the order of their indexes.
func (d *decoder) Finish() {
	slices.SortStableFunc(d.toolCalls, func(x, y *partialToolCall) int { return x.index - y.index })
	for _, c := range d.toolCalls {
		d.response.AddToolCall(c.id, c.name, c.arguments.String())
		d.parts.Calls = append(d.parts.Calls, savedCall{Name: c.name, ExtraContent: c.extraContent})
	}
	d.response.ProviderParts = d.parts.marshal()
}

func stopReason(reason string) string {
	switch reason {
	case "tool_calls", "function_call":
		return llm.StopToolCalls
	case "length":
		return llm.StopLength
	case "content_filter":
		return llm.StopFiltered
	case "error", "abort", "insufficient_system_resource": // OpenRouter, vLLM, DeepSeek
		return llm.StopFailed
	default:
		return llm.StopEnd
	}
}
