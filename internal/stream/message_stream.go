package stream

import (
	"context"
	"slices"

	"errand/ent"
	"errand/ent/enum"
)

// MessageEvent is an event of a MessageStream.
type MessageEvent interface {
	keyedEvent
	IsMessageEvent()
}

// MessageAdded announces a message, with its text and tool calls so far.
type MessageAdded struct {
	Cursor  string
	Message *ent.Message
}

// MessageDelta is text of a reply: content = content[0:Offset] + Text.
type MessageDelta struct {
	Cursor    string
	MessageID string
	// Offset is in UTF-16 code units.
	Offset int
	Text   string
}

// ToolCallChanged announces that a tool call has started, awaits approval, succeeded or failed. A call that awaited
// approval changes after its reply has finished.
type ToolCallChanged struct {
	Cursor    string
	MessageID string
	ToolCall  *ent.ToolCall
	// startOf is the row from which ToolCall was derived as it was at its start; nil if ToolCall is the row.
	startOf *ent.ToolCall
}

// MessageFinished announces that a reply has a terminal status.
type MessageFinished struct {
	Cursor  string
	Message *ent.Message
}

// IsMessageEvent implements MessageEvent.
func (*MessageAdded) IsMessageEvent() {}

// IsMessageEvent implements MessageEvent.
func (*MessageDelta) IsMessageEvent() {}

// IsMessageEvent implements MessageEvent.
func (*ToolCallChanged) IsMessageEvent() {}

// IsMessageEvent implements MessageEvent.
func (*MessageFinished) IsMessageEvent() {}

// messageEventKey identifies an event that holds a row: events with the same cursor and the row of the same read are
// equal.
type messageEventKey struct {
	cursor string
	row    any
	kind   string
}

// A delta equals another with the same cursor and text.
func (e *MessageDelta) dedupKey() any    { return *e }
func (e *MessageAdded) dedupKey() any    { return messageEventKey{e.Cursor, e.Message, "added"} }
func (e *MessageFinished) dedupKey() any { return messageEventKey{e.Cursor, e.Message, "finished"} }
func (e *ToolCallChanged) dedupKey() any {
	if e.startOf != nil {
		return messageEventKey{e.Cursor, e.startOf, "started"}
	}
	return messageEventKey{e.Cursor, e.ToolCall, "changed"}
}

// MessagesPerRead is the number of messages after which a MessageReader may stop; the stream then reads the next ones
// when these are delivered. It bounds the memory of a subscriber that resumes from an old cursor.
const MessagesPerRead = 50

// MessageReader reads the messages of a conversation from a position on, ascending, each with its tool calls in order.
// Position 0 means the newest turn and all unfinished ones. It reads at least MessagesPerRead messages, and all that
// follow an unfinished one at the position, as far as they exist. With a revision of 0 or more it also reads the tool
// calls with a higher one. A missing conversation is NOT_FOUND.
type MessageReader func(ctx context.Context, from, revision int) (MessageRows, error)

// MessageRows are the rows that a MessageReader has read.
type MessageRows struct {
	Messages []*ent.Message
	// Revision is the conversation's revision, read before everything else, or the one up to which Changed goes.
	Revision int
	// Changed are the tool calls with a revision above the requested one, up to Revision, by ascending revision, each
	// with its message.
	Changed []*ent.ToolCall
	// More means that there are calls with a higher revision.
	More bool
}

// MessageStream is the stream of one conversation for one subscriber. Methods are those of Source.
type MessageStream struct {
	source[MessageEvent]
	hub   *Hub
	state *subscriberState
	read  MessageReader
}

// OpenMessageStream subscribes to a conversation and reads its current messages. after is the cursor to resume from,
// nil to start with the newest turn; an invalid one is BAD_USER_INPUT. The caller must Close the stream.
func OpenMessageStream(
	ctx context.Context, hub *Hub, conversationID string, after *string, read MessageReader,
) (*MessageStream, error) {
	s := &MessageStream{hub: hub, state: newSubscriberState(conversationID), read: read}
	s.apply = s.applyBatch
	from := 0
	if after != nil {
		var err error
		if s.state, err = decodeCursor(conversationID, *after); err != nil {
			return nil, err
		}
		from = s.state.firstNeeded()
	}
	// Before the rows are read: a change that commits later is then in the subscription.
	s.sub = hub.Subscribe(conversationID)
	rows, err := s.readRows(ctx, from, s.sub.neededFrom())
	if err != nil {
		s.sub.Close()
		return nil, err
	}
	s.applyRead(rows, from, func(e MessageEvent) { s.initial = append(s.initial, e) })
	return s, nil
}

