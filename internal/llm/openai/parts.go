package openai

import "encoding/json"

// savedParts are the provider parts that some servers require again within a tool loop: DeepSeek and Kimi their
// reasoning_content, OpenRouter its reasoning_details, Gemini's compatible endpoint the extra_content of each call.
// Only steps with tool calls have them, because some servers reject these fields elsewhere.
type savedParts struct {
	ReasoningContent string                       `json:"reasoning_content,omitempty"`
	ReasoningDetails []map[string]json.RawMessage `json:"reasoning_details,omitempty"`
	Calls            []savedCall                  `json:"calls"`
}

type savedCall struct {
	Name         string          `json:"name"`
	ExtraContent json.RawMessage `json:"extra_content,omitempty"`
}

func parseParts(raw json.RawMessage) savedParts {
	var p savedParts
	if raw == nil || json.Unmarshal(raw, &p) != nil {
		return savedParts{}
	}
	return p
}

// addTo adds the parts to m if m has the tool calls that they were made with.
func (p savedParts) addTo(m *message) {
	if len(p.Calls) == 0 || len(p.Calls) != len(m.ToolCalls) {
		return
	}
	for i, c := range p.Calls {
		if c.Name != m.ToolCalls[i].Function.Name {
			return
		}
	}
	for i, c := range p.Calls {
		m.ToolCalls[i].ExtraContent = c.ExtraContent
	}
	m.ReasoningContent = p.ReasoningContent
	if len(p.ReasoningDetails) > 0 {
		m.ReasoningDetails, _ = json.Marshal(p.ReasoningDetails)
	}
}

// addDetails appends details and joins the streamed fragments of a text or summary. Other kinds of details arrive
// complete.
func (p *savedParts) addDetails(details []map[string]json.RawMessage) {
	for _, d := range details {
		last := len(p.ReasoningDetails) - 1
		if last < 0 || !isContinuation(p.ReasoningDetails[last], d) {
			p.ReasoningDetails = append(p.ReasoningDetails, d)
			continue
		}
		for k, v := range d {
			if old := p.ReasoningDetails[last][k]; k == "text" || k == "summary" {
				v = joinStrings(old, v)
			}
			if string(v) != "null" {
				p.ReasoningDetails[last][k] = v
			}
		}
	}
}

// isContinuation reports whether b is the next fragment of a.
func isContinuation(a, b map[string]json.RawMessage) bool {
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

// marshal returns the parts as JSON, nil if there are none to save.
func (p savedParts) marshal() json.RawMessage {
	found := p.ReasoningContent != "" || len(p.ReasoningDetails) > 0
	for _, c := range p.Calls {
		found = found || len(c.ExtraContent) > 0
	}
	if !found || len(p.Calls) == 0 {
		return nil
	}
	raw, _ := json.Marshal(p)
	return raw
}
