package quota

import (
	"context"
	"fmt"
	"time"

	"errand/internal/apperr"
	"errand/internal/ids"
	"errand/internal/viewer"
)

// rate is a leaky bucket (GCRA) in one column of the user's row: a minute's events may come at once, then one each
// minute/perMinute. A rejected event does not count. The column holds the time at which the bucket is empty again, in
// microseconds.
type rate struct {
	column string
	// perMinute is the limit; 0 means none.
	perMinute int
	// events names what is counted, for the error message.
	events string
}

// mutations returns the rate of changes that a person makes. What the agent does is part of a message, and what
// another assistant does is counted as MCP calls.
func mutations(l Limits, v viewer.Viewer) rate {
	r := rate{column: "mutations_until", perMinute: l.MutationsPerMinute, events: "changes"}
	if v.Actor != viewer.ActorUser {
		r.perMinute = 0
	}
	return r
}

func (r rate) interval() int64 { return time.Minute.Microseconds() / int64(r.perMinute) }

// latest is the latest time in the column at which one more event is allowed.
func (r rate) latest(now int64) int64 { return now + time.Minute.Microseconds() - r.interval() }

// charge adds one event to the update, and the condition that the limit allows it.
func (r rate) charge(u *update, now int64) {
	if r.perMinute == 0 {
		return
	}
	u.set = append(u.set, fmt.Sprintf("%[1]s = CASE WHEN %[1]s < %[2]s THEN %[3]s ELSE %[1]s + %[4]s END",
		r.column, u.param(now), u.param(now+r.interval()), u.param(r.interval())))
	u.require(r.column+" <= %s", r.latest(now))
}

// exceeded returns the error for an event that the limit does not allow.
func (r rate) exceeded(until, now int64) error {
	wait := time.Millisecond
	if r.perMinute > 0 {
		wait = max(wait, time.Duration(until-r.latest(now))*time.Microsecond)
	}
	return apperr.TooMany(wait, "At most %d %s a minute.", r.perMinute, r.events)
}

// AllowMutation counts a change that the viewer makes, and returns RATE_LIMITED beyond the limit. Apply does the
// same for changes that also change counters.
func (l Limits) AllowMutation(ctx context.Context, tx Querier) error {
	v, err := viewer.Require(ctx)
	if err != nil {
		return err
	}
	_, err = l.Apply(ctx, tx, v, Delta{})
	return err
}

// AllowCall counts a call that another assistant makes for the viewer (MCP), and returns RATE_LIMITED beyond perMinute.
func AllowCall(ctx context.Context, tx Querier, perMinute int) error {
	v, err := viewer.Require(ctx)
	if err != nil {
		return err
	}
	r := rate{column: "assistant_calls_until", perMinute: perMinute, events: "calls"}
	now, u := ids.Now().UnixMicro(), &update{}
	r.charge(u, now)
	allowed, err := u.run(ctx, tx, v.UserID, &Sequence{})
	if err != nil {
		return fmt.Errorf("counting a call: %w", err)
	}
	if allowed {
		return nil
	}
	var until int64
	const q = `SELECT assistant_calls_until FROM users WHERE id = $1`
	found, err := queryRow(ctx, tx, q, []any{v.UserID}, &until)
	switch {
	case err != nil:
		return fmt.Errorf("reading the rate limit: %w", err)
	case !found:
		return viewer.ErrAccountDeleted()
	default:
		return r.exceeded(until, now)
	}
}
