package chat

import (
	"context"
	"fmt"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/message"
	"errand/internal/apperr"
	"errand/internal/ids"
	"errand/internal/quota"
	"errand/internal/store"
	"errand/internal/viewer"
)

// Limits bound one user's messages, over all replicas: they are counted in the database.
type Limits struct {
	// UnfinishedReplies is how many replies may be pending or streaming at once; 20 by default.
	UnfinishedReplies int
	// MessagesPerMinute is how many messages may be sent in any 60 seconds; 60 by default.
	MessagesPerMinute int
	// CheckBudget returns an error when the viewer has used up the tokens of the day. Nil means no budget.
	CheckBudget func(ctx context.Context) error
	// Quota bounds what the user stores.
	Quota quota.Limits
}

func (l Limits) withDefaults() Limits {
	if l.UnfinishedReplies == 0 {
		l.UnfinishedReplies = 20
	}
	if l.MessagesPerMinute == 0 {
		l.MessagesPerMinute = 60
	}
	return l
}

// checkLimits counts the message and assigns the position of the change to its conversation. It returns RATE_LIMITED or
// FORBIDDEN when one more message would exceed the user's limits. It locks the user's row until tx ends, so concurrent
// messages of one user are counted one after the other.
func (s *Service) checkLimits(
	ctx context.Context, tx *ent.Tx, v viewer.Viewer, in SendMessageInput,
) (quota.Sequence, error) {
	d := quota.Delta{Bytes: quota.MessageBytes(in.Content, len(in.terms)), ConversationChanges: 1}
	if in.ConversationID == nil {
		d.Conversations = 1
	}
	seq, err := s.limits.Quota.Apply(ctx, tx, v, d)
	if err != nil {
		return quota.Sequence{}, err
	}
	return seq, s.checkReplyRate(ctx, tx)
}

// checkReplyRate returns RATE_LIMITED when one more reply would exceed the limits of replies in a minute or of
// unfinished ones. The caller holds the lock of the user's row.
func (s *Service) checkReplyRate(ctx context.Context, tx *ent.Tx) error {
	since := ids.Now().Add(-time.Minute)
	recent, err := tx.Message.Query().
		Where(message.RoleEQ(enum.RoleAssistant), message.CreatedAtGT(since)).
		Order(message.ByCreatedAt()).
		Limit(s.limits.MessagesPerMinute).
		Select(message.FieldCreatedAt).
		All(ctx)
	if err != nil {
		return fmt.Errorf("counting messages: %w", err)
	}
	if len(recent) >= s.limits.MessagesPerMinute {
		wait := max(time.Second, recent[0].CreatedAt.Sub(since))
		return apperr.TooMany(wait, "At most %d messages may be sent per minute.", s.limits.MessagesPerMinute)
	}
	open, err := tx.Message.Query().
		Where(unfinished).Limit(s.limits.UnfinishedReplies).IDs(ctx)
	if err != nil {
		return fmt.Errorf("counting unfinished replies: %w", err)
	}
	if len(open) >= s.limits.UnfinishedReplies {
		return apperr.TooMany(2*time.Second, "At most %d replies may be unfinished at once.", s.limits.UnfinishedReplies)
	}
	return nil
}

// unfinished is true for replies that are pending or streaming.
var unfinished = store.InValues(message.FieldStatus, string(enum.MessagePending), string(enum.MessageStreaming))
