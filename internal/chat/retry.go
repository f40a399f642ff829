package chat

import (
	"context"
	"fmt"

	"errand/ent"
	"errand/ent/conversation"
	"errand/ent/enum"
	"errand/ent/message"
	"errand/ent/rule"
	"errand/internal/apperr"
	"errand/internal/ids"
	"errand/internal/quota"
	"errand/internal/store"
	"errand/internal/stream"
	"errand/internal/viewer"

	"entgo.io/ent/dialect/sql"
)

// MaxRetries is how often a turn may be retried.
const MaxRetries = 10

// RetryReply answers the last message of a conversation again after its reply has failed or was cancelled. The new
// reply is a message of its own, directly after the failed one, because the text of a finished reply never changes. It
// continues from the tool calls that the failed replies have recorded, so that their effects are not repeated.
//
// Retrying the same reply again returns the same turn. A reply that is not the last message, or that has not failed, is
// CONFLICT.
func (s *Service) RetryReply(ctx context.Context, messageID string) (*Turn, error) {
	v, err := viewer.Require(ctx, viewer.Chat)
	if err != nil {
		return nil, err
	}
	failed, err := s.requireReply(ctx, messageID)
	if err != nil {
		return nil, err
	}
	if turn, err := s.findRetry(ctx, failed); turn != nil || err != nil {
		return turn, err
	}
	sent, err := s.checkRetry(ctx, failed)
	if err != nil {
		return s.findConcurrentRetry(ctx, failed, err)
	}
	turn := &Turn{UserMessage: sent}
	err = store.WithTx(ctx, s.client, func(tx *ent.Tx) error {
		seq, err := s.limits.Quota.Apply(ctx, tx, v, quota.Delta{Reply: true, ConversationChanges: 1})
		if err != nil {
			return err
		}
		if err := s.checkReplyRate(ctx, tx); err != nil {
			return err
		}
		// The condition and the lock of the row make the retry the only message at its position.
		turn.Conversation, err = tx.Conversation.UpdateOneID(failed.ConversationID).
			Where(conversation.MessageCount(failed.Position)).
			AddMessageCount(1).
			SetSeq(seq.ConversationChange).
			ClearArchivedAt().
			Save(ctx)
		if ent.IsNotFound(err) {
			return errNotLastReply()
		}
		if err != nil {
			return fmt.Errorf("locking the conversation: %w", err)
		}
		ctx := rule.SkipEdgeCheck(ctx, turn.Conversation.ID) // written as the viewer above
		turn.AssistantMessage, err = s.createReply(ctx, tx, turn.Conversation, ids.Now())
		return err
	})
	if err != nil {
		return s.findConcurrentRetry(ctx, failed, err)
	}
	s.hub.Publish(stream.Event{Kind: stream.RowsChanged, Topic: turn.Conversation.ID})
	s.hub.PublishConversationChange(v.UserID, false)
	s.runs.Wake()
	return turn, nil
}

// checkRetry returns the user message that a reply answers, or the reason why the reply cannot be retried.
func (s *Service) checkRetry(ctx context.Context, reply *ent.Message) (*ent.Message, error) {
	if !reply.Status.Terminal() {
		return nil, apperr.New(apperr.Conflict, "The reply is not finished yet.")
	}
	if reply.Status == enum.MessageCompleted {
		return nil, apperr.New(apperr.Conflict, "Only failed and cancelled replies can be retried; this one is complete.")
	}
	c, err := s.FindConversation(ctx, reply.ConversationID)
	if err != nil {
		return nil, err
	}
	if c == nil {
		return nil, apperr.Missing("message")
	}
	if c.MessageCount != reply.Position {
		return nil, errNotLastReply()
	}
	sent, err := s.answeredMessage(ctx, reply)
	if err != nil {
		return nil, err
	}
	if reply.Position-sent.Position > MaxRetries {
		return nil, apperr.New(apperr.Conflict, "A message can be retried at most %d times; send it again instead.",
			MaxRetries)
	}
	if s.limits.CheckBudget != nil {
		return sent, s.limits.CheckBudget(ctx)
	}
	return sent, nil
}

func errNotLastReply() error {
	return apperr.New(apperr.Conflict, "Only the last reply of a conversation can be retried.")
}

// answeredMessage returns the user message that a reply answers: the last one before it.
func (s *Service) answeredMessage(ctx context.Context, reply *ent.Message) (*ent.Message, error) {
	sent, err := s.client.Message.Query().
		Where(
			message.ConversationID(reply.ConversationID),
			message.PositionLT(reply.Position),
			message.RoleEQ(enum.RoleUser),
		).
		Order(message.ByPosition(sql.OrderDesc())).
		First(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the message that the reply answers: %w", err)
	}
	return sent, nil
}

// findConcurrentRetry returns the retry that a concurrent request has stored since the first look, or the refusal that
// its effects caused here, such as that the reply is no longer the last message.
func (s *Service) findConcurrentRetry(ctx context.Context, failed *ent.Message, refusal error) (*Turn, error) {
	turn, err := s.findRetry(ctx, failed)
	if err != nil {
		return nil, err
	}
	if turn == nil {
		return nil, refusal
	}
	return turn, nil
}

// findRetry returns the turn of the reply that retries a failed one, or nil when there is none.
func (s *Service) findRetry(ctx context.Context, failed *ent.Message) (*Turn, error) {
	retry, err := s.client.Message.Query().
		Where(
			message.ConversationID(failed.ConversationID),
			message.Position(failed.Position+1),
			message.RoleEQ(enum.RoleAssistant),
		).
		WithConversation().
		Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the retry: %w", err)
	}
	sent, err := s.answeredMessage(ctx, retry)
	if err != nil {
		return nil, err
	}
	return &Turn{Conversation: retry.Edges.Conversation, UserMessage: sent, AssistantMessage: retry}, nil
}
