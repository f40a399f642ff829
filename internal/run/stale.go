package run

import (
	"context"
	"fmt"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/apperr"
	"errand/internal/store"
	"errand/internal/viewer"
)

// staleSQL selects stale runs, which have no live attempt and cannot be claimed: cancelled, or with all
// attempts used up. $1 is the maximum of failures.
const staleSQL = `
SELECT ` + jobColumns + ` FROM runs WHERE {stale} ORDER BY created_at, id LIMIT 100`

// failStaleSQL ends the run $2 of attempt $3 if it is still stale, with the error code $4.
const failStaleSQL = `
UPDATE runs SET
	failures = failures + CASE state WHEN 'RUNNING' THEN 1 ELSE 0 END,
	state = CASE WHEN cancel_requested THEN 'CANCELLED' ELSE 'FAILED' END,
	error_code = CASE WHEN cancel_requested THEN NULL ELSE CAST($4 AS TEXT) END,
	finished_at = {now}, worker = '', lease_until = 0
WHERE id = $2 AND attempt = $3 AND {stale}
RETURNING state`

// failStaleRuns ends all stale runs.
func (e *Engine) failStaleRuns(ctx context.Context) {
	jobs, err := e.staleRuns(ctx)
	if err != nil && ctx.Err() == nil {
		e.log.Warn("reading stale runs failed", "error", err)
	}
	for _, job := range jobs {
		if err := e.failStaleRun(ctx, job); err != nil && ctx.Err() == nil {
			e.log.Warn("ending a stale run failed", append(job.logAttrs(), "error", errorText(err))...)
		}
	}
}

func (e *Engine) staleRuns(ctx context.Context) (jobs []Job, err error) {
	ctx, cancel := context.WithTimeout(viewer.AsSystem(ctx), statementTimeout)
	defer cancel()
	args := []any{e.options.MaxAttempts}
	err = queryRows(ctx, e.options.Client, e.sql.stale, args, func(scan func(...any) error) error {
		job, err := scanJob(scan)
		jobs = append(jobs, job)
		return err
	})
	return jobs, err
}

// failStaleRun ends one stale run, with the text stored last. It does nothing when another replica was first.
func (e *Engine) failStaleRun(ctx context.Context, job Job) error {
	ctx, cancel := withoutCancel(asUser(ctx, job))
	defer cancel()
	var status enum.MessageStatus
	err := store.WithTx(ctx, e.options.Client, func(tx *ent.Tx) error {
		var state string
		args := []any{e.options.MaxAttempts, job.RunID, job.Attempt, string(apperr.Unavailable)}
		ended, err := queryRow(ctx, tx, e.sql.failStale, args, &state)
		if err != nil || !ended {
			return err
		}
		status = enum.MessageFailed
		if enum.RunState(state) == enum.RunCancelled {
			status = enum.MessageCancelled
		}
		return finishMessage(ctx, tx, job.MessageID, status, apperr.Unavailable, nil)
	})
	if err != nil {
		return fmt.Errorf("ending the run: %w", err)
	}
	if status != "" {
		e.notifyEndedWithoutAttempt(job, status)
	}
	return nil
}

// notifyEndedWithoutAttempt reports a run that ended without a handler of this replica.
func (e *Engine) notifyEndedWithoutAttempt(job Job, status enum.MessageStatus) {
	e.cancelAttempt(job, ErrLeaseLost)
	e.log.Info("run ended without an attempt", append(job.logAttrs(), "end", string(resultOf(status)))...)
	e.notifyFinished(job, status)
	e.options.Observer.AttemptEnded(job, resultOf(status), 0)
}
