package gemini

import (
	"encoding/json"
	"strings"

	"errand/internal/llm"
)

// savedParts are the parts of a response. A part with a signature must be sent back unchanged and must not be merged
// with others.
type savedParts struct {
	Parts []json.RawMessage `json:"parts"`
	// pendingText is the unsigned text at the end, which further text extends.
	pendingText string
	// required means that there is a part other than unsigned text.
	required bool
}

func (s *savedParts) add(raw json.RawMessage, p receivedPart) {
	if p.FunctionCall == nil && p.ThoughtSignature == "" && !p.Thought {
		s.pendingText += p.Text
		return
	}
	s.flushText()
	s.required = true
	s.Parts = append(s.Parts, raw)
}

func (s *savedParts) flushText() {
	if s.pendingText == "" {
		return
	}
	raw, _ := json.Marshal(part{Text: s.pendingText})
	s.Parts = append(s.Parts, raw)
	s.pendingText = ""
}

// marshal returns the parts as JSON, nil if there is only text.
func (s *savedParts) marshal() json.RawMessage {
	s.flushText()
	if !s.required {
		return nil
	}
	raw, err := json.Marshal(s)
	if err != nil {
		return nil
	}
	return raw
}

// parseSavedParts returns the saved parts of a turn and the API's ids of its calls, nil if the turn was made by another
// model or was changed.
func parseSavedParts(t llm.Turn, model string) (parts []any, ids []string) {
	var saved savedParts
	raw := t.ProviderParts(name, model)
	if raw == nil || json.Unmarshal(raw, &saved) != nil {
		return nil, nil
	}
	var text strings.Builder
	var calls []llm.Call
	for _, raw := range saved.Parts {
		var p receivedPart
		if json.Unmarshal(raw, &p) != nil {
			return nil, nil
		}
		parts = append(parts, raw)
		if c := p.FunctionCall; c != nil {
			if len(c.Args) == 0 || string(c.Args) == "null" {
				c.Args = json.RawMessage(`{}`)
			}
			calls = append(calls, llm.Call{Name: c.Name, Arguments: c.Args})
			ids = append(ids, c.ID)
		} else if !p.Thought {
			text.WriteString(p.Text)
		}
	}
	if !t.Matches(text.String(), calls) {
		return nil, nil
	}
	return parts, ids
}
