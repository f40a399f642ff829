package run

import (
	"context"
	"time"

	"errand/internal/viewer"
)

// WorkerLock is a lock on the name of a worker that the database releases as soon as the worker's process ends.
type WorkerLock interface {
	// Start takes the lock. When it cannot, it returns the reason, and goes on trying until Close.
	Start(ctx context.Context) error
	// Held reports whether this process has the lock.
	Held() bool
	// Settled reports whether the lock is held, and has been for long enough that a failover of the database cannot be
	// why the locks of others are free.
	Settled() bool
	// Changed returns a channel that receives after Held has changed.
	Changed() <-chan struct{}
	// Close releases the lock.
	Close()
}

// noLock is the WorkerLock of an engine without one.
type noLock struct{}

// Start implements WorkerLock.
func (noLock) Start(context.Context) error { return nil }

// Held implements WorkerLock.
func (noLock) Held() bool { return false }

// Settled implements WorkerLock.
func (noLock) Settled() bool { return false }

// Changed implements WorkerLock.
func (noLock) Changed() <-chan struct{} { return nil }

// Close implements WorkerLock.
func (noLock) Close() {}

// lockedSuffix ends the name of a worker that holds its lock. The name in a run's row has it only if the lock was held
// when the run was claimed or its lease was renewed, so that nothing is concluded from the free lock of a worker that
// never had one: a replica of an older release, or one behind a pooler.
const lockedSuffix = "+lock"

// workerName returns the name for rows, which says whether the worker has its lock.
func (q *queries) workerName() string {
	if q.locked() {
		return q.lockedWorker
	}
	return q.worker
}

// runTakeoverLoop takes over the runs of workers whose processes have ended.
func (e *Engine) runTakeoverLoop() {
	if _, none := e.lock.(noLock); none {
		return
	}
	tick := time.NewTicker(e.options.ProbeInterval)
	defer tick.Stop()
	var suspects []string
	for {
		select {
		case <-e.stopping.Done():
			return
		case <-tick.C:
			suspects = e.probeWorkers(suspects)
		}
	}
}

// probeWorkers releases the runs of the suspects, whose locks were free in the last probe, if they still are; and
// returns the next suspects. A lock may be free for a moment, while its worker connects again.
func (e *Engine) probeWorkers(suspects []string) []string {
	if !e.lock.Settled() {
		return nil
	}
	ctx, cancel := context.WithTimeout(e.stopping, statementTimeout)
	defer cancel()
	if len(suspects) > 0 {
		e.releaseRuns(ctx, suspects)
	}
	suspects, err := e.queries.unlockedWorkers(ctx)
	if err != nil && ctx.Err() == nil {
		e.log.Warn("looking for ended replicas failed", "error", err)
	}
	return suspects
}

// releaseRuns returns the runs of the workers to the queue, for any replica to claim.
func (e *Engine) releaseRuns(ctx context.Context, workers []string) {
	jobs, err := e.queries.release(ctx, workers)
	if err != nil && ctx.Err() == nil {
		e.log.Warn("taking over the runs of ended replicas failed", "error", err)
	}
	if len(jobs) == 0 {
		return
	}
	e.log.Warn("replicas have ended: their runs are claimed again", "workers", workers, "runs", len(jobs))
	e.options.Notifier.NotifyQueued()
	e.WakeLocal()
	e.failStaleRuns(ctx) // a cancelled one cannot be claimed
}

// unlockedSQL selects the workers with running runs whose locks are free. $1 is the name of this worker.
const unlockedSQL = `SELECT DISTINCT worker FROM runs WHERE state = 'RUNNING' AND worker <> $1 AND {worker unlocked}`

func (q *queries) unlockedWorkers(ctx context.Context) (workers []string, err error) {
	args := []any{q.lockedWorker}
	err = queryRows(viewer.AsSystem(ctx), q.client, q.sql.unlocked, args, func(scan func(...any) error) error {
		var worker string
		err := scan(&worker)
		workers = append(workers, worker)
		return err
	})
	return workers, err
}

// releaseSQL returns the runs of the listed workers to the queue if their locks are free. Every second time it counts
// as a failure: a run that kills each process that executes it must end, but more processes end for other reasons.
const releaseSQL = `
UPDATE runs SET state = 'QUEUED', worker = '', lease_until = 0, available_at = {now}, failures = failures + attempt % 2
WHERE state = 'RUNNING' AND worker IN ({workers}) AND {worker unlocked}
RETURNING ` + jobColumns

// release returns the runs of the workers to the queue, and returns those.
func (q *queries) release(ctx context.Context, workers []string) (jobs []Job, err error) {
	query, args := withList(q.sql.release, "{workers}", nil, workers)
	err = queryRows(viewer.AsSystem(ctx), q.client, query, args, func(scan func(...any) error) error {
		job, err := scanJob(scan)
		jobs = append(jobs, job)
		return err
	})
	return jobs, err
}
