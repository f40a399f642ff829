package run

import (
	"context"
	"fmt"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/run"
	"errand/internal/apperr"
	"errand/internal/store"
)

// cancelSQL requests the cancellation of a run, and ends the run at once when no attempt can be writing: queued,
// or its lease expired. It is one statement, so that a run cannot change in between.
const cancelSQL = `
UPDATE runs SET cancel_requested = TRUE,
	state = CASE WHEN state = 'QUEUED' OR lease_until < {now} THEN 'CANCELLED' ELSE state END,
	finished_at = CASE WHEN state = 'QUEUED' OR lease_until < {now} THEN {now} ELSE finished_at END
WHERE id = $1 AND state IN ('QUEUED', 'RUNNING')
RETURNING state, attempt, failures`

// Cancel cancels the run that writes the assistant message messageID, as the context's viewer: another user's
// message is NOT_FOUND. A queued run ends at once (finishedNow). The handler of a running one is cancelled, on
// whichever replica it runs, and finishes as CANCELLED with the text so far. A finished run stays unchanged.
func (e *Engine) Cancel(ctx context.Context, messageID string) (finishedNow bool, err error) {
	var job Job
	var state enum.RunState
	err = store.WithTx(ctx, e.options.Client, func(tx *ent.Tx) error {
		job, state, err = e.requestCancel(ctx, tx, messageID)
		if err != nil || state != enum.RunCancelled {
			return err
		}
		return finishMessage(ctx, tx, messageID, enum.MessageCancelled, "", nil)
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

// requestCancel stores the cancellation and returns the run's state after it, or "" when the run was finished.
func (e *Engine) requestCancel(ctx context.Context, tx *ent.Tx, messageID string) (Job, enum.RunState, error) {
	row, err := tx.Run.Query().Where(run.MessageID(messageID)).Only(ctx)
	if ent.IsNotFound(err) {
		return Job{}, "", apperr.Missing("reply")
	}
	if err != nil {
		return Job{}, "", fmt.Errorf("reading the reply's run: %w", err)
	}
	job := Job{
		RunID:          row.ID,
		UserID:         row.UserID,
		ConversationID: row.ConversationID,
		MessageID:      row.MessageID,
		Position:       row.Position,
	}
	var state string
	_, err = queryRow(ctx, tx, e.sql.cancel, []any{row.ID}, &state, &job.Attempt, &job.Failures)
	if err != nil {
		return Job{}, "", fmt.Errorf("cancelling the run: %w", err)
	}
	return job, enum.RunState(state), nil
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
