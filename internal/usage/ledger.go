// Package usage records the tokens and the cost of model calls by user and day, and enforces limits on
// them. The ledger is in the database, so that it holds across replicas and outlives deleted messages.
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
	"errand/internal/store"
	"errand/internal/viewer"

	"entgo.io/ent/dialect/sql"
)

// Limits bound the usage; 0 means unlimited.
type Limits struct {
	// PerTurn is the largest number of tokens of one reply over all its steps.
	PerTurn int
	// PerDay is the largest number of tokens of one user in a UTC day.
	PerDay int
}

// Options configures a Ledger. Client is required.
type Options struct {
	Client *ent.Client
	Prices price.List
	Limits Limits
	// Now is the clock; nil means ids.Now.
	Now func() time.Time
}

// Ledger records usage and enforces limits. It is safe for concurrent use.
type Ledger struct{ Options }

// New returns a Ledger.
func New(o Options) *Ledger {
	if o.Now == nil {
		o.Now = ids.Now
	}
	return &Ledger{o}
}

// Amount is the usage of some model calls.
type Amount struct {
	Calls int
	price.Tokens
	// Nanos is the cost, in billionths of the currency, of the calls whose model has a price. Priced is set
	// when there was such a call.
	Nanos  int64
	Priced bool
}

// Amount returns the usage of one call, priced by the list.
func (l *Ledger) Amount(model string, t price.Tokens) Amount {
	nanos, ok := l.Prices.Cost(model, t)
	return Amount{Calls: 1, Tokens: t, Nanos: nanos, Priced: ok}
}

// Add returns the sum of two amounts.
func (s Amount) Add(o Amount) Amount {
	return Amount{
		Calls:  s.Calls + o.Calls,
		Tokens: s.Tokens.Add(o.Tokens),
		Nanos:  s.Nanos + o.Nanos,
		Priced: s.Priced || o.Priced,
	}
}

// LimitError is the error for a user whose daily tokens are used up. apperr.From converts it to RATE_LIMITED.
type LimitError struct {
	// Limit is the daily number of tokens. ResetsAt is the start of the next UTC day.
	Limit    int
	ResetsAt time.Time
	wait     time.Duration
}

// Error implements error.
func (e *LimitError) Error() string { return "usage: daily token limit reached" }

// As implements errors.As for the public form of the error.
func (e *LimitError) As(target any) bool {
	t, ok := target.(**apperr.Error)
	if ok {
		*t = apperr.TooMany(
			e.wait,
			"The daily limit of %d tokens is reached. It resets at %s.",
			e.Limit,
			e.ResetsAt.Format(time.RFC3339),
		)
	}
	return ok
}

func (l *Ledger) limitError() error {
	now := l.Now()
	until := now.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)
	return &LimitError{Limit: l.Limits.PerDay, ResetsAt: until, wait: max(time.Second, until.Sub(now))}
}

func (l *Ledger) today() string { return l.Now().UTC().Format(time.DateOnly) }

// Admit returns a LimitError when the viewer has no tokens left for today. Without a daily limit it makes no
// query.
func (l *Ledger) Admit(ctx context.Context) error {
	if l.Limits.PerDay == 0 {
		return nil
	}
	used, err := usedTokens(ctx, l.Client.UsageDay, l.today())
	if err != nil {
		return err
	}
	if used >= l.Limits.PerDay {
		return l.limitError()
	}
	return nil
}

func usedTokens(ctx context.Context, days *ent.UsageDayClient, day string) (int, error) {
	row, err := days.Query().Where(usageday.Day(day)).Only(ctx)
	if ent.IsNotFound(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("reading today's usage: %w", err)
	}
	return row.InputTokens + row.OutputTokens, nil
}

// Reserve reserves tokens of the viewer's day for the next call of a reply, in place of the earlier
// reservation of that reply. It returns a LimitError when the tokens do not fit beside the day's usage and all
// other reservations. A reservation ends with the next one, with the recorded usage, or with the reply, so
// that one of a killed server does not stay.
func (l *Ledger) Reserve(ctx context.Context, tx *ent.Tx, messageID string, tokens int) error {
	day := l.today()
	// The lock on the row of the day serializes reservations: on PostgreSQL, uncommitted ones are invisible.
	err := tx.UsageDay.Create().SetDay(day).
		OnConflict(sql.ConflictColumns(usageday.FieldUserID, usageday.FieldDay)).
		Update(func(u *ent.UsageDayUpsert) { u.SetUpdatedAt(l.Now()) }).Exec(ctx)
	if err != nil {
		return fmt.Errorf("locking today's usage: %w", err)
	}
	taken, err := usedTokens(ctx, tx.UsageDay, day)
	if err != nil {
		return err
	}
	reserved, err := tx.Message.Query().
		Where(
			store.InValues(message.FieldStatus, string(enum.MessagePending), string(enum.MessageStreaming)),
			message.IDNEQ(messageID),
			message.ReservedTokensGT(0),
		).
		Select(message.FieldReservedTokens).Ints(ctx)
	if err != nil {
		return fmt.Errorf("reading reservations: %w", err)
	}
	for _, n := range reserved {
		taken += n
	}
	if taken+tokens > l.Limits.PerDay {
		return l.limitError()
	}
	return tx.Message.Update().Where(message.ID(messageID)).SetReservedTokens(tokens).Exec(ctx)
}

// recordSQL adds to the user's day. Ent's upsert returns the row's ID, which costs a round trip of its own.
const recordSQL = `INSERT INTO usage_days
	(id, user_id, day, calls, input_tokens, output_tokens, cached_tokens, cost_nanos, created_at, updated_at)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
	ON CONFLICT (user_id, day) DO UPDATE SET calls = usage_days.calls + excluded.calls,
		input_tokens = usage_days.input_tokens + excluded.input_tokens,
		output_tokens = usage_days.output_tokens + excluded.output_tokens,
		cached_tokens = usage_days.cached_tokens + excluded.cached_tokens,
		cost_nanos = usage_days.cost_nanos + excluded.cost_nanos, updated_at = excluded.updated_at`

// Record adds an amount to the viewer's day, in the transaction that stores the answer. client may be that of
// store.Queue: other replies of the user hold the lock of the day's row for two round trips at most.
func (l *Ledger) Record(ctx context.Context, client *ent.Client, s Amount) error {
	if s.Calls == 0 {
		return nil
	}
	v, err := viewer.Require(ctx)
	if err != nil {
		return err
	}
	_, err = client.ExecContext(ctx, recordSQL, ids.New(ids.UsageDay)(), v.UserID, l.today(),
		s.Calls, s.Input, s.Output, s.Cached, s.Nanos, l.Now())
	if err != nil {
		return fmt.Errorf("recording usage: %w", err)
	}
	return nil
}
