package run

import (
	"context"
	"fmt"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/apperr"
	"errand/internal/viewer"
)

// doomedSQL finds runs that nobody works on and nobody may claim: stopped by their person
// or out of attempts, $1 being their limit.
const doomedSQL = `
SELECT ` + jobColumns + ` FROM runs WHERE {doomed} ORDER BY created_at, id LIMIT 100`

// burySQL makes one of them terminal, if it still is one.
const burySQL = `
UPDATE runs SET
	failures = failures + CASE state WHEN 'RUNNING' THEN 1 ELSE 0 END,
	state = CASE WHEN cancel_requested THEN 'CANCELLED' ELSE 'FAILED' END,
	error_code = CASE WHEN cancel_requested THEN NULL ELSE CAST($4 AS TEXT) END,
	finished_at = {now}, worker = '', lease_until = 0
WHERE id = $2 AND attempt = $3 AND {doomed}
RETURNING state`

// sweep ends the runs that no claim will ever take.
func (e *Engine) sweep(ctx context.Context) {
	jobs, err := e.doomed(ctx)
	if err != nil && ctx.Err() == nil {
		e.log.Warn("looking for lost runs failed", "error", err)
	}
	for _, job := range jobs {
		if err := e.bury(ctx, job); err != nil && ctx.Err() == nil {
			e.log.Warn("giving up a lost run failed", append(job.attrs(), "error", explain(err))...)
		}
	}
}

func (e *Engine) doomed(ctx context.Context) (jobs []Job, err error) {
	ctx, cancel := context.WithTimeout(ctx, statementTimeout)
	defer cancel()
	err = queryRows(
		viewer.AsSystem(ctx),
		e.o.Client,
		e.sql.doomed,
		[]any{e.o.MaxAttempts},
		func(scan func(...any) error) error {
			job, err := scanJob(scan)
			jobs = append(jobs, job)
			return err
		},
	)
	return jobs, err
}

// bury ends one of them, keeping the text last stored. Another replica may have been quicker.
func (e *Engine) bury(ctx context.Context, job Job) error {
	ctx, cancel := Detach(asUser(ctx, job))
	defer cancel()
	var status enum.MessageStatus
	err := e.transaction(ctx, func(tx *ent.Tx) error {
		var state string
		args := []any{e.o.MaxAttempts, job.RunID, job.Attempt, string(apperr.Unavailable)}
		mine, err := queryRow(ctx, tx, e.sql.bury, args, &state)
		if err != nil || !mine {
			return err
		}
		status = enum.MessageFailed
		if enum.RunState(state) == enum.RunCancelled {
			status = enum.MessageCancelled
		}
		return finishMessage(ctx, tx, job.MessageID, status, apperr.Unavailable, nil)
	})
	if err != nil {
		return fmt.Errorf("ending a run: %w", err)
	}
	if status != "" {
		e.endedUnworked(job, status)
	}
	return nil
}

// endedUnworked tells of a run that ended without a handler of this replica.
func (e *Engine) endedUnworked(job Job, status enum.MessageStatus) {
	e.stopLocal(job, ErrLeaseLost)
	e.log.Info("run ended without an attempt", append(job.attrs(), "end", string(endOf(status)))...)
	e.announce(job, status)
	e.o.Observer.AttemptEnded(job, endOf(status), 0)
}
