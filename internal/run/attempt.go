package run

import (
	"context"
	"errors"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	"errand/internal/viewer"
)

// attempt is an attempt in progress on this replica.
type attempt struct {
	job     Job
	ctx     context.Context
	cancel  context.CancelCauseFunc
	started time.Time
	// renewedAt is when the last statement that is known to have extended the lease was sent, guarded by
	// Engine.mu. By this replica's clock, the lease is valid at least until renewedAt + Lease.
	renewedAt time.Time
	// leaseLost is set when the lease is lost; the context's cause may be an earlier one.
	leaseLost atomic.Bool
	// finished holds the result once Finish has committed.
	finished atomic.Pointer[AttemptResult]
}

func (a *attempt) loseLease() {
	a.leaseLost.Store(true)
	a.cancel(ErrLeaseLost)
}

// runAttempt calls the handler and ends the attempt.
func (e *Engine) runAttempt(a *attempt, queueTime time.Duration) {
	e.options.Observer.AttemptStarted(a.job, queueTime)
	err := e.callHandler(a)
	result := e.finishAttempt(a, err)
	e.release(a)
	e.logResult(a, result, err)
	e.options.Observer.AttemptEnded(a.job, result, time.Since(a.started))
	if result == ResultHandedOver {
		e.options.Notifier.NotifyQueued()
	}
	e.WakeLocal()
}

// callHandler calls the handler and converts its panic to an error.
func (e *Engine) callHandler(a *attempt) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = errPanicked
			e.logPanic(a.job, v)
		}
	}()
	if err := context.Cause(a.ctx); err != nil {
		return err
	}
	return e.handler(a.ctx, a.job)
}

// logPanic logs the stack, and the panic's value only if it is the Go runtime's: others may hold user content.
func (e *Engine) logPanic(job Job, v any) {
	text := "(not logged)"
	if err, ok := v.(runtime.Error); ok {
		text = err.Error()
	}
	e.log.Error("run handler panicked", append(job.logAttrs(), "panic", text, "stack", string(debug.Stack()))...)
}

// release frees the attempt's slot and context.
func (e *Engine) release(a *attempt) {
	a.cancel(nil)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.activeHandlers--
	if e.attempts[a.job.RunID] == a {
		delete(e.attempts, a.job.RunID)
	}
}

// findAttempt returns this replica's attempt with the job's number, or nil.
func (e *Engine) findAttempt(job Job) *attempt {
	e.mu.Lock()
	defer e.mu.Unlock()
	if a := e.attempts[job.RunID]; a != nil && a.job.Attempt == job.Attempt {
		return a
	}
	return nil
}

// cancelAttempt cancels the handler's context with the cause if the attempt is on this replica.
func (e *Engine) cancelAttempt(job Job, cause error) {
	a := e.findAttempt(job)
	switch {
	case a == nil:
	case errors.Is(cause, ErrLeaseLost):
		a.loseLease()
	default:
		a.cancel(cause)
	}
}

// asUser makes the job's user the viewer, acting as the agent within the job's scopes, unless the context's viewer
// already is that user.
func asUser(ctx context.Context, job Job) context.Context {
	if v, ok := viewer.FromContext(ctx); ok && v.UserID == job.UserID {
		return ctx
	}
	return viewer.NewContext(ctx, viewer.Viewer{UserID: job.UserID, Actor: viewer.ActorAgent, Scopes: job.Scopes})
}

func (e *Engine) logResult(a *attempt, result AttemptResult, err error) {
	attrs := append(a.job.logAttrs(), "end", string(result), "latency_ms", time.Since(a.started).Milliseconds())
	if err == nil || result == ResultCancelled || result == ResultHandedOver {
		e.log.Info("run attempt ended", attrs...)
		return
	}
	e.log.Warn("run attempt ended", append(attrs, "error", errorText(err))...)
}
