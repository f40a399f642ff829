package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"errand/ent"
)

// fenceSQL locks the run $1 for a transaction of its attempt $2. Whoever commits an effect is
// alive, so it extends the lease by $3 ms too.
const fenceSQL = `
UPDATE runs SET lease_until = {now} + CAST($3 AS BIGINT)
WHERE {owned}
RETURNING cancel_requested`

// Do commits an effect of the job: fn runs in a transaction that holds the run's row and that started by
// making sure that the job's attempt still owns it. fn's context has the job's user as viewer.
// Nothing may be waited for in fn but the database. fn may run again after an error, never after a nil.
//
// Do returns ErrLeaseLost when the attempt owns the run no more, ErrCancelled when its person
// wants it stopped, ErrShutdown when the context ended for that; none of them commits anything. To commit an
// effect after a cancellation, pass a context made by Detach.
func (e *Engine) Do(ctx context.Context, job Job, fn func(ctx context.Context, tx *ent.Tx) error) error {
	err := e.transaction(ctx, func(tx *ent.Tx) error {
		if err := e.pass(ctx, tx, job); err != nil {
			return err
		}
		return fn(asUser(ctx, job), tx)
	})
	return cause(ctx, err)
}

// pass is the fence: it fails unless the job's attempt owns the run.
func (e *Engine) pass(ctx context.Context, tx *ent.Tx, job Job) error {
	var cancelRequested bool
	args := []any{job.RunID, job.Attempt, e.o.Lease.Milliseconds()}
	owned, err := queryRow(ctx, tx, e.sql.fence, args, &cancelRequested)
	switch {
	case err != nil:
		return fmt.Errorf("checking the lease: %w", err)
	case !owned:
		e.stopLocal(job, ErrLeaseLost)
		return ErrLeaseLost
	case cancelRequested && !isDetached(ctx):
		e.stopLocal(job, ErrCancelled)
		return ErrCancelled
	}
	return nil
}

// stopLocal ends the handler's context, should this replica work on the job.
func (e *Engine) stopLocal(job Job, why error) {
	w := e.local(job)
	switch {
	case w == nil:
	case errors.Is(why, ErrLeaseLost):
		w.lose()
	default:
		w.cancel(why)
	}
}

func (e *Engine) transaction(ctx context.Context, fn func(tx *ent.Tx) error) error {
	tx, err := e.o.Client.Tx(ctx)
	if err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to roll back
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	return nil
}

type detachedKey struct{}

// Detach returns a context for the last effects of a cancelled job: it keeps ctx's values, outlives ctx's
// end, has 5 seconds, and lets Do commit although the run's person wants it stopped. The fence still holds.
func Detach(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx = context.WithValue(context.WithoutCancel(ctx), detachedKey{}, true)
	return context.WithTimeout(ctx, statementTimeout)
}

func isDetached(ctx context.Context) bool {
	detached, _ := ctx.Value(detachedKey{}).(bool)
	return detached
}

// leaseRanOut reports whether w's lease may have expired by this replica's own clock.
func (e *Engine) leaseRanOut(w *work) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return w.lost.Load() || time.Since(w.renewed) >= e.o.Lease
}
