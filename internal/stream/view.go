package stream

import (
	"maps"
	"slices"

	"errand/ent"
	"errand/ent/enum"
)

// view is what one subscriber has been told of a conversation. Comparing it with
// the stored rows gives the events that are missing, whatever was lost before.
type view struct {
	conversation string
	// last is the highest position announced.
	last int
	// live are the announced replies that have not finished, by position.
	live map[int]*told
}

// told is what a subscriber knows of an unfinished reply.
type told struct {
	attempt int
	// offset is the length of the text told, in UTF-16 units.
	offset int
	// started and finished count the tool calls told as such.
	started, finished int
}

func newView(conversation string) *view {
	return &view{conversation: conversation, live: map[int]*told{}}
}

// need is the lowest position whose row the view depends on.
func (v *view) need() int {
	if len(v.live) == 0 {
		return v.last + 1
	}
	return slices.Min(slices.Collect(maps.Keys(v.live)))
}

// catchUp tells whatever the rows hold beyond the view. Rows are in ascending
// order of position, with their tool calls in order, from need() on.
func (v *view) catchUp(rows []*ent.Message, tell func(MessageEvent)) {
	for _, m := range rows {
		if m.Position > v.last {
			v.add(m, tell)
			continue
		}
		if t, ok := v.live[m.Position]; ok {
			v.advance(t, m, tell)
		}
	}
}

func (v *view) add(m *ent.Message, tell func(MessageEvent)) {
	v.last = m.Position
	if m.Role == enum.RoleAssistant {
		calls := m.Edges.ToolCalls
		v.live[m.Position] = &told{attempt: m.Attempt, offset: Units(m.Content), started: len(calls), finished: countDone(calls)}
	}
	tell(&MessageAdded{Cursor: v.encode(), Message: m})
	v.finish(m, tell)
}

func (v *view) advance(t *told, m *ent.Message, tell func(MessageEvent)) {
	if m.Attempt > t.attempt {
		v.rewind(t, m, tell)
	}
	for i, call := range m.Edges.ToolCalls {
		v.text(t, m, call.TextOffset, tell)
		if i >= t.started {
			t.started++
			tell(&ToolCallChanged{Cursor: v.encode(), MessageID: m.ID, ToolCall: asStarted(call)})
		}
		if i >= t.finished && call.Status != enum.ToolCallStarted {
			t.finished++
			tell(&ToolCallChanged{Cursor: v.encode(), MessageID: m.ID, ToolCall: call})
		}
	}
	v.text(t, m, -1, tell)
	v.finish(m, tell)
}

// rewind begins a newer attempt's text from its start: what a lost attempt wrote
// beyond its last recorded step may differ.
func (v *view) rewind(t *told, m *ent.Message, tell func(MessageEvent)) {
	had := t.offset
	t.attempt, t.offset = m.Attempt, 0
	if had > 0 && m.Content == "" {
		tell(&MessageDelta{Cursor: v.encode(), MessageID: m.ID})
	}
	v.textFrom(t, m, m.Content, tell)
}

// text tells m's text up to an offset, or all of it when upTo is negative.
func (v *view) text(t *told, m *ent.Message, upTo int, tell func(MessageEvent)) {
	rest, ok := From(m.Content, t.offset)
	if !ok {
		// Told more than is stored: by the writer itself, ahead of its checkpoint.
		// In the end only a lost write could leave it so, and then the row is right.
		if m.Status.Terminal() && t.offset > Units(m.Content) {
			t.offset = 0
			tell(&MessageDelta{Cursor: v.encode(), MessageID: m.ID})
			v.textFrom(t, m, m.Content, tell)
		}
		return
	}
	if upTo >= 0 {
		rest = cut(rest, upTo-t.offset)
	}
	v.textFrom(t, m, rest, tell)
}

func (v *view) textFrom(t *told, m *ent.Message, text string, tell func(MessageEvent)) {
	if text == "" {
		return
	}
	at := t.offset
	t.offset += Units(text)
	tell(&MessageDelta{Cursor: v.encode(), MessageID: m.ID, Offset: at, Text: text})
}

func (v *view) finish(m *ent.Message, tell func(MessageEvent)) {
	if _, ok := v.live[m.Position]; !ok || !m.Status.Terminal() {
		return
	}
	delete(v.live, m.Position)
	tell(&MessageFinished{Cursor: v.encode(), Message: m})
}

// outcome of applying a delta to a view.
type outcome int

const (
	applied outcome = iota // told, or nothing new in it
	unknown                // the rows must be read first
)

// apply tells a delta when it joins on to what was told.
func (v *view) apply(e *Event, tell func(MessageEvent)) outcome {
	t, ok := v.live[e.Position]
	switch {
	case !ok && e.Position <= v.last:
		return applied // finished: an older writer's echo
	case !ok || e.Attempt > t.attempt || e.Offset > t.offset:
		return unknown
	case e.Attempt < t.attempt:
		return applied
	}
	rest, ok := From(e.Text, t.offset-e.Offset)
	if !ok || rest == "" {
		return applied
	}
	at := t.offset
	t.offset += Units(rest)
	tell(&MessageDelta{Cursor: v.encode(), MessageID: e.ID, Offset: at, Text: rest})
	return applied
}

// cut is the part of s before a UTF-16 offset, at a whole character.
func cut(s string, units int) string {
	n := 0
	for i, r := range s {
		if n >= units {
			return s[:i]
		}
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return s
}

func countDone(calls []*ent.ToolCall) int {
	n := 0
	for _, c := range calls {
		if c.Status != enum.ToolCallStarted {
			n++
		}
	}
	return n
}

// asStarted is a call as it was before it was done, so that every subscriber sees
// each call start, however late it came.
func asStarted(c *ent.ToolCall) *ent.ToolCall {
	started := *c
	started.Status, started.Result, started.LatencyMs = enum.ToolCallStarted, nil, nil
	return &started
}
