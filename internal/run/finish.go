package run

import (
	"context"
	"fmt"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/toolcall"
	"errand/internal/apperr"
	"errand/internal/ids"
	"errand/internal/store"
)

// finishSQL checks the fence and sets the final state in one statement: run $1, attempt $2, state $3, error
// code $4, and $5 more failures. A cancellation committed before takes precedence over any other end.
const finishSQL = `
UPDATE runs SET
	state = CASE WHEN cancel_requested THEN 'CANCELLED' ELSE $3 END,
	error_code = CASE WHEN cancel_requested THEN NULL ELSE CAST($4 AS TEXT) END,
	failures = failures + CAST($5 AS BIGINT), finished_at = {now}, worker = '', lease_until = 0
WHERE {owned}
RETURNING state`

// Finish ends the job. In one fenced transaction it stores the run's final state and the message's status, error
// code and time, plus what set adds (content and its attempt, usage; set may be nil). The transaction
// outlives ctx's cancellation by at most 5 seconds, so a cancelled handler can call it directly.
//
// When the user has cancelled the run before, the status becomes CANCELLED whatever o requests. After the commit,
// Finish calls Options.OnFinished and lets the conversation's next run start. It returns ErrLeaseLost, and
// changes nothing, when the attempt does not own the run any more or has finished it already.
func (e *Engine) Finish(ctx context.Context, job Job, o Outcome, set func(*ent.MessageUpdateOne)) error {
	if !o.Status.Terminal() {
		return fmt.Errorf("run: %s is not a final status of a message", o.Status)
	}
	ctx, cancel := withoutCancel(asUser(ctx, job))
	defer cancel()
	status, err := e.commitFinish(ctx, job, o, 0, set)
	if err != nil {
		return err
	}
	if a := e.findAttempt(job); a != nil {
		result := resultOf(status)
		a.finished.Store(&result)
	}
	e.notifyFinished(job, status)
	return nil
}

// withoutCancel returns a context with ctx's values that outlives ctx's end and has statementTimeout.
func withoutCancel(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), statementTimeout)
}

// notifyFinished reports a committed final status, and lets the conversation's next run start.
func (e *Engine) notifyFinished(job Job, status enum.MessageStatus) {
	e.options.OnFinished(job, status)
	e.Wake()
}

// commitFinish runs the final transaction and returns the message's final status.
func (e *Engine) commitFinish(
	ctx context.Context,
	job Job,
	o Outcome,
	failures int,
	set func(*ent.MessageUpdateOne),
) (status enum.MessageStatus, err error) {
	err = store.WithTx(ctx, e.options.Client, func(tx *ent.Tx) error {
		status, err = e.finishRun(ctx, tx, job, o, failures)
		if err != nil {
			return err
		}
		if o.Effects != nil {
			if err := o.Effects(ctx, tx); err != nil {
				return err
			}
		}
		return finishMessage(ctx, tx, job.MessageID, status, o.ErrorCode, set)
	})
	return status, err
}

func (e *Engine) finishRun(
	ctx context.Context,
	tx *ent.Tx,
	job Job,
	o Outcome,
	failures int,
) (enum.MessageStatus, error) {
	var code *string
	if o.Status == enum.MessageFailed {
		code = (*string)(&o.ErrorCode)
	}
	var state string
	args := []any{job.RunID, job.Attempt, string(runState(o.Status)), code, failures}
	owned, err := queryRow(ctx, tx, e.sql.finish, args, &state)
	switch {
	case err != nil:
		return "", fmt.Errorf("finishing the run: %w", err)
	case !owned:
		e.cancelAttempt(job, ErrLeaseLost)
		return "", ErrLeaseLost
	case enum.RunState(state) == enum.RunCancelled:
		return enum.MessageCancelled, nil
	default:
		return o.Status, nil
	}
}

// UnexecutedResult is the result of a tool call whose reply ended before the call was executed. Models read it.
const UnexecutedResult = `{"error":{"code":"SERVICE_UNAVAILABLE",` +
	`"message":"This call was not carried out: the reply ended before."}}`

// finishMessage sets a message's final status and fails its unexecuted tool calls. It is part of every
// transaction that ends a run.
func finishMessage(
	ctx context.Context,
	tx *ent.Tx,
	id string,
	status enum.MessageStatus,
	code apperr.Code,
	set func(*ent.MessageUpdateOne),
) error {
	update := tx.Message.UpdateOneID(id)
	if set != nil {
		set(update)
	}
	update.SetStatus(status).SetFinishedAt(ids.Now())
	if status == enum.MessageFailed {
		update.SetErrorCode(string(code))
	} else {
		update.ClearErrorCode()
	}
	if err := update.Exec(ctx); err != nil {
		return fmt.Errorf("finishing the message: %w", err)
	}
	err := tx.ToolCall.Update().
		Where(toolcall.MessageID(id), toolcall.StatusEQ(enum.ToolCallStarted)).
		SetStatus(enum.ToolCallFailed).
		SetResult(UnexecutedResult).
		SetLatencyMs(0).
		Exec(ctx)
	if err != nil {
		return fmt.Errorf("failing the message's unexecuted tool calls: %w", err)
	}
	return nil
}

// runState returns the final state of a run whose message has the final status.
func runState(status enum.MessageStatus) enum.RunState {
	switch status {
	case enum.MessageCompleted:
		return enum.RunDone
	case enum.MessageCancelled:
		return enum.RunCancelled
	default:
		return enum.RunFailed
	}
}
