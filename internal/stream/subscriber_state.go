package stream

import (
	"slices"

	"errand/ent"
	"errand/ent/enum"
)

// subscriberState records what one subscriber has received of a conversation. The difference between it and the stored
// rows is what the subscriber must still receive, whatever was lost before. Its encoded form is the cursor.
type subscriberState struct {
	conversationID string
	// revision is the conversation's revision up to which changes of calls were emitted; newState before the first read.
	revision int
	// lastPosition is the highest position of the messages that were added.
	lastPosition int
	// unfinished holds the replies that were added and not finished, by ascending position.
	unfinished []*replyState
}

// replyState records what a subscriber has received of an unfinished reply.
type replyState struct {
	position int
	attempt  int
	// offset is the length of the received text in UTF-16 code units.
	offset int
	// started is the number of tool calls that were emitted as started. open holds the indexes of those whose end was
	// not emitted yet. Calls may end in any order.
	started int
	open    []int
}

// messageSink receives the events of a conversation in order.
type messageSink func(MessageEvent)

// newState is the revision of a state that has received nothing: the rows that it reads first are current.
const newState = -1

func newSubscriberState(conversationID string) *subscriberState {
	return &subscriberState{conversationID: conversationID, revision: newState}
}

// firstNeeded returns the lowest position whose row is needed to continue.
func (s *subscriberState) firstNeeded() int {
	if len(s.unfinished) == 0 {
		return s.lastPosition + 1
	}
	return s.unfinished[0].position
}

// reply returns the unfinished reply at a position, or nil.
func (s *subscriberState) reply(position int) *replyState {
	for _, r := range s.unfinished {
		if r.position == position {
			return r
		}
	}
	return nil
}

// applyRows emits what the rows hold beyond the state. rows start at or before firstNeeded, in ascending order of
// position, with their tool calls in order.
func (s *subscriberState) applyRows(rows []*ent.Message, emit messageSink) {
	for _, m := range rows {
		if m.Position > s.lastPosition {
			s.addMessage(m, emit)
		} else if r := s.reply(m.Position); r != nil {
			s.updateReply(r, m, emit)
		}
	}
}

// applyChangedCalls emits the calls that have changed since the state's revision, by ascending revision, and takes over
// the revision that they lead to. Calls of later messages are part of the messages, and those of unfinished replies
// that were not started are emitted with the replies' text.
func (s *subscriberState) applyChangedCalls(calls []*ent.ToolCall, revision int, emit messageSink) {
	for i, c := range calls {
		s.revision = c.Revision
		if i+1 < len(calls) && calls[i+1].Revision == c.Revision {
			s.revision-- // calls with one revision are resumed together
		}
		m := c.Edges.Message
		if m == nil || m.Position > s.lastPosition {
			continue
		}
		if r := s.reply(m.Position); r != nil && c.Seq >= r.started {
			continue
		}
		emit(&ToolCallChanged{Cursor: s.cursor(), MessageID: c.MessageID, ToolCall: c})
	}
	s.revision = revision
}

func (s *subscriberState) addMessage(m *ent.Message, emit messageSink) {
	s.lastPosition = m.Position
	if m.Role != enum.RoleAssistant {
		emit(&MessageAdded{Cursor: s.cursor(), Message: m})
		return
	}
	calls := m.Edges.ToolCalls
	r := &replyState{position: m.Position, attempt: m.Attempt, offset: UTF16Len(m.Content), started: len(calls)}
	for i, call := range calls {
		if call.Status == enum.ToolCallStarted {
			r.open = append(r.open, i)
		}
	}
	s.unfinished = append(s.unfinished, r)
	emit(&MessageAdded{Cursor: s.cursor(), Message: m})
	// The message already holds its tool calls and its status. They are also emitted as events of their own, so that a
	// client that handles only those events receives them however late it subscribes.
	for _, call := range calls {
		emit(&ToolCallChanged{Cursor: s.cursor(), MessageID: m.ID, ToolCall: call})
	}
	s.finish(r, m, emit)
}

