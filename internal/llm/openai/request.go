package openai

import (
	"encoding/json"
	"regexp"
	"strconv"

	"errand/internal/llm"
)

// request is the body of POST /chat/completions; unused fields are left out.
type request struct {
	Model           string         `json:"model"`
	Messages        []message      `json:"messages"`
	Tools           []tool         `json:"tools,omitempty"`
	ReasoningEffort string         `json:"reasoning_effort,omitempty"`
	Stream          bool           `json:"stream"`
	StreamOptions   *streamOptions `json:"stream_options,omitempty"`
}

type streamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

type message struct {
	Role       string     `json:"role"`
	Content    *string    `json:"content"`
	ToolCalls  []toolCall `json:"tool_calls,omitempty"`
	ToolCallID string     `json:"tool_call_id,omitempty"`
	// Reasoning that some servers require again; see savedParts.
	ReasoningContent string          `json:"reasoning_content,omitempty"`
	ReasoningDetails json.RawMessage `json:"reasoning_details,omitempty"`
}

type toolCall struct {
	ID           string          `json:"id"`
	Type         string          `json:"type"`
	Function     function        `json:"function"`
	ExtraContent json.RawMessage `json:"extra_content,omitempty"`
}

type function struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

type tool struct {
	Type     string          `json:"type"`
	Function toolDeclaration `json:"function"`
}

type toolDeclaration struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters"`
}

func newRequest(c llm.Config, o llm.Options, h llm.History, official bool) request {
	r := request{
		Model:         c.Model,
		Messages:      newMessages(c, h),
		Stream:        true,
		StreamOptions: &streamOptions{IncludeUsage: true},
	}
	if o.NoToolCalls { // some servers ignore tool_choice none, so no tools are declared
		return r
	}
	for _, t := range o.Tools {
		r.Tools = append(r.Tools, tool{Type: "function", Function: toolDeclaration{t.Name, t.Description, t.Schema}})
	}
	if official && len(r.Tools) > 0 && toolsRequireNoReasoning(c.Model) {
		r.ReasoningEffort = "none"
	}
	return r
}

var gptVersion = regexp.MustCompile(`^gpt-(\d+)(?:\.(\d+))?(?:-|$)`)

// toolsRequireNoReasoning reports whether the model accepts function tools only with reasoning disabled. Since GPT-5.6,
// the chat completions API of OpenAI rejects tools with the default reasoning effort.
func toolsRequireNoReasoning(model string) bool {
	v := gptVersion.FindStringSubmatch(model)
	if v == nil {
		return false
	}
	major, _ := strconv.Atoi(v[1])
	minor, _ := strconv.Atoi(v[2])
	return major > 5 || major == 5 && minor >= 6
}

func newMessages(c llm.Config, h llm.History) []message {
	var out []message
	if h.System != "" {
		out = append(out, message{Role: "system", Content: &h.System})
	}
	for _, t := range h.Turns {
		if t.User {
			out = append(out, message{Role: "user", Content: &t.Text})
			continue
		}
		m := message{Role: "assistant"}
		if t.Text != "" {
			m.Content = &t.Text
		}
		for _, call := range t.Calls {
			m.ToolCalls = append(m.ToolCalls, toolCall{
				ID:       validID(call.ID),
				Type:     "function",
				Function: function{call.Name, string(call.Arguments)},
			})
		}
		parseParts(t.ProviderParts(c.Provider, c.Model)).addTo(&m)
		out = append(out, m)
		for _, call := range t.Calls {
			out = append(out, message{Role: "tool", ToolCallID: validID(call.ID), Content: &call.Result})
		}
	}
	return out
}

// maxIDLength is the maximum length of a call id that OpenAI accepts; other providers make longer ones.
const maxIDLength = 40

func validID(id string) string {
	if len(id) <= maxIDLength {
		return id
	}
	return llm.ShortCallID(id)
}
