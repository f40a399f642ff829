package openai

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"strconv"

	"errand/internal/llm"
)

// request is the body of POST /chat/completions, as far as it is used.
type request struct {
	Model       string    `json:"model"`
	Messages    []message `json:"messages"`
	Tools       []tool    `json:"tools,omitempty"`
	ToolChoice  any       `json:"tool_choice,omitempty"`
	Temperature *float64  `json:"temperature,omitempty"`
	Stop        []string  `json:"stop,omitempty"`
	// OpenAI's reasoning models refuse max_tokens, the copies know only it.
	MaxTokens           int            `json:"max_tokens,omitempty"`
	MaxCompletionTokens int            `json:"max_completion_tokens,omitempty"`
	ReasoningEffort     string         `json:"reasoning_effort,omitempty"`
	Stream              bool           `json:"stream"`
	StreamOptions       *streamOptions `json:"stream_options,omitempty"`
}

type streamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

type message struct {
	Role       string     `json:"role"`
	Content    *string    `json:"content"`
	ToolCalls  []toolCall `json:"tool_calls,omitempty"`
	ToolCallID string     `json:"tool_call_id,omitempty"`
	// What reasoning servers want to see again; see extra.
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

func (m *Model) request(o llm.Options, h llm.History) request {
	r := request{
		Model: o.Model, Temperature: o.Temperature, Stop: o.Stop,
		Stream: true, StreamOptions: &streamOptions{IncludeUsage: true},
		Messages: m.messages(o.Model, h),
	}
	if o.Choice.Mode == "none" { // which some copies do not know, and call all the same
		o.Tools = nil
	}
	for _, t := range o.Tools {
		r.Tools = append(r.Tools, tool{Type: "function", Function: toolDeclaration{t.Name, t.Description, t.Schema}})
	}
	if len(o.Tools) > 0 {
		r.ToolChoice = toolChoice(o.Choice)
	}
	if !m.official {
		r.MaxTokens = o.MaxTokens
		return r
	}
	r.MaxCompletionTokens = o.MaxTokens
	if len(o.Tools) > 0 && toolsNeedNoReasoning(o.Model) {
		r.ReasoningEffort = "none"
	}
	return r
}

var gptVersion = regexp.MustCompile(`^gpt-(\d+)(?:\.(\d+))?(?:-|$)`)

// toolsNeedNoReasoning: from GPT-5.6 on, OpenAI takes function tools on this
// wire only with reasoning switched off, and refuses the default.
func toolsNeedNoReasoning(model string) bool {
	v := gptVersion.FindStringSubmatch(model)
	if v == nil {
		return false
	}
	major, _ := strconv.Atoi(v[1])
	minor, _ := strconv.Atoi(v[2])
	return major > 5 || major == 5 && minor >= 6
}

func toolChoice(c llm.Choice) any {
	switch c.Mode {
	case "":
		return nil
	case "tool":
		return map[string]any{"type": "function", "function": map[string]string{"name": c.Tool}}
	default:
		return c.Mode
	}
}

func (m *Model) messages(model string, h llm.History) []message {
	var out []message
	if h.System != "" {
		out = append(out, message{Role: "system", Content: &h.System})
	}
	for _, t := range h.Turns {
		if t.User {
			out = append(out, message{Role: "user", Content: &t.Text})
			continue
		}
		a := message{Role: "assistant"}
		if t.Text != "" {
			a.Content = &t.Text
		}
		for _, c := range t.Calls {
			a.ToolCalls = append(
				a.ToolCalls,
				toolCall{ID: wireID(c.ID), Type: "function", Function: function{c.Name, string(c.Arguments)}},
			)
		}
		readExtra(t.Extra(m.wire.Provider, model)).restore(&a)
		out = append(out, a)
		for _, c := range t.Calls {
			out = append(out, message{Role: "tool", ToolCallID: wireID(c.ID), Content: &c.Result})
		}
	}
	return out
}

// maxID is the longest call id OpenAI takes; other providers make longer ones.
const maxID = 40

func wireID(id string) string {
	if len(id) <= maxID {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "call_" + hex.EncodeToString(sum[:12])
}
