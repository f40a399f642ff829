package chat

import (
	"context"
	"fmt"

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
	ranges := make([]store.KeyRange, 0, len(conversations))
	for _, c := range conversations {
		r, err := args.Range(messageList, c.MessageCount)
		if err != nil {
			return nil, err
		}
		pages[c.ID] = r
		if r.From <= r.To {
			ranges = append(ranges, store.KeyRange{Key: c.ID, First: r.From, Last: r.To})
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
	byConversation := map[string][]*ent.Message{}
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

// MessagesFrom returns a conversation's messages with their tool calls, from a position on, for the
// conversation's stream. From position 0 it returns the newest turn and everything since the oldest
// unfinished one. It returns no more messages than a [stream.MessageReader] has to. Without the scope
// tasks:read, tool calls are redacted.
func (s *Service) MessagesFrom(ctx context.Context, conversationID string, from int) ([]*ent.Message, error) {
	v, err := viewer.Require(ctx, viewer.Chat)
	if err != nil {
		return nil, err
	}
	c, err := s.FindConversation(ctx, conversationID)
	if err != nil {
		return nil, err
	}
	if c == nil {
		return nil, apperr.Missing("conversation")
	}
	if from == 0 {
		if from, err = s.firstOpenPosition(ctx, c); err != nil {
			return nil, err
		}
	}
	rows, err := s.client.Message.Query().
		Where(message.ConversationID(conversationID), message.PositionGTE(from)).
		Order(message.ByPosition()).
		Limit(max(stream.MessagesPerRead, 2*s.limits.UnfinishedReplies+2)).
		WithToolCalls(func(q *ent.ToolCallQuery) { q.Order(toolcall.BySeq()) }).
		All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading messages: %w", err)
	}
	for _, m := range rows {
		tool.RedactCalls(v.Scopes, m.Edges.ToolCalls)
	}
	return rows, nil
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
