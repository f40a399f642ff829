package run

import (
	"context"
	"fmt"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/toolcall"
	"errand/internal/apperr"
	"errand/internal/ids"
)

// finishSQL is fence and terminal state in one: run $1, attempt $2, state $3, error code $4, and $5
// more failures. A person's wish to stop that was committed before wins over any other end.
const finishSQL = `
UPDATE runs SET
	state = CASE WHEN cancel_requested THEN 'CANCELLED' ELSE $3 END,
	error_code = CASE WHEN cancel_requested THEN NULL ELSE CAST($4 AS TEXT) END,
	failures = failures + CAST($5 AS BIGINT), finished_at = {now}, worker = '', lease_until = 0
WHERE {owned}
RETURNING state`

// Finish ends the job: in one fenced transaction it makes the run terminal and gives the message its status,
// error code and time, plus whatever set adds (content and its attempt, usage; set may be nil). The transaction
// outlives ctx's cancellation, by 5 seconds at most, so a cancelled handler just calls it.
// If the person's wish to stop came first, the status becomes CANCELLED whatever o says.
// After the commit it calls Options.OnFinished and lets the conversation's next run start.
// It returns ErrLeaseLost, and changes nothing, when the attempt owns the run no more or has finished it already.
func (e *Engine) Finish(ctx context.Context, job Job, o Outcome, set func(*ent.MessageUpdateOne)) error {
	if !o.Status.Terminal() {
		return fmt.Errorf("runs: %s is not the status of a finished message", o.Status)
	}
	ctx, cancel := Detach(asUser(ctx, job))
	defer cancel()
	status, err := e.finish(ctx, job, o, 0, set)
	if err != nil {
		return err
	}
	if w := e.local(job); w != nil {
		end := endOf(status)
		w.finished.Store(&end)
	}
	e.announce(job, status)
	return nil
}

// announce tells what has just been committed: the message is terminal, and its conversation's next run may start.
func (e *Engine) announce(job Job, status enum.MessageStatus) {
	e.o.OnFinished(job, status)
	e.Wake()
}

func (e *Engine) finish(
	ctx context.Context,
	job Job,
	o Outcome,
	failures int,
	set func(*ent.MessageUpdateOne),
) (status enum.MessageStatus, err error) {
	err = e.transaction(ctx, func(tx *ent.Tx) error {
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
		e.stopLocal(job, ErrLeaseLost)
		return "", ErrLeaseLost
	case enum.RunState(state) == enum.RunCancelled:
		return enum.MessageCancelled, nil
	default:
		return o.Status, nil
	}
}

// UnexecutedResult is the result of a tool call that its reply's end left undone, as models are shown it.
const UnexecutedResult = `{"error":{"code":"SERVICE_UNAVAILABLE","message":"This call was not carried out: the reply ended before."}}`

// finishMessage makes the message terminal, and with it the calls that will not be done any more: it is
// part of every transaction that ends a run, whoever ends it.
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
	err := tx.ToolCall.Update().Where(toolcall.MessageID(id), toolcall.StatusEQ(enum.ToolCallStarted)).
		SetStatus(enum.ToolCallFailed).SetResult(UnexecutedResult).SetLatencyMs(0).Exec(ctx)
	if err != nil {
		return fmt.Errorf("closing the message's tool calls: %w", err)
	}
	return nil
}

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
