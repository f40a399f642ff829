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
)

const messageList = "messages"

// MessagesByID are those of the viewer's messages that exist, by id.
func (s *Service) MessagesByID(ctx context.Context, ids []string) (map[string]*ent.Message, error) {
	return store.ByID(s.client.Message.Query().Where(message.IDIn(ids...)).All(ctx))
}

// ToolCallsByID are those of the viewer's tool calls that exist, by id.
func (s *Service) ToolCallsByID(ctx context.Context, ids []string) (map[string]*ent.ToolCall, error) {
	return store.ByID(s.client.ToolCall.Query().Where(toolcall.IDIn(ids...)).All(ctx))
}

// MessagesByConversation are a page of each of the given conversations' messages, oldest first, by
// the conversation's id, in one query: positions have no gaps.
func (s *Service) MessagesByConversation(
	ctx context.Context,
	conversations []*ent.Conversation,
	args page.Args,
) (map[string]*page.MessageConnection, error) {
	wanted := make(spans, len(conversations))
	for _, c := range conversations {
		span, err := args.Range(messageList, c.MessageCount)
		if err != nil {
			return nil, err
		}
		wanted[c.ID] = span
	}
	q := s.client.Message.Query().Where(wanted.within()).Order(message.ByPosition())
	if columns := args.SelectColumns(message.FieldID, message.FieldConversationID, message.FieldPosition); columns != nil {
		q.Select(columns...)
	}
	found, err := q.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading messages: %w", err)
	}
	grouped := map[string][]*ent.Message{}
	for _, m := range found {
		grouped[m.ConversationID] = append(grouped[m.ConversationID], m)
	}
	out := make(map[string]*page.MessageConnection, len(conversations))
	for id, span := range wanted {
		out[id] = page.BuildRange(
			span,
			grouped[id],
			func(m *ent.Message) page.Cursor { return page.PositionCursor(messageList, m.Position) },
		)
	}
	return out, nil
}

// ToolCallsByMessage are the given messages' tool calls in order, by the message's id, in one query.
func (s *Service) ToolCallsByMessage(ctx context.Context, messageIDs []string) (map[string][]*ent.ToolCall, error) {
	found, err := s.client.ToolCall.Query().Where(toolcall.MessageIDIn(messageIDs...)).Order(toolcall.BySeq()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading tool calls: %w", err)
	}
	out := make(map[string][]*ent.ToolCall, len(messageIDs))
	for _, c := range found {
		out[c.MessageID] = append(out[c.MessageID], c)
	}
	return out, nil
}

// MessagesFrom reads a conversation for its stream: from a position on, or from 0 the
// newest turn and every unfinished one. Turns are two messages, positions 2n-1 and 2n.
func (s *Service) MessagesFrom(ctx context.Context, conversationID string, from int) ([]*ent.Message, error) {
	c, err := s.FindConversation(ctx, conversationID)
	if err != nil {
		return nil, err
	}
	if c == nil {
		return nil, apperr.Missing("conversation")
	}
	if from == 0 {
		if from, err = s.opening(ctx, c); err != nil {
			return nil, err
		}
	}
	rows, err := s.client.Message.Query().
		Where(message.ConversationID(conversationID), message.PositionGTE(from)).
		Order(message.ByPosition()).
		WithToolCalls(func(q *ent.ToolCallQuery) { q.Order(toolcall.BySeq()) }).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading messages: %w", err)
	}
	return rows, nil
}

func (s *Service) opening(ctx context.Context, c *ent.Conversation) (int, error) {
	// Runs are done in order, so whatever is unfinished is among the last replies.
	unfinished, err := s.client.Message.Query().
		Where(message.ConversationID(c.ID), message.PositionGT(c.MessageCount-2*s.limits.UnfinishedReplies),
			message.StatusIn(enum.MessagePending, enum.MessageStreaming)).
		Order(message.ByPosition()).Limit(1).Select(message.FieldPosition).Ints(ctx)
	if err != nil {
		return 0, fmt.Errorf("reading replies under way: %w", err)
	}
	from := max(1, c.MessageCount-1)
	if len(unfinished) > 0 {
		from = min(from, unfinished[0]-1)
	}
	return from, nil
}
