package run

import (
	"context"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	"errand/ent/enum"
	"errand/internal/viewer"
)

// work is one attempt under way on this replica.
type work struct {
	job     Job
	ctx     context.Context
	cancel  context.CancelCauseFunc
	started time.Time
	// renewed is when the last statement that is known to have extended the lease was sent, guarded by
	// Engine.mu. The lease holds at least until renewed + Lease by this replica's clock.
	renewed time.Time
	// lost is set when the lease is: the context's first cause may be another.
	lost atomic.Bool
	// finished holds the End once Finish has committed.
	finished atomic.Pointer[AttemptResult]
}

func (w *work) lose() {
	w.lost.Store(true)
	w.cancel(ErrLeaseLost)
}

// beginClaim says how many more runs this replica can work on.
func (e *Engine) beginClaim() (room int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	room = e.o.Concurrency - e.working
	e.claiming = room > 0
	return max(room, 0)
}

// endClaim starts a handler for each claimed run.
func (e *Engine) endClaim(found []claimed, asked time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range found {
		w := &work{job: c.job, started: time.Now(), renewed: asked}
		w.ctx, w.cancel = context.WithCancelCause(asUser(e.soft, c.job))
		if old := e.held[c.job.RunID]; old != nil {
			old.lose() // its lease ran out here, unnoticed so far
		}
		e.held[c.job.RunID] = w
		e.working++
		if e.missed[c.job.RunID] {
			w.cancel(ErrCancelled)
		}
		e.handling.Go(func() { e.work(w, c.waited) })
	}
	e.claiming = false
	clear(e.missed)
}

// work does one attempt and settles how it ends.
func (e *Engine) work(w *work, waited time.Duration) {
	e.o.Observer.AttemptStarted(w.job, waited)
	err := e.handle(w)
	end := e.settle(w, err)
	e.release(w)
	e.logEnd(w, end, err)
	e.o.Observer.AttemptEnded(w.job, end, time.Since(w.started))
	if end == ResultHandedOver {
		e.o.Notifier.NotifyQueued()
	}
	e.WakeLocal()
}

// handle calls the handler and turns its panic into an error.
func (e *Engine) handle(w *work) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = errPanicked
			e.logPanic(w.job, v)
		}
	}()
	if err := context.Cause(w.ctx); err != nil {
		return err
	}
	return e.handler(w.ctx, w.job)
}

// logPanic logs where it happened, and what only if the Go runtime said it: other values may hold content.
func (e *Engine) logPanic(job Job, v any) {
	what := "a value that is not shown"
	if fault, ok := v.(runtime.Error); ok {
		what = fault.Error()
	}
	e.log.Error("a run's handler panicked", append(job.attrs(), "panic", what, "stack", string(debug.Stack()))...)
}

// release frees the place, and the context.
func (e *Engine) release(w *work) {
	w.cancel(nil)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.working--
	if e.held[w.job.RunID] == w {
		delete(e.held, w.job.RunID)
	}
}

// local is the work on the very attempt that job names, or nil.
func (e *Engine) local(job Job) *work {
	e.mu.Lock()
	defer e.mu.Unlock()
	if w := e.held[job.RunID]; w != nil && w.job.Attempt == job.Attempt {
		return w
	}
	return nil
}

// asUser makes the job's user the viewer, unless the context already is that user's.
func asUser(ctx context.Context, job Job) context.Context {
	if v, ok := viewer.FromContext(ctx); ok && v.UserID == job.UserID {
		return ctx
	}
	return viewer.NewContext(ctx, viewer.Viewer{UserID: job.UserID, Actor: viewer.ActorAgent})
}

func (e *Engine) logEnd(w *work, end AttemptResult, err error) {
	attrs := append(w.job.attrs(), "end", string(end), "latency_ms", time.Since(w.started).Milliseconds())
	if err == nil || end == ResultCancelled || end == ResultHandedOver {
		e.log.Info("run attempt ended", attrs...)
		return
	}
	e.log.Warn("run attempt ended", append(attrs, "error", explain(err))...)
}

func (j Job) attrs() []any {
	return []any{"run_id", j.RunID, "user_id", j.UserID, "conversation_id", j.ConversationID, "attempt", j.Attempt}
}

// endOf is the End of a run whose message ends with the status.
func endOf(status enum.MessageStatus) AttemptResult {
	switch status {
	case enum.MessageCompleted:
		return ResultCompleted
	case enum.MessageCancelled:
		return ResultCancelled
	default:
		return ResultFailed
	}
}
