package run

import (
	"context"
	"errors"

	"errand/ent"
	"errand/internal/store"
)

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

// checkFence checks the fence, and cancels the local handler when it is closed.
func (e *Engine) checkFence(ctx context.Context, tx *ent.Tx, job Job) error {
	err := e.queries.checkFence(ctx, tx, job)
	if errors.Is(err, ErrLeaseLost) || errors.Is(err, ErrCancelled) {
		e.cancelAttempt(job, err)
	}
	return err
}
