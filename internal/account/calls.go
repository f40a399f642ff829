package account

import (
	"context"
	"fmt"
	"time"

	"errand/internal/apperr"
	"errand/internal/ids"
	"errand/internal/viewer"
)

// AllowCall counts a call that another assistant makes for the viewer, and refuses it with
// RATE_LIMITED beyond perMinute: a minute's calls may come at once, and then one each time
// that its share of a minute has passed. It is one statement on the person's row, so calls
// count together on whichever replicas they arrive, and what is refused does not count.
func (s *Service) AllowCall(ctx context.Context, perMinute int) error {
	v, ok := viewer.FromContext(ctx)
	if !ok {
		return apperr.New(apperr.Unauthenticated, "Sign in first.")
	}
	now, share := ids.Now().UnixMicro(), time.Minute.Microseconds()/int64(perMinute)
	latest := now + time.Minute.Microseconds() - share // of those that leave room for one more
	const q = `UPDATE users SET assistant_calls_until = CASE WHEN assistant_calls_until < $1 THEN $2 ELSE assistant_calls_until + $3 END
		WHERE id = $4 AND assistant_calls_until <= $5`
	result, err := s.client.ExecContext(ctx, q, now, now+share, share, v.UserID, latest)
	if err != nil {
		return fmt.Errorf("counting a call: %w", err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 1 {
		return err
	}
	u, err := s.CurrentUser(ctx)
	if err != nil {
		return err
	}
	wait := time.Duration(u.AssistantCallsUntil-latest) * time.Microsecond
	return apperr.TooMany(max(time.Millisecond, wait), "At most %d calls a minute.", perMinute)
}
