package run

import (
	"context"
	"fmt"
	"time"

	"errand/internal/viewer"
)

// claimSQL claims up to $2 runs for the worker $3 until $4 ms from now. $1 is the maximum of failures.
//
// Only the earliest unfinished run of a conversation is ready. That needs no lock: an earlier run never
// appears later, and a finished run never becomes unfinished. Ready runs are claimed round-robin over the
// users, counting runs in progress, so that one user's backlog does not fill a replica. A row that another
// replica has changed meanwhile is checked again, by the conditions in picked, when it is locked. Claiming
// an expired run counts as a failure; available_at becomes the time since which it was claimable.
const claimSQL = `
WITH clock AS MATERIALIZED (SELECT {now} AS now),
ready AS (
	SELECT r.id,
		ROW_NUMBER() OVER (PARTITION BY r.user_id ORDER BY r.created_at, r.id)
		+ (SELECT COUNT(*) FROM runs held WHERE held.user_id = r.user_id AND held.state = 'RUNNING') AS round
	FROM runs r CROSS JOIN clock
	WHERE {claimable} AND NOT EXISTS (
		SELECT 1 FROM runs earlier
		WHERE earlier.conversation_id = r.conversation_id AND earlier.position < r.position
			AND earlier.state IN ('QUEUED', 'RUNNING'))
),
picked AS MATERIALIZED (
	SELECT r.id FROM runs r JOIN ready ON ready.id = r.id CROSS JOIN clock
	WHERE {claimable}
	ORDER BY ready.round, r.created_at, r.id
	LIMIT $2 {skip locked}
)
UPDATE runs SET
	available_at = CASE state WHEN 'RUNNING' THEN lease_until ELSE available_at END,
	failures = failures + CASE state WHEN 'RUNNING' THEN 1 ELSE 0 END,
	state = 'RUNNING',
	attempt = attempt + 1,
	worker = $3,
	lease_until = (SELECT now FROM clock) + CAST($4 AS BIGINT),
	started_at = CASE started_at WHEN 0 THEN (SELECT now FROM clock) ELSE started_at END
WHERE id IN (SELECT id FROM picked)
RETURNING ` + jobColumns + `, lease_until - CAST($4 AS BIGINT) - available_at`

// claimedJob is a job with the time its run was queued.
type claimedJob struct {
	job       Job
	queueTime time.Duration
}

// claimRuns claims as many runs as there are free slots and starts their attempts.
func (e *Engine) claimRuns() {
	free := e.reserveSlots()
	if free == 0 {
		return
	}
	// Not the context that Stop cancels: a claim abandoned half-way may have been committed, and its runs would
	// wait for their leases to expire.
	ctx, cancel := context.WithTimeout(e.aborted, statementTimeout)
	defer cancel()
	sentAt := time.Now()
	claimed, err := e.queryClaims(ctx, free)
	if err != nil {
		e.log.Warn("claiming runs failed", "error", err)
	}
	e.startAttempts(claimed, sentAt)
}

// reserveSlots returns the number of free slots. A positive number marks a claim as in progress
// until startAttempts.
func (e *Engine) reserveSlots() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	free := e.options.Concurrency - e.activeHandlers
	e.claiming = free > 0
	return max(free, 0)
}

func (e *Engine) queryClaims(ctx context.Context, limit int) (claimed []claimedJob, err error) {
	args := []any{e.options.MaxAttempts, limit, e.worker, e.options.Lease.Milliseconds()}
	err = queryRows(viewer.AsSystem(ctx), e.options.Client, e.sql.claim, args, func(scan func(...any) error) error {
		var ms int64
		job, err := scanJob(scan, &ms)
		claimed = append(claimed, claimedJob{job: job, queueTime: time.Duration(max(ms, 0)) * time.Millisecond})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claiming: %w", err)
	}
	return claimed, nil
}

// startAttempts starts a handler for each claimed run. sentAt is when the claim was sent.
func (e *Engine) startAttempts(claimed []claimedJob, sentAt time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range claimed {
		a := &attempt{job: c.job, started: time.Now(), renewedAt: sentAt}
		a.ctx, a.cancel = context.WithCancelCause(asUser(e.stopping, c.job))
		if old := e.attempts[c.job.RunID]; old != nil {
			old.loseLease() // it expired without this replica noticing
		}
		e.attempts[c.job.RunID] = a
		e.activeHandlers++
		if e.cancelledDuringClaim[c.job.RunID] {
			a.cancel(ErrCancelled)
		}
		e.handlers.Go(func() { e.runAttempt(a, c.queueTime) })
	}
	e.claiming = false
	clear(e.cancelledDuringClaim)
}
