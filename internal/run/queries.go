package run

import (
	"context"
	stdsql "database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/run"
	"errand/internal/apperr"
	"errand/internal/store"
	"errand/internal/viewer"
)

// queries runs the engine's own SQL statements. It has no other state: Engine decides, queries reads and writes.
//
// The statements bypass the entities' privacy policies, because claiming and expiring runs is not the work of a
// user; what a handler does for a user goes through Ent.
type queries struct {
	client *ent.Client
	sql    statements
	// worker and lockedWorker are the names in the rows of claimed runs, without and with the worker lock.
	worker, lockedWorker string
	locked               func() bool // reports whether this process has the worker lock
	lease                time.Duration
	maxAttempts          int
}

// statements are the SQL texts, expanded for a dialect.
type statements struct {
	clock, claim, expire, unlocked, release, renew, stale, failStale, fence, finish, requeue, cancel string
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
	fragments := strings.NewReplacer("{now}", sql.Now, "{skip locked}", sql.SkipLocked, "{owned}", fence,
		"{worker unlocked}", "worker LIKE '%"+lockedSuffix+"' AND "+sql.WorkerUnlocked)
	expand := func(text string) string { return fragments.Replace(conditions.Replace(text)) }
	return statements{
		clock:     expand(`SELECT {now}`),
		claim:     expand(claimSQL),
		expire:    expand(expireSQL),
		unlocked:  expand(unlockedSQL),
		release:   expand(releaseSQL),
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
const jobColumns = `id, user_id, conversation_id, message_id, position, attempt, failures, scopes`

// scanJob scans jobColumns, and more columns behind them.
func scanJob(scan func(...any) error, more ...any) (j Job, err error) {
	dst := []any{
		&j.RunID, &j.UserID, &j.ConversationID, &j.MessageID, &j.Position, &j.Attempt, &j.Failures, &j.Scopes,
	}
	return j, scan(append(dst, more...)...)
}

// now returns the database's clock in milliseconds since 1970 UTC.
func (q *queries) now(ctx context.Context, on querier) (int64, error) {
	var now int64
	found, err := queryRow(ctx, on, q.sql.clock, nil, &now)
	if err == nil && !found {
		err = errors.New("no row")
	}
	if err != nil {
		return 0, fmt.Errorf("reading the database's clock: %w", err)
	}
	return now, nil
}

// ping checks that the runs table is readable.
func (q *queries) ping(ctx context.Context) error {
	var attempt int
	const check = `SELECT attempt FROM runs WHERE id = ''`
	_, err := queryRow(viewer.AsSystem(ctx), q.client, check, nil, &attempt)
	return err
}

// waiting returns the number of queued runs.
func (q *queries) waiting(ctx context.Context) (n int, err error) {
	const count = `SELECT COUNT(*) FROM runs WHERE state = 'QUEUED'`
	if _, err := queryRow(viewer.AsSystem(ctx), q.client, count, nil, &n); err != nil {
		return 0, fmt.Errorf("counting waiting runs: %w", err)
	}
	return n, nil
}

// expireSQL ends all leases, so that the runs are claimable, or stale, at once. An attempt that still runs somewhere
// loses its run to the next claim, as with any expired lease.
const expireSQL = `UPDATE runs SET lease_until = {now} - 1 WHERE state = 'RUNNING' AND lease_until >= {now}`

func (q *queries) expireLeases(ctx context.Context) error {
	_, err := q.client.ExecContext(viewer.AsSystem(ctx), q.sql.expire)
	return err
}

// renewSQL extends this worker's leases by $1 ms, of the listed runs only: a run that the worker holds without
// knowing it, because the response to its claim was lost, must expire. The worker's name becomes $2, so that the rows
// tell whether it has its lock.
const renewSQL = `
UPDATE runs SET lease_until = {now} + CAST($1 AS BIGINT), worker = $2
WHERE worker IN ($3, $4) AND state = 'RUNNING' AND id IN ({ids})
RETURNING id, attempt, cancel_requested`

// withList replaces the word in the query by placeholders for the values, and appends them to args.
func withList(query, word string, args []any, values []string) (string, []any) {
	placeholders := make([]string, len(values))
	for i, value := range values {
		args = append(args, value)
		placeholders[i] = fmt.Sprintf("$%d", len(args))
	}
	return strings.Replace(query, word, strings.Join(placeholders, ","), 1), args
}

// renewal is the database's state of a renewed lease.
type renewal struct {
	attempt         int
	cancelRequested bool
}

// renew renews the leases of the runs, and returns those that are valid by run ID.
func (q *queries) renew(ctx context.Context, runIDs []string) (map[string]renewal, error) {
	args := []any{q.lease.Milliseconds(), q.workerName(), q.worker, q.lockedWorker}
	query, args := withList(q.sql.renew, "{ids}", args, runIDs)
	renewals := make(map[string]renewal, len(runIDs))
	err := queryRows(viewer.AsSystem(ctx), q.client, query, args, func(scan func(...any) error) error {
		var id string
		var r renewal
		err := scan(&id, &r.attempt, &r.cancelRequested)
		renewals[id] = r
		return err
	})
	return renewals, err
}

// fenceSQL locks the run $1 for a transaction of its attempt $2, and extends the lease by $3 ms: an attempt
// that commits effects is alive.
const fenceSQL = `
UPDATE runs SET lease_until = {now} + CAST($3 AS BIGINT)
WHERE {owned}
RETURNING cancel_requested`

// checkFence locks the run for tx. It returns ErrLeaseLost unless the job's attempt owns the run, and
// ErrCancelled when the user has cancelled it.
func (q *queries) checkFence(ctx context.Context, tx *ent.Tx, job Job) error {
	var cancelRequested bool
	args := []any{job.RunID, job.Attempt, q.lease.Milliseconds()}
	owned, err := queryRow(ctx, tx, q.sql.fence, args, &cancelRequested)
	switch {
	case err != nil:
		return fmt.Errorf("checking the lease: %w", err)
	case !owned:
		return ErrLeaseLost
	case cancelRequested:
		return ErrCancelled
	default:
		return nil
	}
}

// finishSQL checks the fence and sets the final state in one statement: run $1, attempt $2, state $3, error
// code $4, and $5 more failures. A cancellation committed before takes precedence over any other end.
const finishSQL = `
UPDATE runs SET
	state = CASE WHEN cancel_requested THEN 'CANCELLED' ELSE $3 END,
	error_code = CASE WHEN cancel_requested THEN NULL ELSE CAST($4 AS TEXT) END,
	failures = failures + CAST($5 AS BIGINT), finished_at = {now}, worker = '', lease_until = 0
WHERE {owned}
RETURNING state`

// finish stores the run's final state and returns the message's final status. It returns ErrLeaseLost unless the
// job's attempt owns the run.
func (q *queries) finish(
	ctx context.Context,
	tx *ent.Tx,
	job Job,
	o Outcome,
	failures int,
) (enum.MessageStatus, error) {
	var code *string
	if o.Status == enum.MessageFailed {
		code = (*string)(&o.ErrorCode)
	}
	var state string
	args := []any{job.RunID, job.Attempt, string(runState(o.Status)), code, failures}
	owned, err := queryRow(ctx, tx, q.sql.finish, args, &state)
	switch {
	case err != nil:
		return "", fmt.Errorf("finishing the run: %w", err)
	case !owned:
		return "", ErrLeaseLost
	case enum.RunState(state) == enum.RunCancelled:
		return enum.MessageCancelled, nil
	default:
		return o.Status, nil
	}
}

// runState returns the final state of a run whose message has the final status.
func runState(status enum.MessageStatus) enum.RunState {
	switch status {
	case enum.MessageCompleted:
		return enum.RunDone
	case enum.MessageCancelled:
		return enum.RunCancelled
	default:
		return enum.RunFailed
	}
}

// requeueSQL returns the run $1 of attempt $2 to the queue, with $3 more failures, claimable after $4 ms.
const requeueSQL = `
UPDATE runs SET state = 'QUEUED', worker = '', lease_until = 0,
	failures = failures + CAST($3 AS BIGINT), available_at = {now} + CAST($4 AS BIGINT)
WHERE {owned} AND NOT cancel_requested`

// requeue returns the run to the queue, and reports false when the attempt does not own it or it was cancelled.
func (q *queries) requeue(ctx context.Context, job Job, failures int, delay time.Duration) (bool, error) {
	args := []any{job.RunID, job.Attempt, failures, delay.Milliseconds()}
	result, err := q.client.ExecContext(asUser(ctx, job), q.sql.requeue, args...)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n == 1, err
}

// terminalStatus returns the message's final status if the job's attempt ended the run, else "".
func (q *queries) terminalStatus(ctx context.Context, job Job) (enum.MessageStatus, error) {
	var status string
	_, err := queryRow(asUser(ctx, job), q.client,
		`SELECT m.status FROM runs r JOIN messages m ON m.id = r.message_id
		WHERE r.id = $1 AND r.attempt = $2 AND r.state IN ('DONE', 'FAILED', 'CANCELLED')`,
		[]any{job.RunID, job.Attempt}, &status)
	return enum.MessageStatus(status), err
}

// cancelSQL requests the cancellation of a run, and ends the run at once when no attempt can be writing: queued,
// or its lease expired. It is one statement, so that a run cannot change in between.
const cancelSQL = `
UPDATE runs SET cancel_requested = TRUE,
	state = CASE WHEN state = 'QUEUED' OR lease_until < {now} THEN 'CANCELLED' ELSE state END,
	finished_at = CASE WHEN state = 'QUEUED' OR lease_until < {now} THEN {now} ELSE finished_at END
WHERE id = $1 AND state IN ('QUEUED', 'RUNNING')
RETURNING state, attempt, failures`

// requestCancel stores the cancellation and returns the run's state after it, or "" when the run was finished.
func (q *queries) requestCancel(ctx context.Context, tx *ent.Tx, messageID string) (Job, enum.RunState, error) {
	row, err := tx.Run.Query().Where(run.MessageID(messageID)).Only(ctx)
	if ent.IsNotFound(err) {
		return Job{}, "", apperr.Missing("reply")
	}
	if err != nil {
		return Job{}, "", fmt.Errorf("reading the reply's run: %w", err)
	}
	job := Job{
		RunID:          row.ID,
		UserID:         row.UserID,
		ConversationID: row.ConversationID,
		MessageID:      row.MessageID,
		Position:       row.Position,
	}
	var state string
	_, err = queryRow(ctx, tx, q.sql.cancel, []any{row.ID}, &state, &job.Attempt, &job.Failures)
	if err != nil {
		return Job{}, "", fmt.Errorf("cancelling the run: %w", err)
	}
	return job, enum.RunState(state), nil
}

// staleSQL selects stale runs, which have no live attempt and cannot be claimed: cancelled, or with all
// attempts used up. $1 is the maximum of failures.
const staleSQL = `
SELECT ` + jobColumns + ` FROM runs WHERE {stale} ORDER BY created_at, id LIMIT 100`

// stale returns the stale runs.
func (q *queries) stale(ctx context.Context) (jobs []Job, err error) {
	args := []any{q.maxAttempts}
	err = queryRows(viewer.AsSystem(ctx), q.client, q.sql.stale, args, func(scan func(...any) error) error {
		job, err := scanJob(scan)
		jobs = append(jobs, job)
		return err
	})
	return jobs, err
}

// failStaleSQL ends the run $2 of attempt $3 if it is still stale, with the error code $4.
const failStaleSQL = `
UPDATE runs SET
	failures = failures + CASE state WHEN 'RUNNING' THEN 1 ELSE 0 END,
	state = CASE WHEN cancel_requested THEN 'CANCELLED' ELSE 'FAILED' END,
	error_code = CASE WHEN cancel_requested THEN NULL ELSE CAST($4 AS TEXT) END,
	finished_at = {now}, worker = '', lease_until = 0
WHERE id = $2 AND attempt = $3 AND {stale}
RETURNING state`

// failStale ends the run if it is still stale, and returns the message's final status, or "" when it is not.
func (q *queries) failStale(ctx context.Context, tx *ent.Tx, job Job, code apperr.Code) (enum.MessageStatus, error) {
	var state string
	args := []any{q.maxAttempts, job.RunID, job.Attempt, string(code)}
	ended, err := queryRow(ctx, tx, q.sql.failStale, args, &state)
	switch {
	case err != nil || !ended:
		return "", err
	case enum.RunState(state) == enum.RunCancelled:
		return enum.MessageCancelled, nil
	default:
		return enum.MessageFailed, nil
	}
}
