package run

import (
	"context"
	"errors"
	"fmt"

	"errand/ent"
	"errand/ent/conversation"
	"errand/ent/enum"
	"errand/ent/message"
	"errand/ent/toolcall"
	"errand/internal/ids"
	"errand/internal/quota"
	"errand/internal/store"
	"errand/internal/terms"
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

// Finish ends the job. In one fenced transaction it stores the run's final state and the message's status, error
// code and time, plus what set adds (content and its attempt, usage; set may be nil). The transaction
// outlives ctx's cancellation by at most 5 seconds, so a cancelled handler can call it directly.
//
// When the user has cancelled the run before, the status becomes CANCELLED whatever o requests. After the commit,
// Finish calls Options.OnFinished and lets the conversation's next run start. It returns ErrLeaseLost, and
// changes nothing, when the attempt does not own the run any more or has finished it already.
func (e *Engine) Finish(ctx context.Context, job Job, o Outcome, set func(*ent.MessageUpdate)) error {
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
	set func(*ent.MessageUpdate),
) (status enum.MessageStatus, err error) {
	err = store.WithTx(ctx, e.options.Client, func(tx *ent.Tx) error {
		status, err = e.queries.finish(ctx, tx, job, o, failures)
		if errors.Is(err, ErrLeaseLost) {
			e.cancelAttempt(job, err)
		}
		if err != nil {
			return err
		}
		if o.Effects != nil {
			if err := o.Effects(ctx, tx); err != nil {
				return err
			}
		}
		o.Status = status
		return finishMessage(ctx, tx, job, o, set)
	})
	return status, err
}

// UnexecutedResult is the result of a tool call whose reply ended before the call was executed. Models read it.
const UnexecutedResult = `{"error":{"code":"SERVICE_UNAVAILABLE",` +
	`"message":"This call was not carried out: the reply ended before."}}`

// finishMessage sets a message's final status and error, fails its unexecuted tool calls and counts its size. It is
// part of every transaction that ends a run.
func finishMessage(
	ctx context.Context,
	tx *ent.Tx,
	job Job,
	o Outcome,
	set func(*ent.MessageUpdate),
) error {
	id := job.MessageID
	// The transaction holds the lock of the message's run.
	queue := store.Queue(tx)
	update := queue.Message.Update().Where(message.ID(id))
	if set != nil {
		set(update)
	}
	update.SetStatus(o.Status).SetFinishedAt(ids.Now())
	if o.Status == enum.MessageFailed {
		update.SetErrorCode(string(o.ErrorCode))
	} else {
		update.ClearErrorCode()
	}
	if o.Status == enum.MessageFailed && o.ErrorReason != "" {
		update.SetErrorReason(o.ErrorReason)
	} else {
		update.ClearErrorReason()
	}
	entries, err := finalTerms(ctx, tx, id, update)
	if err != nil {
		return err
	}
	if err := update.SetTermCount(len(entries)).Exec(ctx); err != nil {
		return fmt.Errorf("finishing the message: %w", err)
	}
	if err := store.MessageTerms.Add(ctx, queue, job.UserID, id, entries); err != nil {
		return err
	}
	err = queue.ToolCall.Update().
		Where(toolcall.MessageID(id), toolcall.StatusEQ(enum.ToolCallStarted)).
		SetStatus(enum.ToolCallFailed).
		SetResult(UnexecutedResult).
		SetLatencyMs(0).
		Exec(ctx)
	if err != nil {
		return fmt.Errorf("failing the message's unexecuted tool calls: %w", err)
	}
	// The user's row comes after the run and the message in the lock order, and before the conversation.
	change, err := quota.AddMessage(ctx, tx, job.UserID, id)
	if err != nil || change == 0 {
		return err
	}
	if o.Status != enum.MessageCompleted {
		if err := rejectOpenCalls(ctx, tx, job, change); err != nil {
			return err
		}
	}
	err = queue.Conversation.Update().Where(conversation.ID(job.ConversationID)).SetSeq(change).Exec(ctx)
	if err != nil {
		return fmt.Errorf("recording the change of the conversation: %w", err)
	}
	return nil
}

// finalTerms returns the terms of the text that a message has after its last update.
func finalTerms(ctx context.Context, tx *ent.Tx, id string, update *ent.MessageUpdate) ([]string, error) {
	if content, ok := update.Mutation().Content(); ok {
		return terms.Index(content), nil
	}
	stored, err := tx.Message.Query().Where(message.ID(id)).Select(message.FieldContent).Strings(ctx)
	if err != nil || len(stored) == 0 {
		return nil, err
	}
	return terms.Index(stored[0]), nil
}

// rejectedResult is the result of a tool call that waited for approval when its reply was cancelled or failed.
const rejectedResult = `{"error":{"code":"REJECTED",` +
	`"message":"The reply ended before the user approved this. Nothing was changed."}}`

// rejectOpenCalls ends the calls of a reply that wait for approval, under the lock of the user's row. change is the
// position of the end among the changes to the user's conversations.
func rejectOpenCalls(ctx context.Context, tx *ent.Tx, job Job, change int) error {
	rejected, err := tx.ToolCall.Update().
		Where(toolcall.MessageID(job.MessageID), toolcall.StatusEQ(enum.ToolCallAwaiting)).
		SetStatus(enum.ToolCallFailed).
		SetResult(rejectedResult).
		SetLatencyMs(0).
		ClearExpiresAt().
		SetRevision(change).
		SetUpdatedAt(ids.Now()).
		Save(ctx)
	if err != nil {
		return fmt.Errorf("rejecting the message's open tool calls: %w", err)
	}
	if rejected == 0 {
		return nil
	}
	err = tx.Conversation.Update().Where(conversation.ID(job.ConversationID)).SetRevision(change).Exec(ctx)
	if err != nil {
		return fmt.Errorf("storing the revision of the conversation: %w", err)
	}
	return quota.AddBytes(ctx, tx, job.UserID, int64(rejected*len(rejectedResult)))
}
