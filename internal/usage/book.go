// Package usage keeps the book of what model calls take: tokens and cost by person
// and day, and the limits on them. The book is in the database, so that it holds
// across replicas and outlives the messages that were paid for.
package usage

import (
	"context"
	"fmt"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/message"
	"errand/ent/usageday"
	"errand/internal/apperr"
	"errand/internal/ids"
	"errand/internal/price"

	"entgo.io/ent/dialect/sql"
)

// Limits bound what may be spent; 0 is no limit.
type Limits struct {
	// PerTurn is how many tokens one reply may take over all its steps.
	PerTurn int
	// PerDay is how many tokens one person may use a day. Days are UTC's.
	PerDay int
}

// Options are what a Book is made of.
type Options struct {
	Client *ent.Client
	Prices price.List
	Limits Limits
	// Now is the clock; nil means ids.Now.
	Now func() time.Time
}

// Book records and limits.
type Book struct{ Options }

// New makes a Book.
func New(o Options) *Book {
	if o.Now == nil {
		o.Now = ids.Now
	}
	return &Book{o}
}

// Spent is what some calls took.
type Spent struct {
	Calls int
	price.Tokens
	// Nanos is the cost of those calls whose model has a price; Priced that there was one.
	Nanos  int64
	Priced bool
}

// Call is one call's spending.
func (b *Book) Call(model string, t price.Tokens) Spent {
	nanos, ok := b.Prices.Cost(model, t)
	return Spent{Calls: 1, Tokens: t, Nanos: nanos, Priced: ok}
}

// Plus adds two spendings.
func (s Spent) Plus(o Spent) Spent {
	return Spent{
		Calls:  s.Calls + o.Calls,
		Tokens: s.Tokens.Plus(o.Tokens),
		Nanos:  s.Nanos + o.Nanos,
		Priced: s.Priced || o.Priced,
	}
}

// RefusedError says that the person's daily tokens are used up.
type RefusedError struct {
	// Limit is how many there are a day; Until is when the next day begins.
	Limit int
	Until time.Time
	wait  time.Duration
}

// Error implements error.
func (e *RefusedError) Error() string { return "spend: the daily tokens are used up" }

// As lets [apperr.From] find the public form of the error.
func (e *RefusedError) As(target any) bool {
	t, ok := target.(**apperr.Error)
	if ok {
		*t = apperr.TooMany(
			e.wait,
			"Your %d tokens for today are used up. They are renewed at %s.",
			e.Limit,
			e.Until.Format(time.RFC3339),
		)
	}
	return ok
}

func (b *Book) refused() error {
	now := b.Now()
	until := now.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)
	return &RefusedError{Limit: b.Limits.PerDay, Until: until, wait: max(time.Second, until.Sub(now))}
}

func (b *Book) today() string { return b.Now().UTC().Format(time.DateOnly) }

// Admit refuses with RATE_LIMITED when the viewer has nothing left for today. Without a
// daily limit it asks the database nothing.
func (b *Book) Admit(ctx context.Context) error {
	if b.Limits.PerDay == 0 {
		return nil
	}
	used, err := used(ctx, b.Client.UsageDay, b.today())
	if err != nil {
		return err
	}
	if used >= b.Limits.PerDay {
		return b.refused()
	}
	return nil
}

func used(ctx context.Context, days *ent.UsageDayClient, day string) (int, error) {
	row, err := days.Query().Where(usageday.Day(day)).Only(ctx)
	if ent.IsNotFound(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("reading today's usage: %w", err)
	}
	return row.InputTokens + row.OutputTokens, nil
}

// Reserve takes tokens of the viewer's day for a call that the reply is about to make, in
// place of what the reply had reserved before. It refuses with a RefusedError when they and all other
// reservations do not fit. A reservation counts until the reply makes the next, records
// what was spent, or ends in whatever way; so a dead server's are not lost.
func (b *Book) Reserve(ctx context.Context, tx *ent.Tx, messageID string, tokens int) error {
	day := b.today()
	// Whoever holds the day's row decides; on PostgreSQL others would not see this reservation yet.
	err := tx.UsageDay.Create().SetDay(day).
		OnConflict(sql.ConflictColumns(usageday.FieldUserID, usageday.FieldDay)).
		Update(func(u *ent.UsageDayUpsert) { u.SetUpdatedAt(b.Now()) }).Exec(ctx)
	if err != nil {
		return fmt.Errorf("locking today's usage: %w", err)
	}
	taken, err := used(ctx, tx.UsageDay, day)
	if err != nil {
		return err
	}
	reserved, err := tx.Message.Query().
		Where(message.StatusIn(enum.MessagePending, enum.MessageStreaming), message.IDNEQ(messageID), message.ReservedTokensGT(0)).
		Select(message.FieldReservedTokens).Ints(ctx)
	if err != nil {
		return fmt.Errorf("reading reservations: %w", err)
	}
	for _, n := range reserved {
		taken += n
	}
	if taken+tokens > b.Limits.PerDay {
		return b.refused()
	}
	return tx.Message.Update().Where(message.ID(messageID)).SetReservedTokens(tokens).Exec(ctx)
}

// Record adds to the viewer's day, in the transaction that stores what was bought.
func (b *Book) Record(ctx context.Context, days *ent.UsageDayClient, s Spent) error {
	if s.Calls == 0 {
		return nil
	}
	err := days.Create().SetDay(b.today()).SetCalls(s.Calls).
		SetInputTokens(s.Input).SetOutputTokens(s.Output).SetCachedTokens(s.Cached).SetCostNanos(s.Nanos).
		OnConflict(sql.ConflictColumns(usageday.FieldUserID, usageday.FieldDay)).
		Update(func(u *ent.UsageDayUpsert) {
			u.AddCalls(s.Calls).AddInputTokens(s.Input).AddOutputTokens(s.Output).AddCachedTokens(s.Cached).
				AddCostNanos(s.Nanos).SetUpdatedAt(b.Now())
		}).Exec(ctx)
	if err != nil {
		return fmt.Errorf("recording usage: %w", err)
	}
	return nil
}