func (s *subscriberState) updateReply(r *replyState, m *ent.Message, emit messageSink) {
	if m.Attempt > r.attempt || m.Status.Terminal() && r.divergedFrom(m) {
		s.replaceText(r, m.ID, m.Attempt, m.Content, emit)
	}
	for i, call := range m.Edges.ToolCalls {
		if i >= r.started {
			s.emitTextUpTo(r, m, call.TextOffset, emit)
			r.started++
			r.open = append(r.open, i)
			started := &ToolCallChanged{Cursor: s.cursor(), MessageID: m.ID, ToolCall: asStarted(call), startOf: call}
			emit(started)
		}
		if at := slices.Index(r.open, i); at >= 0 && call.Status != enum.ToolCallStarted {
			r.open = slices.Delete(r.open, at, at+1)
			emit(&ToolCallChanged{Cursor: s.cursor(), MessageID: m.ID, ToolCall: call})
		}
	}
	s.emitTextUpTo(r, m, -1, emit)
	s.finish(r, m, emit)
}

// divergedFrom reports whether the subscriber received more or other text than the finished reply holds: text that its
// writer did not store.
func (r *replyState) divergedFrom(m *ent.Message) bool {
	_, ok := UTF16Suffix(m.Content, r.offset)
	return !ok || m.Attempt < r.attempt
}

// replaceText replaces the received text by the text of another attempt, from offset 0: the texts of two attempts may
// differ from the start.
func (s *subscriberState) replaceText(r *replyState, messageID string, attempt int, text string, emit messageSink) {
	received := r.offset
	r.attempt, r.offset = attempt, 0
	if received > 0 {
		r.offset = UTF16Len(text)
		emit(&MessageDelta{Cursor: s.cursor(), MessageID: messageID, Text: text})
	}
}

// emitTextUpTo emits the text of m up to an offset, that of a tool call, or all of it if the offset is negative.
//
// A new attempt continues from the last recorded step, so the texts of all attempts are equal up to the tool calls.
// Beyond them, a row of an older attempt, or one with less text than was received, has nothing to add: the writer is
// ahead of its checkpoint.
func (s *subscriberState) emitTextUpTo(r *replyState, m *ent.Message, offset int, emit messageSink) {
	text, ok := UTF16Suffix(m.Content, r.offset)
	if !ok || offset < 0 && m.Attempt < r.attempt {
		return
	}
	if offset >= 0 {
		text = utf16Prefix(text, offset-r.offset)
	}
	s.emitText(r, m.ID, text, emit)
}

func (s *subscriberState) emitText(r *replyState, messageID, text string, emit messageSink) {
	if text == "" {
		return
	}
	offset := r.offset
	r.offset += UTF16Len(text)
	emit(&MessageDelta{Cursor: s.cursor(), MessageID: messageID, Offset: offset, Text: text})
}

func (s *subscriberState) finish(r *replyState, m *ent.Message, emit messageSink) {
	if !m.Status.Terminal() {
		return
	}
	s.unfinished = slices.DeleteFunc(s.unfinished, func(other *replyState) bool { return other == r })
	emit(&MessageFinished{Cursor: s.cursor(), Message: m})
}

// applyText emits the new part of a TextAppended event that continues the received text. It returns false if the
// rows must be read: text is missing before the event.
func (s *subscriberState) applyText(e *Event, emit messageSink) bool {
	r := s.reply(e.Position)
	switch {
	case r == nil:
		return e.Position <= s.lastPosition // a late event of a finished reply
	case e.Attempt < r.attempt:
		return true // a writer that has lost its lease and has not noticed yet
	case e.Attempt > r.attempt && e.Offset > 0:
		return false
	case e.Attempt > r.attempt:
		s.replaceText(r, e.ID, e.Attempt, e.Text, emit)
	case e.Offset > r.offset:
		return false
	}
	if text, ok := UTF16Suffix(e.Text, r.offset-e.Offset); ok {
		s.emitText(r, e.ID, text, emit)
	}
	return true
}

// asStarted returns a copy of a tool call as it was at its start, so that every subscriber receives the start of each
// call, however late it subscribes.
func asStarted(c *ent.ToolCall) *ent.ToolCall {
	started := *c
	started.Status, started.Result, started.LatencyMs = enum.ToolCallStarted, nil, nil
	started.Proposal, started.ExpiresAt, started.Choices = nil, nil, nil
	return &started
}
