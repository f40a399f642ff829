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
	ToolChoice      string         `json:"tool_choice,omitempty"`
	ReasoningEffort string         `json:"reasoning_effort,omitempty"`
	Stream          bool           `json:"stream"`
	StreamOptions   *streamOptions `json:"stream_options,omitempty"`

	Temperature         *float64            `json:"temperature,omitempty"`
	MaxTokens           int                 `json:"max_tokens,omitempty"`
	MaxCompletionTokens int                 `json:"max_completion_tokens,omitempty"`
	ChatTemplateKwargs  *chatTemplateKwargs `json:"chat_template_kwargs,omitempty"`
}

// chatTemplateKwargs are the arguments of the model's template in vLLM, SGLang and llama.cpp.
type chatTemplateKwargs struct {
	EnableThinking bool `json:"enable_thinking"`
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
		Messages:      newMessages(c, h, o.AlphanumericIDs || strictIDs(c)),
		Stream:        true,
		StreamOptions: &streamOptions{IncludeUsage: true},
	}
	for _, t := range o.Tools {
		r.Tools = append(r.Tools, tool{Type: "function", Function: toolDeclaration{t.Name, t.Description, t.Schema}})
	}
	if o.NoToolCalls && len(r.Tools) > 0 { // declared anyway: prompt caches begin with the tools
		r.ToolChoice = "none"
	}
	r.setGeneration(c, official)
	if official && len(r.Tools) > 0 && ToolsRequireNoReasoning(c.Model) {
		r.ReasoningEffort = llm.EffortNone
	}
	return r
}

// setGeneration sets the members for the settings of generation. Servers reject or ignore those that they do not have.
func (r *request) setGeneration(c llm.Config, official bool) {
	g := c.Generation
	r.Temperature = g.Temperature
	r.ReasoningEffort = g.ReasoningEffort()
	if official {
		r.MaxCompletionTokens = g.MaxOutputTokens
		return
	}
	r.MaxTokens = g.MaxOutputTokens
	if c.Provider == ollama {
		if r.ReasoningEffort == "minimal" {
			r.ReasoningEffort = "low" // the lowest that Ollama has
		}
		return
	}
	if g.EnablesThinking() || g.DisablesThinking() {
		r.ChatTemplateKwargs = &chatTemplateKwargs{g.EnablesThinking()}
	}
}

var gptVersion = regexp.MustCompile(`^gpt-(\d+)(?:\.(\d+))?(?:-|$)`)

// ToolsRequireNoReasoning reports whether the model accepts function tools only with reasoning disabled. Since GPT-5.6,
// the chat completions API of OpenAI rejects tools with the default reasoning effort.
func ToolsRequireNoReasoning(model string) bool {
	v := gptVersion.FindStringSubmatch(model)
	if v == nil {
		return false
	}
	major, _ := strconv.Atoi(v[1])
	minor, _ := strconv.Atoi(v[2])
	return major > 5 || major == 5 && minor >= 6
}

func newMessages(c llm.Config, h llm.History, alphanumericIDs bool) []message {
	validID := validID
	if alphanumericIDs {
		validID = llm.AlphanumericCallID
	}
	var out []message
	if h.System != "" {
		out = append(out, message{Role: "system", Content: &h.System})
	}
	for _, t := range h.Turns {
		if t.User {
			text := t.JoinedText() // many compatible servers accept no lists of parts
			out = append(out, message{Role: "user", Content: &text})
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

var mistralName = regexp.MustCompile(`(?i)mi[sx]tral|magistral|ministral|codestral|devstral|pixtral|voxtral`)

// strictIDs reports whether the server is known to accept only call ids of 9 letters and digits. Others that do reject
// the first request with another id.
func strictIDs(c llm.Config) bool {
	return mistralName.MatchString(c.BaseURL) || mistralName.MatchString(c.Model)
}

// maxIDLength is the maximum length of a call id that OpenAI accepts; other providers make longer ones.
const maxIDLength = 40

func validID(id string) string {
	if len(id) <= maxIDLength {
		return id
	}
	return llm.ShortCallID(id)
}
