package openai

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"errand/internal/llm"
)

// maxSlots bounds the tool calls one stream may open.
const maxSlots = 256

// assembly collects the deltas of one answer.
type assembly struct {
	reply *llm.Reply
	slots []*slot
	extra extra
}

// slot is a tool call in the making.
type slot struct {
	index        int
	id, name     string
	arguments    strings.Builder
	extraContent json.RawMessage
}

func (a *assembly) delta(ctx context.Context, s *llm.Stream, d delta) error {
	if err := a.reply.Text(ctx, string(d.Content)+d.Refusal); err != nil {
		return err
	}
	a.extra.ReasoningContent += d.ReasoningContent
	a.extra.addDetails(d.ReasoningDetails)
	for _, c := range d.ToolCalls {
		t := a.slot(c)
		if len(a.slots) > maxSlots || c.Index != nil && *c.Index < 0 {
			return s.Malformed()
		}
		if t.id == "" {
			t.id = c.ID
		}
		if c.Function.Name != t.name { // some servers repeat the name with every piece
			t.name += c.Function.Name
		}
		t.arguments.WriteString(string(c.Function.Arguments))
		if c.ExtraContent != nil {
			t.extraContent = c.ExtraContent
		}
	}
	return nil
}

// slot finds the call a piece belongs to: by index, without one by id, without
// either the newest. A piece that brings both a new id and a name opens a call
// even at a used index, for servers that number every call 0.
func (a *assembly) slot(c callDelta) *slot {
	index := len(a.slots)
	if c.Index != nil {
		index = *c.Index
	}
	var found *slot
	for _, t := range a.slots { // the newest match goes on
		byIndex := c.Index != nil && t.index == index
		byID := c.Index == nil && c.ID != "" && t.id == c.ID
		newest := c.Index == nil && c.ID == "" && c.Function.Name == ""
		if byIndex || byID || newest {
			found = t
		}
	}
	if found != nil && c.ID != "" && found.id != "" && found.id != c.ID && c.Function.Name != "" {
		found = nil
	}
	if found == nil {
		found = &slot{index: index}
		a.slots = append(a.slots, found)
	}
	return found
}

// finish hands the calls over in the order of their indexes.
func (a *assembly) finish() {
	slices.SortStableFunc(a.slots, func(x, y *slot) int { return x.index - y.index })
	for _, t := range a.slots {
		a.reply.Call(t.id, t.name, t.arguments.String())
		a.extra.Calls = append(a.extra.Calls, extraCall{Name: t.name, ExtraContent: t.extraContent})
	}
	a.extra.save(a.reply)
}
