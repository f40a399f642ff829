package chat

import (
	"context"
	"fmt"
	"slices"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/message"
	"errand/ent/toolcall"
	"errand/internal/apperr"
	"errand/internal/page"
	"errand/internal/store"
	"errand/internal/stream"
	"errand/internal/tool"
	"errand/internal/viewer"

	"entgo.io/ent/dialect/sql"
)

// messageList is the name of a conversation's messages in page cursors.
const messageList = "messages"

// MessagesByID returns the viewer's messages with the given IDs, keyed by ID. Unknown IDs are left out.
func (s *Service) MessagesByID(ctx context.Context, ids []string) (map[string]*ent.Message, error) {
	if _, err := viewer.Require(ctx, viewer.Chat); err != nil {
		return nil, err
	}
	return store.ByID(s.client.Message.Query().Where(message.IDIn(ids...)).All(ctx))
}

// MessagesByConversation returns a page of each conversation's messages, oldest first, keyed by
// conversation ID. It takes one query, because positions have no gaps: a page is a range of positions.
func (s *Service) MessagesByConversation(
	ctx context.Context,
	conversations []*ent.Conversation,
	args page.Args,
) (map[string]*page.MessageConnection, error) {
	if _, err := viewer.Require(ctx, viewer.Chat); err != nil {
		return nil, err
	}
	pages := make(map[string]page.Range, len(conversations))
	byConversation := make(map[string][]*ent.Message, len(conversations))
	ranges := make([]store.KeyRange, 0, len(conversations))
	for _, c := range conversations {
		r, err := args.Range(messageList, c.MessageCount)
		if err != nil {
			return nil, err
		}
		pages[c.ID] = r
		if r.From <= r.To {
			ranges = append(ranges, store.KeyRange{Key: c.ID, First: r.From, Last: r.To})
			byConversation[c.ID] = make([]*ent.Message, 0, r.To-r.From+1)
		}
	}
	inPages := func(s *sql.Selector) {
		store.InRanges(s, message.FieldConversationID, message.FieldPosition, ranges)
	}
	q := s.client.Message.Query().Where(inPages).Order(message.ByPosition())
	columns := args.SelectColumns(message.FieldID, message.FieldConversationID, message.FieldPosition)
	if columns != nil {
		q.Select(columns...)
	}
	found, err := q.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading messages: %w", err)
	}
	for _, m := range found {
		byConversation[m.ConversationID] = append(byConversation[m.ConversationID], m)
	}
	out := make(map[string]*page.MessageConnection, len(conversations))
	for id, r := range pages {
		out[id] = page.BuildRange(r, byConversation[id], messageCursor)
	}
	return out, nil
}

func messageCursor(m *ent.Message) page.Cursor { return page.PositionCursor(messageList, m.Position) }

// MessageEdge returns a message with its cursor in its conversation.
func MessageEdge(m *ent.Message) *page.MessageEdge { return page.NewEdge(m, messageCursor) }

// maxChangedCalls is how many changed tool calls MessagesFrom returns. One revision changes fewer: those of a reply.
const maxChangedCalls = 512

// MessagesFrom implements [stream.MessageReader] for a conversation: it returns its messages with their tool calls from
// a position on, and the tool calls that were decided since a revision. From position 0 it returns the newest turn and
// everything since the oldest unfinished one. Without the scope tasks:read, tool calls are redacted.
func (s *Service) MessagesFrom(
	ctx context.Context, conversationID string, from, revision int,
) (rows stream.MessageRows, err error) {
	v, err := viewer.Require(ctx, viewer.Chat)
	if err != nil {
		return rows, err
	}
	c, err := s.FindConversation(ctx, conversationID)
	if err != nil {
		return rows, err
	}
	if c == nil {
		return rows, apperr.Missing("conversation")
	}
	rows.Revision = c.Revision
	if revision >= 0 && revision < c.Revision {
		if err := s.readChangedCalls(ctx, c, revision, &rows); err != nil {
			return rows, err
		}
	}
	if from == 0 {
		if from, err = s.firstOpenPosition(ctx, c); err != nil {
			return rows, err
		}
	}
	rows.Messages, err = s.client.Message.Query().
		Where(message.ConversationID(conversationID), message.PositionGTE(from)).
		Order(message.ByPosition()).
		Limit(max(stream.MessagesPerRead, 2*s.limits.UnfinishedReplies+2)).
		WithToolCalls(func(q *ent.ToolCallQuery) { q.Order(toolcall.BySeq()) }).
		All(ctx)
	if err != nil {
		return rows, fmt.Errorf("reading messages: %w", err)
	}
	for _, m := range rows.Messages {
		s.expireSeen(ctx, m.Edges.ToolCalls)
		tool.RedactCalls(v.Scopes, m.Edges.ToolCalls)
	}
	tool.RedactCalls(v.Scopes, rows.Changed)
	return rows, nil
}

// readChangedCalls reads the tool calls of a conversation that were decided after a revision.
func (s *Service) readChangedCalls(
	ctx context.Context, c *ent.Conversation, revision int, rows *stream.MessageRows,
) error {
	changed, err := s.client.ToolCall.Query().
		Where(
			toolcall.RevisionGT(revision),
			toolcall.RevisionLTE(c.Revision),
			toolcall.HasMessageWith(message.ConversationID(c.ID)),
		).
		WithMessage(func(q *ent.MessageQuery) { q.Select(message.FieldID, message.FieldPosition) }).
		Order(toolcall.ByRevision(), toolcall.BySeq()).
		Limit(maxChangedCalls).
		All(ctx)
	if err != nil {
		return fmt.Errorf("reading changed tool calls: %w", err)
	}
	rows.Changed = changed
	if len(changed) < maxChangedCalls {
		return nil
	}
	last := changed[len(changed)-1].Revision
	if n := slices.IndexFunc(changed, func(t *ent.ToolCall) bool { return t.Revision == last }); n > 0 {
		rows.Changed, last = changed[:n], changed[n-1].Revision // the rest of the last revision may be missing
	}
	rows.Revision, rows.More = last, last < c.Revision
	return nil
}

// firstOpenPosition returns the position of the oldest unfinished turn, or of the newest turn when all are finished.
func (s *Service) firstOpenPosition(ctx context.Context, c *ent.Conversation) (int, error) {
	// Runs finish in order, so unfinished replies are among the last ones: at most the limit of
	// unfinished replies has to be searched.
	oldest := c.MessageCount - 2*s.limits.UnfinishedReplies
	unfinished, err := s.client.Message.Query().
		Where(
			message.ConversationID(c.ID),
			message.PositionGT(oldest),
			message.StatusIn(enum.MessagePending, enum.MessageStreaming),
		).
		Order(message.ByPosition()).
		Limit(1).
		Select(message.FieldPosition).
		Ints(ctx)
	if err != nil {
		return 0, fmt.Errorf("reading unfinished replies: %w", err)
	}
	last := c.MessageCount
	if len(unfinished) > 0 {
		last = min(last, unfinished[0])
	}
	// A turn begins with the user message; more than one reply follows it if the first failed.
	sent, err := s.client.Message.Query().
		Where(message.ConversationID(c.ID), message.PositionLTE(last), message.RoleEQ(enum.RoleUser)).
		Order(message.ByPosition(sql.OrderDesc())).
		Limit(1).
		Select(message.FieldPosition).
		Ints(ctx)
	if err != nil {
		return 0, fmt.Errorf("reading the newest turn: %w", err)
	}
	if len(sent) == 0 {
		return 1, nil
	}
	return sent[0], nil
}
