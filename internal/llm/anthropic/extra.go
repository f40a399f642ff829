package anthropic

import (
	"encoding/json"
	"strings"

	"errand/internal/llm"
)

// extra is an answer with thinking, as it must come back: every block in its
// order, and the hash of what preceded them.
type extra struct {
	Prefix  string  `json:"prefix"`
	Content []block `json:"content"`
}

// restore writes a turn from its stored blocks, with the thinking blocks only
// where everything before them is what it was. It fails when the turn is not
// ours or was changed.
func (c *conversation) restore(t llm.Turn) ([]block, bool) {
	var e extra
	raw := t.Extra(provider, c.model)
	if raw == nil || json.Unmarshal(raw, &e) != nil || !t.Same(e.read()) {
		return nil, false
	}
	var out []block
	call := 0
	for _, b := range e.Content {
		switch b.Type {
		case "thinking", "redacted_thinking":
			if e.Prefix != c.prefix {
				continue
			}
		case "text":
			if strings.TrimSpace(b.Text) == "" { // comes, but is refused when sent
				continue
			}
		case "tool_use":
			b.ID = wireID(t.Calls[call].ID)
			call++
		}
		out = append(out, b)
	}
	return out, len(out) > 0
}

// read gives the text and the calls the blocks stand for.
func (e extra) read() (string, []llm.Call) {
	var text strings.Builder
	var calls []llm.Call
	for _, b := range e.Content {
		switch b.Type {
		case "text":
			text.WriteString(b.Text)
		case "tool_use":
			calls = append(calls, llm.Call{Name: b.Name, Arguments: b.Input})
		}
	}
	return text.String(), calls
}
