package run

import (
	"context"
	stdsql "database/sql"
	"strings"

	"errand/internal/store"
)

// statements are the engine's own SQL statements. They bypass the entities' privacy policies, because
// claiming and expiring runs is not the work of a user; what a handler does for a user goes through Ent.
type statements struct {
	clock, claim, renew, stale, failStale, fence, finish, requeue, cancel string
}

// conditions are parts of several statements.
var conditions = strings.NewReplacer(
	"{claimable}", `NOT r.cancel_requested AND (
			(r.state = 'QUEUED' AND r.available_at <= clock.now AND r.failures < $1)
			OR (r.state = 'RUNNING' AND r.lease_until < clock.now AND r.failures + 1 < $1))`,
	"{stale}", `(
			(state = 'QUEUED' AND (cancel_requested OR failures >= $1))
			OR (state = 'RUNNING' AND lease_until < {now} AND (cancel_requested OR failures + 1 >= $1)))`,
)

// The fence's condition is that the attempt $2 owns the run $1. With the fence disabled, the run exists.
const (
	fenceCondition    = `id = $1 AND attempt = $2 AND state = 'RUNNING'`
	disabledCondition = `id = $1 AND CAST($2 AS BIGINT) > 0`
)

// newStatements expands the statements for an engine.
func newStatements(sql store.SQL, withoutFence bool) statements {
	fence := fenceCondition
	if withoutFence {
		fence = disabledCondition
	}
	fragments := strings.NewReplacer("{now}", sql.Now, "{skip locked}", sql.SkipLocked, "{owned}", fence)
	expand := func(text string) string { return fragments.Replace(conditions.Replace(text)) }
	return statements{
		clock:     expand(`SELECT {now}`),
		claim:     expand(claimSQL),
		renew:     expand(renewSQL),
		stale:     expand(staleSQL),
		failStale: expand(failStaleSQL),
		fence:     expand(fenceSQL),
		finish:    expand(finishSQL),
		requeue:   expand(requeueSQL),
		cancel:    expand(cancelSQL),
	}
}

// querier is the part of an Ent client and an Ent transaction that runs raw SQL. A statement that writes and
// returns rows goes through QueryContext too; outside of a transaction it commits by itself.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*stdsql.Rows, error)
}

// queryRows calls each for every row of a query; each scans it.
func queryRows(
	ctx context.Context,
	q querier,
	query string,
	args []any,
	each func(scan func(...any) error) error,
) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// queryRow scans the only row of a query, and reports whether there was one.
func queryRow(ctx context.Context, q querier, query string, args []any, dst ...any) (found bool, err error) {
	err = queryRows(ctx, q, query, args, func(scan func(...any) error) error {
		found = true
		return scan(dst...)
	})
	return found, err
}

// jobColumns are the columns that scanJob reads.
const jobColumns = `id, user_id, conversation_id, message_id, position, attempt, failures`

// scanJob scans jobColumns, and more columns behind them.
func scanJob(scan func(...any) error, more ...any) (j Job, err error) {
	dst := []any{&j.RunID, &j.UserID, &j.ConversationID, &j.MessageID, &j.Position, &j.Attempt, &j.Failures}
	return j, scan(append(dst, more...)...)
}
