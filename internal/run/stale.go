package run

import (
	"context"
	"fmt"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/apperr"
	"errand/internal/store"
)

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

func (e *Engine) staleRuns(ctx context.Context) ([]Job, error) {
	ctx, cancel := context.WithTimeout(ctx, statementTimeout)
	defer cancel()
	return e.queries.stale(ctx)
}

// failStaleRun ends one stale run, with the text stored last. It does nothing when another replica was first.
func (e *Engine) failStaleRun(ctx context.Context, job Job) error {
	ctx, cancel := withoutCancel(asUser(ctx, job))
	defer cancel()
	var status enum.MessageStatus
	err := store.WithTx(ctx, e.options.Client, func(tx *ent.Tx) (err error) {
		status, err = e.queries.failStale(ctx, tx, job, apperr.Unavailable)
		if err != nil || status == "" {
			return err
		}
		return finishMessage(ctx, tx, job, Outcome{Status: status, ErrorCode: apperr.Unavailable}, nil)
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
