package run

import (
	"context"
	"errors"
	"time"

	"errand/ent/enum"
	"errand/internal/apperr"

	"github.com/cenkalti/backoff/v5"
)

// finishAttempt stores what the end of an attempt means for its run: err is what the handler returned.
func (e *Engine) finishAttempt(a *attempt, err error) AttemptResult {
	cause := context.Cause(a.ctx)
	var permanent *permanentError
	switch {
	case a.finished.Load() != nil:
		return *a.finished.Load()
	case a.leaseLost.Load() || errors.Is(err, ErrLeaseLost):
		return e.finishLost(a)
	case errors.As(err, &permanent):
		return e.finishWith(a, failed(permanent.code, err), 1)
	case errors.Is(cause, ErrCancelled):
		return e.finishWith(a, Outcome{Status: enum.MessageCancelled}, 0)
	case errors.Is(cause, ErrShutdown):
		e.claimLoop.Wait() // a claim in progress on this replica might claim the run again
		return e.requeue(a, ResultHandedOver, 0, 0)
	case err == nil:
		e.log.Error("run handler returned without finishing its run", a.job.logAttrs()...)
		err = errNotFinished
	}
	if a.job.Failures+1 >= e.options.MaxAttempts {
		return e.finishWith(a, failed(apperr.CodeOf(err), err), 1)
	}
	return e.requeue(a, ResultRetried, 1, retryDelay(err, a.job.Failures))
}

// failed returns the outcome of a run that ends with err.
func failed(code apperr.Code, err error) Outcome {
	return Outcome{Status: enum.MessageFailed, ErrorCode: code, ErrorReason: reasonOf(err)}
}

// finishWith finishes the run on behalf of the handler, with the text stored last.
func (e *Engine) finishWith(a *attempt, o Outcome, failures int) AttemptResult {
	var status enum.MessageStatus
	err := e.retryWhileLeased(a, func(ctx context.Context) (err error) {
		status, err = e.commitFinish(asUser(ctx, a.job), a.job, o, failures, nil)
		return err
	})
	if err != nil {
		return e.finishLost(a)
	}
	e.notifyFinished(a.job, status)
	return resultOf(status)
}

// requeue returns the run to the queue, unless the user has cancelled it meanwhile.
func (e *Engine) requeue(a *attempt, result AttemptResult, failures int, delay time.Duration) AttemptResult {
	var requeued bool
	err := e.retryWhileLeased(a, func(ctx context.Context) (err error) {
		requeued, err = e.queries.requeue(ctx, a.job, failures, delay)
		return err
	})
	switch {
	case err != nil:
		return e.finishLost(a)
	case !requeued: // cancelled or lost: finishWith detects which
		return e.finishWith(a, Outcome{Status: enum.MessageCancelled}, 0)
	default:
		return result
	}
}

// finishLost ends an attempt without a lease. If the run has its final state from this very attempt, a commit
// has succeeded although its connection broke, and the end has not been reported yet.
func (e *Engine) finishLost(a *attempt) AttemptResult {
	ctx, cancel := context.WithTimeout(e.aborted, statementTimeout)
	defer cancel()
	status, err := e.queries.terminalStatus(ctx, a.job)
	if err != nil || !status.Terminal() {
		return ResultLeaseLost
	}
	e.notifyFinished(a.job, status)
	return resultOf(status)
}

// retryWhileLeased retries op until it succeeds. It returns ErrLeaseLost when op does, when the lease may have
// expired, after the duration of a lease, or when the engine is aborted.
func (e *Engine) retryWhileLeased(a *attempt, op func(context.Context) error) error {
	once := func() (struct{}, error) {
		ctx, cancel := context.WithTimeout(e.aborted, statementTimeout)
		defer cancel()
		err := op(ctx)
		switch {
		case err == nil:
			return struct{}{}, nil
		case errors.Is(err, ErrLeaseLost):
			return struct{}{}, backoff.Permanent(err)
		}
		e.log.Warn("ending a run attempt failed", append(a.job.logAttrs(), "error", errorText(err))...)
		if e.leaseMayHaveExpired(a) {
			return struct{}{}, backoff.Permanent(ErrLeaseLost)
		}
		return struct{}{}, err
	}
	delays := &backoff.ExponentialBackOff{
		InitialInterval: 50 * time.Millisecond,
		MaxInterval:     time.Second,
		Multiplier:      2,
	}
	_, err := backoff.Retry(e.aborted, once, backoff.WithBackOff(delays), backoff.WithMaxElapsedTime(e.options.Lease))
	if err != nil {
		return ErrLeaseLost
	}
	return nil
}
