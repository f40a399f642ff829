package openai

import (
	"encoding/json"

	"errand/internal/llm"
)

// extra is what some speakers of the wire must see again inside a tool loop:
// DeepSeek and Kimi their reasoning_content, OpenRouter its reasoning_details,
// Gemini's compatible endpoint an extra_content with each call. Only steps with
// tool calls carry one, since elsewhere some servers refuse these fields.
type extra struct {
	ReasoningContent string                       `json:"reasoning_content,omitempty"`
	ReasoningDetails []map[string]json.RawMessage `json:"reasoning_details,omitempty"`
	Calls            []extraCall                  `json:"calls"`
}

type extraCall struct {
	Name         string          `json:"name"`
	ExtraContent json.RawMessage `json:"extra_content,omitempty"`
}

func readExtra(raw json.RawMessage) extra {
	var e extra
	if raw == nil || json.Unmarshal(raw, &e) != nil {
		return extra{}
	}
	return e
}

// restore adds the extra to the message it was made with, and to no other.
func (e extra) restore(m *message) {
	if len(e.Calls) == 0 || len(e.Calls) != len(m.ToolCalls) {
		return
	}
	for i, c := range e.Calls {
		if c.Name != m.ToolCalls[i].Function.Name {
			return
		}
	}
	for i, c := range e.Calls {
		m.ToolCalls[i].ExtraContent = c.ExtraContent
	}
	m.ReasoningContent = e.ReasoningContent
	if len(e.ReasoningDetails) > 0 {
		m.ReasoningDetails, _ = json.Marshal(e.ReasoningDetails)
	}
}

// addDetails joins streamed pieces of one text or summary; other kinds of
// details come whole and keep their order.
func (e *extra) addDetails(pieces []map[string]json.RawMessage) {
	for _, p := range pieces {
		last := len(e.ReasoningDetails) - 1
		if last < 0 || !continues(e.ReasoningDetails[last], p) {
			e.ReasoningDetails = append(e.ReasoningDetails, p)
			continue
		}
		for k, v := range p {
			if old := e.ReasoningDetails[last][k]; k == "text" || k == "summary" {
				v = joinStrings(old, v)
			}
			if string(v) != "null" {
				e.ReasoningDetails[last][k] = v
			}
		}
	}
}

func continues(a, b map[string]json.RawMessage) bool {
	kind := string(a["type"])
	return (kind == `"reasoning.text"` || kind == `"reasoning.summary"`) &&
		kind == string(b["type"]) && string(a["index"]) == string(b["index"])
}

func joinStrings(a, b json.RawMessage) json.RawMessage {
	var x, y string
	_ = json.Unmarshal(a, &x) // absent or null counts as empty
	_ = json.Unmarshal(b, &y)
	joined, _ := json.Marshal(x + y)
	return joined
}

// save stores the extra with the reply when there is anything to store.
func (e extra) save(r *llm.Reply) {
	found := e.ReasoningContent != "" || len(e.ReasoningDetails) > 0
	for _, c := range e.Calls {
		found = found || len(c.ExtraContent) > 0
	}
	if found && len(e.Calls) > 0 {
		r.Extra, _ = json.Marshal(e)
	}
}
