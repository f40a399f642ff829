package usage

import (
	"context"
	"fmt"
	"time"

	"errand/ent/enum"
	"errand/ent/usageday"
	"errand/internal/apperr"
	"errand/internal/viewer"
)

// Summary is what the viewer's model calls took in some days.
type Summary struct {
	From, ResetsAt                          time.Time
	Calls                                   int
	InputTokens, OutputTokens, CachedTokens int
	// Cost is nil where the server has no prices.
	Cost *float64
	// DailyTokenLimit is nil where there is none.
	DailyTokenLimit *int
}

// Summary adds up the viewer's days.
func (b *Book) Summary(ctx context.Context, period enum.UsagePeriod) (*Summary, error) {
	if _, ok := viewer.FromContext(ctx); !ok {
		return nil, apperr.New(apperr.Unauthenticated, "Sign in first.")
	}
	today := b.Now().UTC().Truncate(24 * time.Hour)
	from := today.AddDate(0, 0, 1-period.Days())
	days, err := b.Client.UsageDay.Query().Where(usageday.DayGTE(from.Format(time.DateOnly))).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading usage: %w", err)
	}
	s := &Summary{From: from, ResetsAt: today.AddDate(0, 0, 1)}
	var nanos int64
	for _, d := range days {
		s.Calls += d.Calls
		s.InputTokens += d.InputTokens
		s.OutputTokens += d.OutputTokens
		s.CachedTokens += d.CachedTokens
		nanos += d.CostNanos
	}
	if len(b.Prices) > 0 {
		s.Cost = enum.Cost(&nanos)
	}
	if b.Limits.PerDay > 0 {
		s.DailyTokenLimit = &b.Limits.PerDay
	}
	return s, nil
}
