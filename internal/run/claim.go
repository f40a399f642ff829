package run

import (
	"context"
	"time"
)

// claimedJob is a job with the time its run was queued.
type claimedJob struct {
	job       Job
	queueTime time.Duration
}

// claimRuns claims as many runs as there are free slots and starts their attempts.
func (e *Engine) claimRuns() {
	free := e.reserveSlots()
	if free == 0 {
		return
	}
	// Not the context that Stop cancels: a claim abandoned half-way may have been committed, and its runs would
	// wait for their leases to expire.
	ctx, cancel := context.WithTimeout(e.aborted, statementTimeout)
	defer cancel()
	sentAt := time.Now()
	claimed, err := e.queries.claim(ctx, free)
	if err != nil {
		e.log.Warn("claiming runs failed", "error", err)
	}
	e.startAttempts(claimed, sentAt)
}

// reserveSlots returns the number of free slots. A positive number marks a claim as in progress
// until startAttempts.
func (e *Engine) reserveSlots() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	free := e.options.Concurrency - e.activeHandlers
	e.claiming = free > 0
	return max(free, 0)
}

// startAttempts starts a handler for each claimed run. sentAt is when the claim was sent.
func (e *Engine) startAttempts(claimed []claimedJob, sentAt time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range claimed {
		a := &attempt{job: c.job, started: time.Now(), renewedAt: sentAt}
		a.ctx, a.cancel = context.WithCancelCause(asUser(e.stopping, c.job))
		if old := e.attempts[c.job.RunID]; old != nil {
			old.loseLease() // it expired without this replica noticing
		}
		e.attempts[c.job.RunID] = a
		e.activeHandlers++
		if e.cancelledDuringClaim[c.job.RunID] {
			a.cancel(ErrCancelled)
		}
		e.handlers.Go(func() { e.runAttempt(a, c.queueTime) })
	}
	e.claiming = false
	clear(e.cancelledDuringClaim)
}
