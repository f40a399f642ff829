package openai

import (
	"context"
	"encoding/json"
	"strings"

	"errand/internal/llm"
)

// chunk is one event of the stream. With Message in place of Delta it is also the complete response of a server that
// did not stream.
type chunk struct {
	Object  string `json:"object"`
	Choices []struct {
		Index        llm.Number `json:"index"`
		Delta        delta      `json:"delta"`
		Message      *delta     `json:"message"`
		FinishReason *llm.Text  `json:"finish_reason"`
	} `json:"choices"`
	Usage *usage `json:"usage"`
}

type delta struct {
	Content          llm.Text                     `json:"content"`
	Refusal          llm.Text                     `json:"refusal"`
	ReasoningContent llm.Text                     `json:"reasoning_content"`
	ReasoningDetails []map[string]json.RawMessage `json:"reasoning_details"`
	ToolCalls        callDeltas                   `json:"tool_calls"`
}

// callDeltas is a list of deltas, or a single one.
type callDeltas []callDelta

// UnmarshalJSON implements json.Unmarshaler. It never fails.
func (c *callDeltas) UnmarshalJSON(data []byte) error {
	var list []json.RawMessage
	if json.Unmarshal(data, &list) != nil {
		list = []json.RawMessage{data}
	}
	*c = nil
	for _, item := range list {
		var one callDelta
		if item[0] == '{' {
			_ = json.Unmarshal(item, &one) // members of another type stay empty
			*c = append(*c, one)
		}
	}
	return nil
}

type callDelta struct {
	Index    llm.Number `json:"index"`
	ID       llm.Text   `json:"id"`
	Function struct {
		Name      llm.Text      `json:"name"`
		Arguments llm.Arguments `json:"arguments"`
	} `json:"function"`
	ExtraContent json.RawMessage `json:"extra_content"`
}

type usage struct {
	PromptTokens        llm.Number `json:"prompt_tokens"`
	CompletionTokens    llm.Number `json:"completion_tokens"`
	PromptTokensDetails struct {
		CachedTokens llm.Number `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
}

// decoder decodes one response.
type decoder struct {
	response  *llm.Response
	toolCalls toolCalls
	parts     savedParts
	// blankReason means that the latest finish reason is an empty string instead of null.
	blankReason bool
}

// Decode implements [llm.Decoder]. The terminal event is [DONE], but the response is complete after a finish_reason;
// only the usage follows it.
func (d *decoder) Decode(ctx context.Context, e llm.Event) (done bool, err error) {
	if string(e.Data) == "[DONE]" {
		if d.blankReason && d.response.StopReason == "" {
			d.response.StopReason = llm.StopEnd
		}
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
		d.response.SetUsage(llm.UsageReport{
			Input:  u.PromptTokens,
			Output: u.CompletionTokens,
			Cached: u.PromptTokensDetails.CachedTokens,
		})
	}
	for _, choice := range c.Choices {
		if choice.Index.Value != 0 {
			continue
		}
		content := choice.Delta
		if choice.Message != nil {
			content = *choice.Message
		}
		if err := d.addDelta(ctx, content); err != nil {
			return false, err
		}
		if choice.FinishReason != nil {
			d.blankReason = *choice.FinishReason == ""
			if !d.blankReason {
				d.response.StopReason = stopReason(string(*choice.FinishReason))
			}
		}
	}
	return false, nil
}

func (d *decoder) addDelta(ctx context.Context, content delta) error {
	if err := d.response.AddText(ctx, string(content.Content+content.Refusal)); err != nil {
		return err
	}
	d.parts.ReasoningContent += string(content.ReasoningContent)
	d.parts.addDetails(content.ReasoningDetails)
	for _, c := range content.ToolCalls {
		if d.toolCalls.add(c); len(d.toolCalls.list) > maxToolCalls {
			return d.response.Malformed()
		}
	}
	return nil
}

// Finish implements [llm.Decoder]. It adds the tool calls in the order of their indexes.
func (d *decoder) Finish() {
	for _, c := range d.toolCalls.sorted() {
		call := d.response.AddToolCall(c.id, c.name, c.arguments...)
		d.parts.Calls = append(d.parts.Calls, savedCall{Name: call.Name, ExtraContent: c.extraContent})
	}
	d.response.ProviderParts = d.parts.marshal()
}

func stopReason(reason string) string {
	switch strings.ToLower(reason) {
	case "tool_calls", "function_call", "tool_use":
		return llm.StopToolCalls
	case "length", "max_tokens", "model_length": // the last is Mistral's
		return llm.StopLength
	case "content_filter":
		return llm.StopFiltered
	case "error", "abort", "insufficient_system_resource": // OpenRouter, vLLM, DeepSeek
		return llm.StopFailed
	default:
		return llm.StopEnd
	}
}
