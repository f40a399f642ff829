package account

import (
	"context"
	"fmt"
	"time"

	"errand/internal/apperr"
	"errand/internal/ids"
	"errand/internal/viewer"
)

// AllowCall counts a call that another assistant makes for the viewer (MCP), and returns RATE_LIMITED
// beyond perMinute. It is a leaky bucket (GCRA): a minute's calls may come at once, then one each
// minute/perMinute. A rejected call does not count.
//
// The bucket is one column of the user's row, changed by one statement, so the limit holds over all replicas.
func (s *Service) AllowCall(ctx context.Context, perMinute int) error {
	v, err := viewer.Require(ctx)
	if err != nil {
		return err
	}
	// assistant_calls_until is the time at which the bucket is empty again, in microseconds.
	now, interval := ids.Now().UnixMicro(), time.Minute.Microseconds()/int64(perMinute)
	limit := now + time.Minute.Microseconds() - interval
	const q = `UPDATE users SET assistant_calls_until =
			CASE WHEN assistant_calls_until < $1 THEN $2 ELSE assistant_calls_until + $3 END
		WHERE id = $4 AND assistant_calls_until <= $5`
	result, err := s.client.ExecContext(ctx, q, now, now+interval, interval, v.UserID, limit)
	if err != nil {
		return fmt.Errorf("counting a call: %w", err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 1 {
		return err
	}
	u, err := s.currentUser(ctx)
	if err != nil {
		return err
	}
	wait := time.Duration(u.AssistantCallsUntil-limit) * time.Microsecond
	return apperr.TooMany(max(time.Millisecond, wait), "At most %d calls a minute.", perMinute)
}
