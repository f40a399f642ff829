package responses

import (
	"encoding/json"
	"regexp"

	"errand/internal/llm"
)

// request is the body of POST /responses; unused fields are left out.
type request struct {
	Model        string   `json:"model"`
	Instructions string   `json:"instructions,omitempty"`
	Input        []any    `json:"input"`
	Tools        []tool   `json:"tools,omitempty"`
	ToolChoice   string   `json:"tool_choice,omitempty"`
	Include      []string `json:"include,omitempty"`
	Store        bool     `json:"store"`
	Stream       bool     `json:"stream"`

	Reasoning       *reasoning `json:"reasoning,omitempty"`
	Temperature     *float64   `json:"temperature,omitempty"`
	MaxOutputTokens int        `json:"max_output_tokens,omitempty"`
}

type reasoning struct {
	Effort string `json:"effort"`
}

type tool struct {
	Type        string          `json:"type"`
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters"`
	// Strict is true by default and then requires every property of the schema.
	Strict bool `json:"strict"`
}

type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

type functionCall struct {
	Type      string `json:"type"`
	CallID    string `json:"call_id"`
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

type functionOutput struct {
	Type   string `json:"type"`
	CallID string `json:"call_id"`
	Output string `json:"output"`
}

// withoutReasoning are the models of OpenAI that refuse a request for encrypted reasoning.
var withoutReasoning = regexp.MustCompile(`^(gpt-3|gpt-4|chatgpt)`)

func newRequest(c llm.Config, o llm.Options, h llm.History, official bool) request {
	r := request{Model: c.Model, Instructions: h.System, Input: newInput(c, h), Stream: true}
	for _, t := range o.Tools {
		r.Tools = append(r.Tools, tool{Type: "function", Name: t.Name, Description: t.Description, Parameters: t.Schema})
	}
	if o.NoToolCalls && len(r.Tools) > 0 {
		r.ToolChoice = "none"
	}
	if official && !withoutReasoning.MatchString(c.Model) {
		r.Include = []string{"reasoning.encrypted_content"}
	}
	r.Temperature = c.Generation.Temperature
	r.MaxOutputTokens = c.Generation.MaxOutputTokens
	if effort := c.Generation.ReasoningEffort(); effort != "" {
		r.Reasoning = &reasoning{effort}
	}
	return r
}

func newInput(c llm.Config, h llm.History) []any {
	var input []any
	for _, t := range h.Turns {
		if t.User {
			input = append(input, message{"user", t.JoinedText()})
			continue
		}
		input = append(input, newStep(c, t)...)
		for _, call := range t.Calls {
			input = append(input, functionOutput{"function_call_output", validID(call.ID), call.Result})
		}
	}
	return input
}

// newStep returns the items of a step: those that the provider made, in their order, if they are on record.
func newStep(c llm.Config, t llm.Turn) []any {
	if items := savedItems(t, t.ProviderParts(c.Provider, c.Model)); items != nil {
		return items
	}
	var items []any
	if t.Text != "" {
		items = append(items, message{"assistant", t.Text})
	}
	for _, call := range t.Calls {
		items = append(items, functionCall{"function_call", validID(call.ID), call.Name, string(call.Arguments)})
	}
	return items
}

// maxIDLength is the maximum length of a call id that OpenAI accepts; other providers make longer ones.
const maxIDLength = 64

func validID(id string) string {
	if len(id) <= maxIDLength {
		return id
	}
	return llm.ShortCallID(id)
}