// applyBatch applies text events as long as each continues the text that was emitted. After a gap or a RowsChanged it
// reads the rows, and then applies the remaining text events, which may be newer than the rows.
func (s *MessageStream) applyBatch(ctx context.Context, batch Batch, emit func(MessageEvent)) error {
	events, needed := batch.Events, s.sub.neededFrom()
	for !batch.Behind {
		if len(events) == 0 {
			return nil
		}
		if events[0].Kind == RowsChanged {
			break
		}
		if !s.state.applyText(events[0], emit) {
			needed = s.hub.clock.Load() // the missing text may have been stored since
			break
		}
		events = events[1:]
	}
	from := s.state.firstNeeded()
	rows, err := readWithRetry(ctx, func() (MessageRows, error) { return s.readRows(ctx, from, needed) })
	if err != nil {
		return err
	}
	s.applyRead(rows, from, emit)
	for _, e := range events {
		if e.Kind == TextAppended {
			// Repeated text has no effect. After another gap, the snapshot that readRows has requested follows.
			s.state.applyText(e, emit)
		}
	}
	return nil
}

// applyRead applies rows that were read from a position on. When more may follow, they are read after these.
func (s *MessageStream) applyRead(rows MessageRows, from int, emit func(MessageEvent)) {
	if s.state.revision == newState {
		s.state.revision = rows.Revision // the messages that are added hold their calls as they are
	}
	s.state.applyRows(rows.Messages, emit)
	s.state.applyChangedCalls(rows.Changed, rows.Revision, emit)
	if rows.More || len(rows.Messages) >= MessagesPerRead && s.state.firstNeeded() > from {
		s.sub.markBehind()
	}
}

// readRows reads the stored messages, not before a time of the hub's clock, and replaces the text of the current reply
// by its newer in-flight text.
func (s *MessageStream) readRows(ctx context.Context, from int, needed uint64) (MessageRows, error) {
	id, revision := s.state.conversationID, s.state.revision
	rows, err := sharedReadOf(ctx, s.hub, id, from, revision, needed, func() (MessageRows, error) {
		return s.read(ctx, from, revision)
	})
	if err != nil {
		return MessageRows{}, err
	}
	rows.Messages = slices.Clone(rows.Messages) // the rows are shared
	// Replies are written one at a time: only the first unfinished one can be in flight.
	current := true
	for i, m := range rows.Messages {
		switch {
		case m.Status.Terminal():
			s.hub.DropInFlight(m.ID)
		case current:
			m = s.overlayInFlight(m)
			current = false
		}
		rows.Messages[i] = withCallsWithinText(m)
	}
	return rows, nil
}

// withCallsWithinText returns the message with the tool calls whose offset is in its text. Tool calls are read after
// their messages, by another statement. A call that was recorded in between is announced by its own event.
func withCallsWithinText(m *ent.Message) *ent.Message {
	if len(m.Edges.ToolCalls) == 0 {
		return m
	}
	length := UTF16Len(m.Content)
	n := slices.IndexFunc(m.Edges.ToolCalls, func(c *ent.ToolCall) bool { return c.TextOffset > length })
	if n < 0 {
		return m
	}
	c := *m
	c.Edges.ToolCalls = m.Edges.ToolCalls[:n]
	return &c
}

// overlayInFlight returns the message with the in-flight text if that is newer than the row's last checkpoint. If this
// replica does not have the text, a snapshot is requested from the replica that writes it.
func (s *MessageStream) overlayInFlight(m *ent.Message) *ent.Message {
	text, attempt, ok := s.hub.InFlightText(m.ID)
	switch {
	case !ok || attempt < m.Attempt:
		s.hub.RequestSnapshot(s.state.conversationID, m.ID)
	case attempt > m.Attempt || len(text) > len(m.Content):
		c := *m
		c.Content, c.Attempt, c.Status = text, attempt, enum.MessageStreaming
		return &c
	}
	return m
}
