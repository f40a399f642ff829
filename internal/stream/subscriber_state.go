package stream

import (
	"slices"

	"errand/ent"
	"errand/ent/enum"
)

// subscriberState is what one subscriber has been told of a conversation. Comparing it with
// the stored rows gives the events that are missing, whatever was lost before.
type subscriberState struct {
	conversationID string
	// lastPosition is the highest position announced.
	lastPosition int
	// unfinished are the announced replies that have not finished, by ascending position.
	unfinished []*replyState
}

// replyState is what a subscriber knows of an unfinished reply.
type replyState struct {
	position int
	attempt  int
	// offset is the length of the text told, in UTF-16 units.
	offset int
	// started counts the tool calls told as started; open are the places of those
	// among them whose end has not been told. Calls may end in any order.
	started int
	open    []int
}

// messageSink passes an event on to the subscriber.
type messageSink func(MessageEvent)

func newSubscriberState(conversation string) *subscriberState {
	return &subscriberState{conversationID: conversation}
}

// firstNeeded is the lowest position whose row the view depends on.
func (v *subscriberState) firstNeeded() int {
	if len(v.unfinished) == 0 {
		return v.lastPosition + 1
	}
	return v.unfinished[0].position
}

func (v *subscriberState) reply(position int) *replyState {
	for _, t := range v.unfinished {
		if t.position == position {
			return t
		}
	}
	return nil
}

// applyRows tells whatever the rows hold beyond the view. Rows are in ascending
// order of position, with their tool calls in order, from need() on.
func (v *subscriberState) applyRows(rows []*ent.Message, tell messageSink) {
	for _, m := range rows {
		if m.Position > v.lastPosition {
			v.addMessage(m, tell)
		} else if t := v.reply(m.Position); t != nil {
			v.updateReply(t, m, tell)
		}
	}
}

func (v *subscriberState) addMessage(m *ent.Message, tell messageSink) {
	v.lastPosition = m.Position
	if m.Role != enum.RoleAssistant {
		tell(&MessageAdded{Cursor: v.cursor(), Message: m})
		return
	}
	calls := m.Edges.ToolCalls
	t := &replyState{position: m.Position, attempt: m.Attempt, offset: UTF16Len(m.Content), started: len(calls)}
	for i, call := range calls {
		if call.Status == enum.ToolCallStarted {
			t.open = append(t.open, i)
		}
	}
	v.unfinished = append(v.unfinished, t)
	tell(&MessageAdded{Cursor: v.cursor(), Message: m})
	// The message names its calls, and its end is in its status. Each is told as an event
	// of its own too: whoever waits for those sees them, however late they came.
	for _, call := range calls {
		tell(&ToolCallChanged{Cursor: v.cursor(), MessageID: m.ID, ToolCall: call})
	}
	v.finish(t, m, tell)
}

func (v *subscriberState) updateReply(t *replyState, m *ent.Message, tell messageSink) {
	if m.Attempt > t.attempt || m.Status.Terminal() && t.divergedFrom(m) {
		v.replaceText(t, m.ID, m.Attempt, m.Content, tell)
	}
	for i, call := range m.Edges.ToolCalls {
		if i >= t.started {
			v.emitTextUpTo(t, m, call.TextOffset, tell)
			t.started++
			t.open = append(t.open, i)
			tell(&ToolCallChanged{Cursor: v.cursor(), MessageID: m.ID, ToolCall: asStarted(call)})
		}
		if at := slices.Index(t.open, i); at >= 0 && call.Status != enum.ToolCallStarted {
			t.open = slices.Delete(t.open, at, at+1)
			tell(&ToolCallChanged{Cursor: v.cursor(), MessageID: m.ID, ToolCall: call})
		}
	}
	v.emitTextUpTo(t, m, -1, tell)
	v.finish(t, m, tell)
}

// divergedFrom reports whether more or other text was told than a finished reply
// holds: text that its writer lost before it could store it.
func (t *replyState) divergedFrom(m *ent.Message) bool {
	_, ok := UTF16Suffix(m.Content, t.offset)
	return !ok || m.Attempt < t.attempt
}

// replaceText replaces what was told by the text of another attempt. What was told
// cannot be kept even in part: the attempts' texts may differ from the start.
func (v *subscriberState) replaceText(t *replyState, messageID string, attempt int, text string, tell messageSink) {
	had := t.offset
	t.attempt, t.offset = attempt, 0
	if had > 0 {
		t.offset = UTF16Len(text)
		tell(&MessageDelta{Cursor: v.cursor(), MessageID: messageID, Text: text})
	}
}

// emitTextUpTo tells m's text up to a recorded tool call's offset, or all of it when upTo is
// negative. Attempts go on from the last recorded step, so up to there their texts are
// the same; a row of an older attempt, or one that is behind what was told, has
// nothing else to add: the writer is ahead of its checkpoint.
func (v *subscriberState) emitTextUpTo(t *replyState, m *ent.Message, upTo int, tell messageSink) {
	rest, ok := UTF16Suffix(m.Content, t.offset)
	if !ok || upTo < 0 && m.Attempt < t.attempt {
		return
	}
	if upTo >= 0 {
		rest = utf16Prefix(rest, upTo-t.offset)
	}
	v.emitText(t, m.ID, rest, tell)
}

func (v *subscriberState) emitText(t *replyState, messageID, text string, tell messageSink) {
	if text == "" {
		return
	}
	at := t.offset
	t.offset += UTF16Len(text)
	tell(&MessageDelta{Cursor: v.cursor(), MessageID: messageID, Offset: at, Text: text})
}

func (v *subscriberState) finish(t *replyState, m *ent.Message, tell messageSink) {
	if !m.Status.Terminal() {
		return
	}
	v.unfinished = slices.DeleteFunc(v.unfinished, func(other *replyState) bool { return other == t })
	tell(&MessageFinished{Cursor: v.cursor(), Message: m})
}

// applyDelta tells a delta if it joins on to what was told. It reports whether it did,
// or had nothing new; otherwise the rows must be read.
func (v *subscriberState) applyDelta(e *Event, tell messageSink) bool {
	t := v.reply(e.Position)
	switch {
	case t == nil:
		return e.Position <= v.lastPosition // finished: a late writer's echo
	case e.Attempt < t.attempt:
		return true // a writer that has not noticed yet that it was replaced
	case e.Attempt > t.attempt && e.Offset > 0:
		return false
	case e.Attempt > t.attempt:
		v.replaceText(t, e.ID, e.Attempt, e.Text, tell)
	case e.Offset > t.offset:
		return false
	}
	if rest, ok := UTF16Suffix(e.Text, t.offset-e.Offset); ok {
		v.emitText(t, e.ID, rest, tell)
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
