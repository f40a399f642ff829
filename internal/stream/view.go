package stream

import (
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
	// live are the announced replies that have not finished, by ascending position.
	live []*told
}

// told is what a subscriber knows of an unfinished reply.
type told struct {
	position int
	attempt  int
	// offset is the length of the text told, in UTF-16 units.
	offset int
	// started counts the tool calls told as started; open are the places of those
	// among them whose end has not been told. Calls may end in any order.
	started int
	open    []int
}

// teller passes an event on to the subscriber.
type teller func(MessageEvent)

func newView(conversation string) *view { return &view{conversation: conversation} }

// need is the lowest position whose row the view depends on.
func (v *view) need() int {
	if len(v.live) == 0 {
		return v.last + 1
	}
	return v.live[0].position
}

func (v *view) find(position int) *told {
	for _, t := range v.live {
		if t.position == position {
			return t
		}
	}
	return nil
}

// catchUp tells whatever the rows hold beyond the view. Rows are in ascending
// order of position, with their tool calls in order, from need() on.
func (v *view) catchUp(rows []*ent.Message, tell teller) {
	for _, m := range rows {
		if m.Position > v.last {
			v.add(m, tell)
		} else if t := v.find(m.Position); t != nil {
			v.advance(t, m, tell)
		}
	}
}

func (v *view) add(m *ent.Message, tell teller) {
	v.last = m.Position
	if m.Role != enum.RoleAssistant {
		tell(&MessageAdded{Cursor: v.encode(), Message: m})
		return
	}
	calls := m.Edges.ToolCalls
	t := &told{position: m.Position, attempt: m.Attempt, offset: Units(m.Content), started: len(calls)}
	for i, call := range calls {
		if call.Status == enum.ToolCallStarted {
			t.open = append(t.open, i)
		}
	}
	v.live = append(v.live, t)
	tell(&MessageAdded{Cursor: v.encode(), Message: m})
	// The message names its calls, and its end is in its status. Each is told as an event
	// of its own too: whoever waits for those sees them, however late they came.
	for _, call := range calls {
		tell(&ToolCallChanged{Cursor: v.encode(), MessageID: m.ID, ToolCall: call})
	}
	v.finish(t, m, tell)
}

func (v *view) advance(t *told, m *ent.Message, tell teller) {
	if m.Attempt > t.attempt || m.Status.Terminal() && t.strayed(m) {
		v.rewind(t, m.ID, m.Attempt, m.Content, tell)
	}
	for i, call := range m.Edges.ToolCalls {
		if i >= t.started {
			v.text(t, m, call.TextOffset, tell)
			t.started++
			t.open = append(t.open, i)
			tell(&ToolCallChanged{Cursor: v.encode(), MessageID: m.ID, ToolCall: asStarted(call)})
		}
		if at := slices.Index(t.open, i); at >= 0 && call.Status != enum.ToolCallStarted {
			t.open = slices.Delete(t.open, at, at+1)
			tell(&ToolCallChanged{Cursor: v.encode(), MessageID: m.ID, ToolCall: call})
		}
	}
	v.text(t, m, -1, tell)
	v.finish(t, m, tell)
}

// strayed reports whether more or other text was told than a finished reply
// holds: text that its writer lost before it could store it.
func (t *told) strayed(m *ent.Message) bool {
	_, ok := From(m.Content, t.offset)
	return !ok || m.Attempt < t.attempt
}

// rewind replaces what was told by the text of another attempt. What was told
// cannot be kept even in part: the attempts' texts may differ from the start.
func (v *view) rewind(t *told, messageID string, attempt int, text string, tell teller) {
	had := t.offset
	t.attempt, t.offset = attempt, 0
	if had > 0 {
		t.offset = Units(text)
		tell(&MessageDelta{Cursor: v.encode(), MessageID: messageID, Text: text})
	}
}

// text tells m's text up to a recorded tool call's offset, or all of it when upTo is
// negative. Attempts go on from the last recorded step, so up to there their texts are
// the same; a row of an older attempt, or one that is behind what was told, has
// nothing else to add: the writer is ahead of its checkpoint.
func (v *view) text(t *told, m *ent.Message, upTo int, tell teller) {
	rest, ok := From(m.Content, t.offset)
	if !ok || upTo < 0 && m.Attempt < t.attempt {
		return
	}
	if upTo >= 0 {
		rest = cut(rest, upTo-t.offset)
	}
	v.extend(t, m.ID, rest, tell)
}

func (v *view) extend(t *told, messageID, text string, tell teller) {
	if text == "" {
		return
	}
	at := t.offset
	t.offset += Units(text)
	tell(&MessageDelta{Cursor: v.encode(), MessageID: messageID, Offset: at, Text: text})
}

func (v *view) finish(t *told, m *ent.Message, tell teller) {
	if !m.Status.Terminal() {
		return
	}
	v.live = slices.DeleteFunc(v.live, func(other *told) bool { return other == t })
	tell(&MessageFinished{Cursor: v.encode(), Message: m})
}

// apply tells a delta if it joins on to what was told. It reports whether it did,
// or had nothing new; otherwise the rows must be read.
func (v *view) apply(e *Event, tell teller) bool {
	t := v.find(e.Position)
	switch {
	case t == nil:
		return e.Position <= v.last // finished: a late writer's echo
	case e.Attempt < t.attempt:
		return true // a writer that has not noticed yet that it was replaced
	case e.Attempt > t.attempt && e.Offset > 0:
		return false
	case e.Attempt > t.attempt:
		v.rewind(t, e.ID, e.Attempt, e.Text, tell)
	case e.Offset > t.offset:
		return false
	}
	if rest, ok := From(e.Text, t.offset-e.Offset); ok {
		v.extend(t, e.ID, rest, tell)
	}
	return true
}

// asStarted is a call as it was before it was done, so that every subscriber sees
// each call start, however late it came.
func asStarted(c *ent.ToolCall) *ent.ToolCall {
	started := *c
	started.Status, started.Result, started.LatencyMs = enum.ToolCallStarted, nil, nil
	return &started
}
