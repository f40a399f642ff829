package run

import (
	"context"
	"fmt"

	"errand/ent"
	"errand/internal/store"
)

// fenceSQL locks the run $1 for a transaction of its attempt $2, and extends the lease by $3 ms: an attempt
// that commits effects is alive.
const fenceSQL = `
UPDATE runs SET lease_until = {now} + CAST($3 AS BIGINT)
WHERE {owned}
RETURNING cancel_requested`

// Do commits an effect of the job: it runs fn in a transaction that holds the run's row, after checking that the
// job's attempt still owns the run. fn's context has the job's user as viewer. fn may wait for nothing but
// the database, and may run again after an error, but never after returning nil.
//
// Do returns ErrLeaseLost when the attempt does not own the run any more, ErrCancelled when the user has
// cancelled it, and ErrShutdown when the context ended for that reason. It then commits nothing.
func (e *Engine) Do(ctx context.Context, job Job, fn func(ctx context.Context, tx *ent.Tx) error) error {
	err := store.WithTx(ctx, e.options.Client, func(tx *ent.Tx) error {
		if err := e.checkFence(ctx, tx, job); err != nil {
			return err
		}
		return fn(asUser(ctx, job), tx)
	})
	return contextCause(ctx, err)
}

// checkFence returns an error unless the job's attempt owns the run and the run is not cancelled.
func (e *Engine) checkFence(ctx context.Context, tx *ent.Tx, job Job) error {
	var cancelRequested bool
	args := []any{job.RunID, job.Attempt, e.options.Lease.Milliseconds()}
	owned, err := queryRow(ctx, tx, e.sql.fence, args, &cancelRequested)
	switch {
	case err != nil:
		return fmt.Errorf("checking the lease: %w", err)
	case !owned:
		e.cancelAttempt(job, ErrLeaseLost)
		return ErrLeaseLost
	case cancelRequested:
		e.cancelAttempt(job, ErrCancelled)
		return ErrCancelled
	}
	return nil
}
