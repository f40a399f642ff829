package run

import (
	"context"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/store"
)

// Cancel cancels the run that writes the assistant message messageID, as the context's viewer: another user's
// message is NOT_FOUND. A queued run ends at once (finishedNow). The handler of a running one is cancelled, on
// whichever replica it runs, and finishes as CANCELLED with the text so far. A finished run stays unchanged.
func (e *Engine) Cancel(ctx context.Context, messageID string) (finishedNow bool, err error) {
	var job Job
	var state enum.RunState
	err = store.WithTx(ctx, e.options.Client, func(tx *ent.Tx) error {
		job, state, err = e.queries.requestCancel(ctx, tx, messageID)
		if err != nil || state != enum.RunCancelled {
			return err
		}
		return finishMessage(ctx, tx, job, Outcome{Status: enum.MessageCancelled}, nil)
	})
	switch {
	case err != nil:
		return false, err
	case state == enum.RunCancelled:
		e.notifyEndedWithoutAttempt(job, enum.MessageCancelled)
	case state == enum.RunRunning && !e.CancelLocal(job.RunID):
		e.options.Notifier.NotifyCancelled(job.RunID)
	}
	return state == enum.RunCancelled, nil
}

// CancelLocal cancels the run's handler if it is on this replica, and reports whether it is. It is the
// receiving end of Notifier.NotifyCancelled.
func (e *Engine) CancelLocal(runID string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.claiming {
		e.cancelledDuringClaim[runID] = true
	}
	a := e.attempts[runID]
	if a == nil {
		return false
	}
	a.cancel(ErrCancelled)
	return true
}
