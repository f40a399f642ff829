package run

import (
	"context"
	"errors"
	"time"

	"errand/ent/enum"
	"errand/internal/apperr"
)

// requeueSQL gives the run $1 of attempt $2 back, with $3 more failures, claimable after $4 ms.
const requeueSQL = `
UPDATE runs SET state = 'QUEUED', worker = '', lease_until = 0,
	failures = failures + CAST($3 AS BIGINT), available_at = {now} + CAST($4 AS BIGINT)
WHERE {owned} AND NOT cancel_requested`

// settle decides what an attempt's end means for its run, and commits that.
func (e *Engine) settle(w *work, err error) AttemptResult {
	why := context.Cause(w.ctx)
	var final *permanentError
	switch {
	case w.finished.Load() != nil:
		return *w.finished.Load()
	case w.lost.Load() || errors.Is(err, ErrLeaseLost):
		return e.settleLost(w)
	case errors.As(err, &final):
		return e.settleFinal(w, Outcome{Status: enum.MessageFailed, ErrorCode: final.code}, 1)
	case errors.Is(why, ErrCancelled):
		return e.settleFinal(w, Outcome{Status: enum.MessageCancelled}, 0)
	case errors.Is(why, ErrShutdown):
		e.looping.Wait() // or a claim under way here might take the run again
		return e.requeue(w, ResultHandedOver, 0, 0)
	case err == nil:
		e.log.Error("a handler returned without finishing its run", w.job.attrs()...)
		err = errUnfinished
	}
	if w.job.Failures+1 >= e.o.MaxAttempts {
		return e.settleFinal(w, Outcome{Status: enum.MessageFailed, ErrorCode: apperr.CodeOf(err)}, 1)
	}
	return e.requeue(w, ResultRetried, 1, delayAfter(err, w.job.Failures))
}

// settleFinal makes the run terminal in the handler's place, keeping the text last stored.
func (e *Engine) settleFinal(w *work, o Outcome, failures int) AttemptResult {
	var status enum.MessageStatus
	err := e.persist(w, func(ctx context.Context) (err error) {
		status, err = e.finish(asUser(ctx, w.job), w.job, o, failures, nil)
		return err
	})
	if err != nil {
		return e.settleLost(w)
	}
	e.announce(w.job, status)
	return endOf(status)
}

// requeue gives the run back, unless its person wanted it stopped meanwhile.
func (e *Engine) requeue(w *work, end AttemptResult, failures int, delay time.Duration) AttemptResult {
	args := []any{w.job.RunID, w.job.Attempt, failures, delay.Milliseconds()}
	var given int64
	err := e.persist(w, func(ctx context.Context) error {
		result, err := e.o.Client.ExecContext(asUser(ctx, w.job), e.sql.requeue, args...)
		if err != nil {
			return err
		}
		given, err = result.RowsAffected()
		return err
	})
	switch {
	case err != nil:
		return e.settleLost(w)
	case given == 0:
		// Stopped by its person, or lost; finishing tells which.
		return e.settleFinal(w, Outcome{Status: enum.MessageCancelled}, 0)
	default:
		return end
	}
}

// settleLost ends an attempt that may write no more. If the run is terminal under this very attempt, a
// commit of ours went through although its connection broke: then nobody has been told yet.
func (e *Engine) settleLost(w *work) AttemptResult {
	ctx, cancel := context.WithTimeout(e.hard, statementTimeout)
	defer cancel()
	status, err := e.endedAs(ctx, w.job)
	if err != nil || !status.Terminal() {
		return ResultLeaseLost
	}
	e.announce(w.job, status)
	return endOf(status)
}

// endedAs is the message's terminal status if the job's attempt was the run's last, and "" otherwise.
func (e *Engine) endedAs(ctx context.Context, job Job) (enum.MessageStatus, error) {
	var status string
	_, err := queryRow(asUser(ctx, job), e.o.Client,
		`SELECT m.status FROM runs r JOIN messages m ON m.id = r.message_id
		WHERE r.id = $1 AND r.attempt = $2 AND r.state IN ('DONE', 'FAILED', 'CANCELLED')`,
		[]any{job.RunID, job.Attempt}, &status)
	return enum.MessageStatus(status), err
}

// persist tries op until it commits, is refused, can no longer be ours to commit, or has failed for a
// whole lease. A database that is away for a moment must not cost the person that long.
func (e *Engine) persist(w *work, op func(context.Context) error) error {
	giveUp := time.Now().Add(e.o.Lease)
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		ctx, cancel := context.WithTimeout(e.hard, statementTimeout)
		err := op(ctx)
		cancel()
		if err == nil || errors.Is(err, ErrLeaseLost) {
			return err
		}
		e.log.Warn("settling a run failed", append(w.job.attrs(), "error", explain(err))...)
		if e.leaseRanOut(w) || time.Now().After(giveUp) {
			return ErrLeaseLost
		}
		select {
		case <-time.After(wait):
		case <-e.hard.Done():
			return ErrLeaseLost
		}
	}
}
