package openai

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"

	"errand/internal/llm"
)

// chunk is one event of the stream; with Message in place of Delta it is also
// the whole answer of a server that did not stream.
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

// text is a string, or the text parts of a list of parts.
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

// arguments is a piece of JSON in a string, or from some servers the object itself.
type arguments string

// UnmarshalJSON implements json.Unmarshaler.
func (a *arguments) UnmarshalJSON(data []byte) error {
	if data[0] == '{' {
		*a = arguments(data)
		return nil
	}
	return json.Unmarshal(data, (*string)(a))
}

// read consumes the stream up to [DONE] or its end. The answer is complete once
// a finish_reason has come; what follows it is only the usage.
func read(ctx context.Context, s *llm.Stream, r *llm.Reply) error {
	a := assembly{reply: r}
	for {
		ev, err := s.Next()
		if err != nil {
			if r.Stop != "" && (errors.Is(err, io.EOF) || s.Interrupted(err)) {
				a.finish()
				return nil
			}
			if errors.Is(err, io.EOF) {
				return s.Truncated()
			}
			return err
		}
		data := bytes.TrimSpace(ev.Data)
		if string(data) == "[DONE]" {
			a.finish()
			return nil
		}
		if len(data) == 0 {
			continue
		}
		if err := a.take(ctx, s, ev.Name, data); err != nil {
			return err
		}
		if r.Stop != "" {
			s.Finishing()
		}
	}
}

func (a *assembly) take(ctx context.Context, s *llm.Stream, event string, data []byte) error {
	if err := s.Problem(data); err != nil {
		return err
	}
	var c chunk
	if json.Unmarshal(data, &c) != nil || event == "error" || c.Object == "error" {
		return s.Malformed()
	}
	if u := c.Usage; u != nil {
		a.reply.Usage = llm.Usage{
			Input:  u.PromptTokens,
			Output: u.CompletionTokens,
			Cached: u.PromptTokensDetails.CachedTokens,
		}
	}
	for _, choice := range c.Choices {
		if choice.Index != 0 {
			continue
		}
		d := choice.Delta
		if choice.Message != nil {
			d = *choice.Message
		}
		if err := a.delta(ctx, s, d); err != nil {
			return err
		}
		if choice.FinishReason != "" {
			a.reply.Stop = stopReason(choice.FinishReason)
		}
	}
	return nil
}

func stopReason(reason string) string {
	switch reason {
	case "tool_calls", "function_call":
		return llm.StopToolCalls
	case "length":
		return llm.StopLength
	case "content_filter":
		return llm.StopRefused
	case "error", "abort", "insufficient_system_resource": // OpenRouter, vLLM, DeepSeek: the server gave up
		return llm.StopFailed
	default:
		return llm.StopEnd
	}
}
