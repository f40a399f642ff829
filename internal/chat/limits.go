package chat

import (
	"context"
	"fmt"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/message"
	"errand/ent/user"
	"errand/internal/apperr"
	"errand/internal/ids"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
)

// Limits bound what one person may ask for, over all replicas: they are counted in the database.
type Limits struct {
	// UnfinishedReplies is how many replies may be waiting or under way at once.
	UnfinishedReplies int
	// MessagesPerMinute is how many messages may be sent in any 60 seconds.
	MessagesPerMinute int
	// CheckBudget refuses a person whose tokens for today are used up; nil never does.
	CheckBudget func(ctx context.Context) error
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

// admit refuses a message over the person's limits. Until tx ends, no other message of the person's
// is counted, on any replica: those that come together cannot all be the last one.
func (s *Service) admit(ctx context.Context, tx *ent.Tx, userID string) error {
	if err := lock(ctx, tx, userID); err != nil {
		return err
	}
	since := ids.Now().Add(-time.Minute)
	recent, err := tx.Message.Query().
		Where(message.RoleEQ(enum.RoleUser), message.CreatedAtGT(since)).
		Order(message.ByCreatedAt()).Limit(s.limits.MessagesPerMinute).Select(message.FieldCreatedAt).All(ctx)
	if err != nil {
		return fmt.Errorf("counting messages: %w", err)
	}
	if len(recent) >= s.limits.MessagesPerMinute {
		wait := max(time.Second, recent[0].CreatedAt.Sub(since))
		return apperr.TooMany(wait, "At most %d messages a minute.", s.limits.MessagesPerMinute)
	}
	unfinished, err := tx.Message.Query().
		Where(message.StatusIn(enum.MessagePending, enum.MessageStreaming)).Limit(s.limits.UnfinishedReplies).IDs(ctx)
	if err != nil {
		return fmt.Errorf("counting replies under way: %w", err)
	}
	if len(unfinished) >= s.limits.UnfinishedReplies {
		return apperr.TooMany(2*time.Second, "At most %d replies may be under way at once.", s.limits.UnfinishedReplies)
	}
	return nil
}

// lock makes the person's sendings take turns. SQLite's transactions do anyway.
func lock(ctx context.Context, tx *ent.Tx, userID string) error {
	forUpdate := func(s *sql.Selector) {
		if s.Dialect() == dialect.Postgres {
			s.For(sql.LockNoKeyUpdate)
		}
	}
	_, err := tx.User.Query().Where(user.ID(userID), forUpdate).OnlyID(ctx)
	if ent.IsNotFound(err) {
		return accountGone()
	}
	if err != nil {
		return fmt.Errorf("locking the sender: %w", err)
	}
	return nil
}
