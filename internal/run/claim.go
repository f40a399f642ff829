package run

import (
	"context"
	"fmt"
	"time"

	"errand/internal/viewer"
)

// claimSQL takes up to $2 claimable runs for the worker $3 until $4 ms from now. $1 is the limit of failures.
//
// Only the earliest unfinished run of a conversation is ready. That holds without a lock: an earlier run
// never appears later, and a finished one never comes back. Ready runs are taken in rounds, one of each user
// after the other, counting those already running, so that one person's backlog does
// not fill a replica. A row that another replica changed meanwhile is judged again by the conditions
// of picked when it is locked. An expired run that is taken over counts as one more failure;
// available_at then becomes the moment since which it waited.
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

// claimed is a job and how long it waited.
type claimed struct {
	job    Job
	waited time.Duration
}

// claim takes as many runs as there is room for and starts them.
func (e *Engine) claim() {
	room := e.beginClaim()
	if room == 0 {
		return
	}
	// Not the engine's own context: a claim that is given up half-way may have been
	// committed, and its runs would wait for their leases to expire.
	ctx, cancel := context.WithTimeout(e.hard, statementTimeout)
	defer cancel()
	asked := time.Now()
	found, err := e.claimUpTo(ctx, room)
	if err != nil {
		e.log.Warn("claiming runs failed", "error", err)
	}
	e.endClaim(found, asked)
}

func (e *Engine) claimUpTo(ctx context.Context, limit int) (found []claimed, err error) {
	args := []any{e.o.MaxAttempts, limit, e.worker, e.o.Lease.Milliseconds()}
	err = queryRows(viewer.AsSystem(ctx), e.o.Client, e.sql.claim, args, func(scan func(...any) error) error {
		var ms int64
		job, err := scanJob(scan, &ms)
		found = append(found, claimed{job: job, waited: time.Duration(max(ms, 0)) * time.Millisecond})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claiming: %w", err)
	}
	return found, nil
}

// jobColumns are what scanJob reads.
const jobColumns = `id, user_id, conversation_id, message_id, position, attempt, failures`

func scanJob(scan func(...any) error, more ...any) (j Job, err error) {
	into := []any{&j.RunID, &j.UserID, &j.ConversationID, &j.MessageID, &j.Position, &j.Attempt, &j.Failures}
	return j, scan(append(into, more...)...)
}
