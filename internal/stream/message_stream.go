package stream

import (
	"context"

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

// A delta equals another with the same cursor and text. The other events hold rows, which resolvers may read again.
func (e *MessageDelta) dedupKey() any  { return *e }
func (*MessageAdded) dedupKey() any    { return nil }
func (*ToolCallChanged) dedupKey() any { return nil }
func (*MessageFinished) dedupKey() any { return nil }

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
	rows, err := s.readRows(ctx, from)
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
	events := batch.Events
	for !batch.Behind {
		if len(events) == 0 {
			return nil
		}
		if events[0].Kind == RowsChanged || !s.state.applyText(events[0], emit) {
			break
		}
		events = events[1:]
	}
	from := s.state.firstNeeded()
	rows, err := readWithRetry(ctx, func() (MessageRows, error) { return s.readRows(ctx, from) })
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

// readRows reads the stored messages and replaces the text of the current reply by its newer in-flight text.
func (s *MessageStream) readRows(ctx context.Context, from int) (MessageRows, error) {
	rows, err := s.read(ctx, from, s.state.revision)
	if err != nil {
		return MessageRows{}, err
	}
	current := true // replies are written one at a time: only the first unfinished one can be in flight
	for _, m := range rows.Messages {
		switch {
		case m.Status.Terminal():
			s.hub.DropInFlight(m.ID)
		case current:
			s.overlayInFlight(m)
			current = false
		}
		m.Edges.ToolCalls = callsWithinText(m)
	}
	return rows, nil
}

// callsWithinText returns the tool calls whose offset is in the message's text. Tool calls are read after their
// messages, by another statement. A call that was recorded in between is announced by its own event.
func callsWithinText(m *ent.Message) []*ent.ToolCall {
	length := UTF16Len(m.Content)
	for i, call := range m.Edges.ToolCalls {
		if call.TextOffset > length {
			return m.Edges.ToolCalls[:i]
		}
	}
	return m.Edges.ToolCalls
}

// overlayInFlight replaces the row's last checkpoint by the in-flight text if that is newer. If this replica does not
// have the text, a snapshot is requested from the replica that writes it.
func (s *MessageStream) overlayInFlight(m *ent.Message) {
	text, attempt, ok := s.hub.InFlightText(m.ID)
	switch {
	case !ok || attempt < m.Attempt:
		s.hub.RequestSnapshot(s.state.conversationID, m.ID)
	case attempt > m.Attempt || len(text) > len(m.Content):
		m.Content, m.Attempt, m.Status = text, attempt, enum.MessageStreaming
	}
}
