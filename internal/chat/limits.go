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
	// Unfinished is how many replies may be waiting or under way at once.
	Unfinished int
	// PerMinute is how many messages may be sent in any 60 seconds.
	PerMinute int
	// Budget refuses a person whose tokens for today are used up; nil never does.
	Budget func(ctx context.Context) error
}

func (l Limits) withDefaults() Limits {
	if l.Unfinished == 0 {
		l.Unfinished = 20
	}
	if l.PerMinute == 0 {
		l.PerMinute = 60
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
		Order(message.ByCreatedAt()).Limit(s.limits.PerMinute).Select(message.FieldCreatedAt).All(ctx)
	if err != nil {
		return fmt.Errorf("counting messages: %w", err)
	}
	if len(recent) >= s.limits.PerMinute {
		wait := max(time.Second, recent[0].CreatedAt.Sub(since))
		return apperr.TooMany(wait, "At most %d messages a minute.", s.limits.PerMinute)
	}
	unfinished, err := tx.Message.Query().
		Where(message.StatusIn(enum.MessagePending, enum.MessageStreaming)).Limit(s.limits.Unfinished).IDs(ctx)
	if err != nil {
		return fmt.Errorf("counting replies under way: %w", err)
	}
	if len(unfinished) >= s.limits.Unfinished {
		return apperr.TooMany(2*time.Second, "At most %d replies may be under way at once.", s.limits.Unfinished)
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
