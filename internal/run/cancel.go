package run

import (
	"context"
	"fmt"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/run"
	"errand/internal/apperr"
)

// cancelSQL notes the wish to stop, and ends the run at once where nobody can be writing: queued, or
// expired. One statement, so that a run that changes between the two cannot slip through.
const cancelSQL = `
UPDATE runs SET cancel_requested = TRUE,
	state = CASE WHEN state = 'QUEUED' OR lease_until < {now} THEN 'CANCELLED' ELSE state END,
	finished_at = CASE WHEN state = 'QUEUED' OR lease_until < {now} THEN {now} ELSE finished_at END
WHERE id = $1 AND state IN ('QUEUED', 'RUNNING')
RETURNING state, attempt, failures`

// Cancel stops the run that writes the reply messageID, under the viewer's policy: a reply of
// somebody else is NOT_FOUND. A queued run ends at once (finishedNow). A running one is told to
// stop, here or on whichever replica it runs, and finishes as CANCELLED with the text so far.
// A run that is over stays as it is.
func (e *Engine) Cancel(ctx context.Context, messageID string) (finishedNow bool, err error) {
	var job Job
	var state enum.RunState
	err = e.transaction(ctx, func(tx *ent.Tx) error {
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
		e.endedUnworked(job, enum.MessageCancelled)
	case state == enum.RunRunning && !e.CancelLocal(job.RunID):
		e.o.Notifier.NotifyCancelled(job.RunID)
	}
	return state == enum.RunCancelled, nil
}

// requestCancel returns the run's state after the wish is noted; "" when it was over before.
func (e *Engine) requestCancel(ctx context.Context, tx *ent.Tx, messageID string) (Job, enum.RunState, error) {
	row, err := tx.Run.Query().Where(run.MessageID(messageID)).Only(ctx)
	if ent.IsNotFound(err) {
		return Job{}, "", apperr.Missing("reply")
	}
	if err != nil {
		return Job{}, "", fmt.Errorf("looking for the reply's run: %w", err)
	}
	job := Job{
		RunID: row.ID, UserID: row.UserID, ConversationID: row.ConversationID,
		MessageID: row.MessageID, Position: row.Position,
	}
	var state string
	_, err = queryRow(ctx, tx, e.sql.cancel, []any{row.ID}, &state, &job.Attempt, &job.Failures)
	if err != nil {
		return Job{}, "", fmt.Errorf("cancelling the run: %w", err)
	}
	return job, enum.RunState(state), nil
}

// CancelLocal stops the run if this replica works on it, and reports whether it does: the
// receiving end of Signals.Cancel.
func (e *Engine) CancelLocal(runID string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.claiming {
		e.missed[runID] = true
	}
	w := e.held[runID]
	if w == nil {
		return false
	}
	w.cancel(ErrCancelled)
	return true
}
