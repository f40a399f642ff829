package gemini

import (
	"encoding/json"
	"strings"

	"errand/internal/llm"
)

// extra holds the parts of an answer as they came. Google asks that a part with
// a signature goes back unchanged and unmerged.
type extra struct {
	Parts []json.RawMessage `json:"parts"`
	// open is the unsigned text at the end, which further text continues.
	open   string
	signed bool
}

func (e *extra) add(raw json.RawMessage, p received) {
	plain := p.FunctionCall == nil && p.ThoughtSignature == "" && !p.Thought
	if plain {
		e.open += p.Text
		return
	}
	e.close()
	e.signed = true
	e.Parts = append(e.Parts, raw)
}

func (e *extra) close() {
	if e.open == "" {
		return
	}
	raw, _ := json.Marshal(part{Text: e.open})
	e.Parts = append(e.Parts, raw)
	e.open = ""
}

// save stores the parts when there is more to them than text.
func (e *extra) save(r *llm.Reply) {
	e.close()
	if !e.signed {
		return
	}
	if raw, err := json.Marshal(e); err == nil {
		r.Extra = raw
	}
}

// restore gives the parts of a turn as this model made them and the wire's ids
// of its calls; nil when the turn is not this model's or was changed.
func restore(t llm.Turn, model string) (parts []any, ids []string) {
	var e extra
	raw := t.Extra(provider, model)
	if raw == nil || json.Unmarshal(raw, &e) != nil {
		return nil, nil
	}
	var text strings.Builder
	var calls []llm.Call
	for _, raw := range e.Parts {
		var p received
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
	if !t.Same(text.String(), calls) {
		return nil, nil
	}
	return parts, ids
}
