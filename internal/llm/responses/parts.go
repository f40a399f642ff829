package responses

import (
	"encoding/json"

	"errand/internal/llm"
)

// savedParts are the output items of a step in their order. The API requires a reasoning item directly before the item
// that it led to.
type savedParts struct {
	Items []savedItem `json:"items"`
}

// savedItem is an output item: its kind, its text or call for the comparison with the step, and the item as it came.
type savedItem struct {
	Type      string          `json:"type"`
	Text      string          `json:"text,omitempty"`
	Name      string          `json:"name,omitempty"`
	Arguments string          `json:"arguments,omitempty"`
	Raw       json.RawMessage `json:"raw"`
}

// marshal returns the parts as JSON, nil if the step has no reasoning, which alone is worth keeping.
func (p savedParts) marshal() json.RawMessage {
	for _, i := range p.Items {
		if i.Type == "reasoning" {
			raw, _ := json.Marshal(p)
			return raw
		}
	}
	return nil
}

// savedItems returns the items of the parts if the step still has their text and calls, otherwise nil.
func savedItems(t llm.Turn, raw json.RawMessage) []any {
	var p savedParts
	if raw == nil || json.Unmarshal(raw, &p) != nil {
		return nil
	}
	text, calls := "", []llm.Call{}
	for _, i := range p.Items {
		text += i.Text
		if i.Type == "function_call" {
			calls = append(calls, llm.Call{Name: i.Name, Arguments: json.RawMessage(i.Arguments)})
		}
	}
	if !t.Matches(text, calls) {
		return nil
	}
	var items []any
	n := 0
	for _, i := range p.Items {
		var fields map[string]json.RawMessage
		if json.Unmarshal(i.Raw, &fields) != nil {
			return nil
		}
		if i.Type == "function_call" { // a call may have got another id
			fields["call_id"], _ = json.Marshal(validID(t.Calls[n].ID))
			n++
		}
		items = append(items, fields)
	}
	return items
}
