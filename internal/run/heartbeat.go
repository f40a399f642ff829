package run

import (
	"context"
	"fmt"
	"strings"
	"time"

	"errand/internal/viewer"
)

// renewSQL extends this worker's leases by $1 ms, of the named runs alone: a row that the worker holds
// without knowing it (its claim's answer was lost) must expire.
const renewSQL = `
UPDATE runs SET lease_until = {now} + CAST($1 AS BIGINT)
WHERE worker = $2 AND state = 'RUNNING' AND id IN ({ids})
RETURNING id, attempt, cancel_requested`

// renewed is a lease that holds.
type renewed struct {
	attempt         int
	cancelRequested bool
}

// keepLeases renews all leases three times a lease, with one statement.
func (e *Engine) keepLeases() {
	tick := time.NewTicker(e.o.Lease / 3)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			e.heartbeat()
		case <-e.hard.Done():
			return
		}
	}
}

func (e *Engine) heartbeat() {
	held := e.holding()
	if len(held) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(e.hard, e.o.Lease/3)
	defer cancel()
	asked := time.Now()
	leases, err := e.renew(ctx, held)
	if err != nil {
		e.log.Warn("renewing leases failed", "error", err)
		e.dropExpired(held)
		return
	}
	for _, w := range held {
		e.judge(w, leases[w.job.RunID], asked)
	}
}

// judge tells w what the database says of its run.
func (e *Engine) judge(w *work, lease renewed, asked time.Time) {
	switch {
	case lease.attempt != w.job.Attempt:
		w.lose()
		return
	case lease.cancelRequested:
		w.cancel(ErrCancelled)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	w.renewed = asked
}

// dropExpired ends the work whose leases may have expired while the database could not be reached.
func (e *Engine) dropExpired(held []*work) {
	for _, w := range held {
		if e.leaseRanOut(w) {
			w.lose()
		}
	}
}

// holding lists the work under way whose runs are not known to be finished.
func (e *Engine) holding() []*work {
	e.mu.Lock()
	defer e.mu.Unlock()
	held := make([]*work, 0, len(e.held))
	for _, w := range e.held {
		if w.finished.Load() == nil && !w.lost.Load() {
			held = append(held, w)
		}
	}
	return held
}

func (e *Engine) renew(ctx context.Context, held []*work) (map[string]renewed, error) {
	args := []any{e.o.Lease.Milliseconds(), e.worker}
	marks := make([]string, len(held))
	for i, w := range held {
		args = append(args, w.job.RunID)
		marks[i] = fmt.Sprintf("$%d", len(args))
	}
	query := strings.Replace(e.sql.renew, "{ids}", strings.Join(marks, ","), 1)
	leases := make(map[string]renewed, len(held))
	err := queryRows(viewer.AsSystem(ctx), e.o.Client, query, args, func(scan func(...any) error) error {
		var id string
		var r renewed
		err := scan(&id, &r.attempt, &r.cancelRequested)
		leases[id] = r
		return err
	})
	return leases, err
}
