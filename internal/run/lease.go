package run

import (
	"context"
	"time"
)

// renewLeasesLoop renews all leases three times per lease duration, and when the worker lock is lost or taken again:
// until then, the rows claim a lock that may be free.
func (e *Engine) renewLeasesLoop() {
	tick := time.NewTicker(e.options.Lease / 3)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			e.renewLeases()
		case <-e.lock.Changed():
			e.renewLeases()
		case <-e.aborted.Done():
			return
		}
	}
}

// renewLeases renews all leases with one statement.
func (e *Engine) renewLeases() {
	held := e.heldAttempts()
	if len(held) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(e.aborted, e.options.Lease/3)
	defer cancel()
	sentAt := time.Now()
	runIDs := make([]string, len(held))
	for i, a := range held {
		runIDs[i] = a.job.RunID
	}
	renewals, err := e.queries.renew(ctx, runIDs)
	if err != nil {
		e.log.Warn("renewing leases failed", "error", err)
		e.dropExpired(held)
		return
	}
	for _, a := range held {
		e.applyLease(a, renewals[a.job.RunID], sentAt)
	}
}

// applyLease applies the result of a renewal sent at sentAt to a: the lease is lost, or the run cancelled, or
// the lease extended. The zero renewal means that the run is not this worker's any more.
func (e *Engine) applyLease(a *attempt, lease renewal, sentAt time.Time) {
	switch {
	case lease.attempt != a.job.Attempt:
		a.loseLease()
		return
	case lease.cancelRequested:
		a.cancel(ErrCancelled)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	a.renewedAt = sentAt
}

// dropExpired cancels the attempts whose leases may have expired while the database was unreachable.
func (e *Engine) dropExpired(held []*attempt) {
	for _, a := range held {
		if e.leaseMayHaveExpired(a) {
			a.loseLease()
		}
	}
}

// leaseMayHaveExpired reports whether a's lease is lost or, by this replica's own clock, may have expired.
func (e *Engine) leaseMayHaveExpired(a *attempt) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return a.leaseLost.Load() || time.Since(a.renewedAt) >= e.options.Lease
}

// heldAttempts returns the attempts that are neither finished nor without a lease.
func (e *Engine) heldAttempts() []*attempt {
	e.mu.Lock()
	defer e.mu.Unlock()
	held := make([]*attempt, 0, len(e.attempts))
	for _, a := range e.attempts {
		if a.finished.Load() == nil && !a.leaseLost.Load() {
			held = append(held, a)
		}
	}
	return held
}
