package anthropic

import (
	"encoding/json"
	"strings"

	"errand/internal/llm"
)

// savedParts are the blocks of a response with thinking, in their order, and the hash of the input before them.
type savedParts struct {
	InputHash string  `json:"prefix"`
	Content   []block `json:"content"`
}

// savedBlocks returns the saved blocks of a turn. The thinking blocks are included only if the input before them is
// unchanged. It reports false if the turn was made by another model or was changed.
func (e *encoder) savedBlocks(t llm.Turn) ([]block, bool) {
	var saved savedParts
	raw := t.ProviderParts(name, e.model)
	if raw == nil || json.Unmarshal(raw, &saved) != nil || !t.Matches(saved.textAndCalls()) {
		return nil, false
	}
	var out []block
	call := 0
	for _, b := range saved.Content {
		switch b.Type {
		case "thinking", "redacted_thinking":
			if saved.InputHash != e.inputHash {
				continue
			}
		case "text":
			if strings.TrimSpace(b.Text) == "" { // the API sends blank text but rejects it
				continue
			}
		case "tool_use":
			b.ID = validID(t.Calls[call].ID)
			call++
		}
		out = append(out, b)
	}
	return out, len(out) > 0
}

// textAndCalls returns the text and the tool calls of the blocks.
func (p savedParts) textAndCalls() (string, []llm.Call) {
	var text strings.Builder
	var calls []llm.Call
	for _, b := range p.Content {
		switch b.Type {
		case "text":
			text.WriteString(b.Text)
		case "tool_use":
			calls = append(calls, llm.Call{Name: b.Name, Arguments: b.Input})
		}
	}
	return text.String(), calls
}
