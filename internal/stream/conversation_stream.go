package stream

import (
	"context"

	"errand/ent"
	"errand/internal/page"
)

// ConversationEvent is an event of a ConversationStream.
type ConversationEvent interface {
	keyedEvent
	IsConversationEvent()
}

// ConversationChanged announces that a conversation was created or has changed.
type ConversationChanged struct {
	Cursor string
	seq    int
	// ConversationEdge holds the conversation at the time of the read. Its next change has an event of its own.
	ConversationEdge *page.ConversationEdge
}

// Conversation returns the conversation of the edge.
func (e *ConversationChanged) Conversation() *ent.Conversation { return e.ConversationEdge.Node }

// ConversationDeleted announces that a conversation was deleted.
type ConversationDeleted struct {
	Cursor    string
	seq       int
	DeletedID string
}

// ConversationsReset announces that deletions may be missing, so that the subscriber must read the list again.
type ConversationsReset struct {
	Cursor string
	seq    int
}

// IsConversationEvent implements ConversationEvent.
func (*ConversationChanged) IsConversationEvent() {}

// IsConversationEvent implements ConversationEvent.
func (*ConversationDeleted) IsConversationEvent() {}

// IsConversationEvent implements ConversationEvent.
func (*ConversationsReset) IsConversationEvent() {}

// conversationEventKey identifies an event of a user's conversations: a position has one change, and a reset at a
// position differs from that change.
type conversationEventKey struct {
	seq   int
	reset bool
}

func (e *ConversationChanged) dedupKey() any { return conversationEventKey{seq: e.seq} }
func (e *ConversationDeleted) dedupKey() any { return conversationEventKey{seq: e.seq} }
func (e *ConversationsReset) dedupKey() any  { return conversationEventKey{seq: e.seq, reset: true} }

// ConversationChange is the newest change of a conversation.
type ConversationChange struct {
	Seq int
	// Edge holds the conversation; nil after its deletion.
	Edge *page.ConversationEdge
	// DeletedID is the ID of a deleted conversation, else empty.
	DeletedID string
}

// ConversationChanges is a part of a ConversationLog.
type ConversationChanges struct {
	// Changes are in order.
	Changes []ConversationChange
	// Through is the position up to which Changes is complete.
	Through int
	// Incomplete reports that deletions may be missing: their tombstones were purged, or the position to read from does
	// not exist, as after the restore of a backup. Changes is then empty.
	Incomplete bool
}

// ConversationLog is the log of the newest change of each of a user's conversations. Its positions ascend in commit
// order.
type ConversationLog interface {
	// LastConversationChange returns the position of the newest change.
	LastConversationChange(ctx context.Context) (int, error)
	// ConversationChangesAfter returns at most limit changes after a position. A missing user is NOT_FOUND.
	ConversationChangesAfter(ctx context.Context, seq, limit int) (ConversationChanges, error)
}

// conversationCursorName is the name of the stream in its cursors.
const conversationCursorName = "conversationStream"

// ConversationStream is the stream of the changes to a user's conversations for one subscriber. Methods are those of
// Source. The log holds the newest change of each conversation, so events serve only as signals to read it.
type ConversationStream struct {
	source[ConversationEvent]
	hub *Hub
	log ConversationLog
	// seq is the position up to which all changes were emitted.
	seq int
}

// OpenConversationStream subscribes to the changes to a user's conversations. after is the cursor to resume from, nil
// for changes from now on; an invalid one is BAD_USER_INPUT. The caller must Close the stream.
func OpenConversationStream(
	ctx context.Context, hub *Hub, userID string, after *string, log ConversationLog,
) (*ConversationStream, error) {
	// Subscribe before the log is read: a change that commits later is then signalled to the subscription.
	sub := hub.Subscribe(ConversationChangesTopic(userID))
	s := &ConversationStream{hub: hub, log: log, source: source[ConversationEvent]{sub: sub}}
	s.apply = s.readChanges
	var err error
	if after != nil {
		s.seq, err = page.ParsePosition("after", after, conversationCursorName)
		s.sub.markBehind() // read the changes since the cursor
	} else {
		s.seq, err = log.LastConversationChange(ctx)
	}
	if err != nil {
		s.sub.Close()
		return nil, err
	}
	return s, nil
}

// readChanges emits the next changes of the log, whatever the batch holds.
func (s *ConversationStream) readChanges(ctx context.Context, _ Batch, emit func(ConversationEvent)) error {
	needed := s.sub.neededFrom()
	found, err := readWithRetry(ctx, func() (ConversationChanges, error) {
		return sharedReadOf(ctx, s.hub, s.sub.topic.name, s.seq, 0, needed, func() (ConversationChanges, error) {
			return s.log.ConversationChangesAfter(ctx, s.seq, changesPerRead)
		})
	})
	if err != nil {
		return err
	}
	s.seq = found.Through
	if found.Incomplete {
		emit(&ConversationsReset{Cursor: ConversationCursor(s.seq), seq: s.seq})
		return nil
	}
	for _, c := range found.Changes {
		if c.Edge == nil {
			emit(&ConversationDeleted{Cursor: ConversationCursor(c.Seq), seq: c.Seq, DeletedID: c.DeletedID})
		} else {
			emit(&ConversationChanged{Cursor: ConversationCursor(c.Seq), seq: c.Seq, ConversationEdge: c.Edge})
		}
	}
	if len(found.Changes) == changesPerRead {
		s.sub.markBehind() // there may be more
	}
	return nil
}

// ConversationCursor returns the cursor of the change at a position.
func ConversationCursor(seq int) string {
	return page.PositionCursor(conversationCursorName, seq).Encode()
}
