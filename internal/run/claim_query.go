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
//
// The unfinished runs are read once. Window functions take the place of joins, because a burst makes the
// statistics wrong from which the joins are planned. The 20 candidates for each run wanted are more than
// other replicas, which claim at the same time, have locked.
const claimSQL = `
WITH clock AS MATERIALIZED (SELECT {now} AS now),
unfinished AS (
	SELECT id, user_id, position, created_at, state, available_at, lease_until, failures, cancel_requested,
		MIN(position) OVER (PARTITION BY conversation_id) AS earliest,
		SUM(CASE state WHEN 'RUNNING' THEN 1 ELSE 0 END) OVER (PARTITION BY user_id) AS held
	FROM runs WHERE state IN ('QUEUED', 'RUNNING')
),
ready AS (
	SELECT r.id, r.created_at, ROW_NUMBER() OVER (PARTITION BY r.user_id ORDER BY r.created_at, r.id) + r.held AS round
	FROM unfinished r CROSS JOIN clock
	WHERE r.position = r.earliest AND {claimable}
),
candidates AS MATERIALIZED (SELECT id, round FROM ready ORDER BY round, created_at, id LIMIT 20 * $2),
picked AS MATERIALIZED (
	SELECT r.id FROM candidates JOIN runs r ON r.id = candidates.id CROSS JOIN clock
	WHERE {claimable}
	ORDER BY candidates.round, r.created_at, r.id
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

// claim claims up to limit runs.
func (q *queries) claim(ctx context.Context, limit int) (claimed []claimedJob, err error) {
	args := []any{q.maxAttempts, limit, q.workerName(), q.lease.Milliseconds()}
	err = queryRows(viewer.AsSystem(ctx), q.client, q.sql.claim, args, func(scan func(...any) error) error {
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
