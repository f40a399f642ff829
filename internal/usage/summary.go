package usage

import (
	"context"
	"fmt"
	"time"

	"errand/ent/enum"
	"errand/ent/usageday"
	"errand/internal/viewer"
)

// Summary is the usage of the viewer in a period.
type Summary struct {
	From, ResetsAt                          time.Time
	Calls                                   int
	InputTokens, OutputTokens, CachedTokens int
	// Cost is nil when the server has no prices.
	Cost *float64
	// DailyTokenLimit is nil when there is no limit.
	DailyTokenLimit *int
}

// Summary returns the viewer's usage in the period that ends today (UTC).
func (l *Ledger) Summary(ctx context.Context, period enum.UsagePeriod) (*Summary, error) {
	if _, err := viewer.Require(ctx, viewer.Account); err != nil {
		return nil, err
	}
	today := l.Now().UTC().Truncate(24 * time.Hour)
	from := today.AddDate(0, 0, 1-period.Days())
	days, err := l.Client.UsageDay.Query().Where(usageday.DayGTE(from.Format(time.DateOnly))).All(ctx)
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
	if len(l.Prices) > 0 {
		s.Cost = enum.Cost(&nanos)
	}
	if l.Limits.PerDay > 0 {
		s.DailyTokenLimit = &l.Limits.PerDay
	}
	return s, nil
}
