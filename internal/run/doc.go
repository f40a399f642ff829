// Package run is the durable run engine: it executes the work behind each assistant message at least once,
// in order, with effects that commit exactly once, across crashes of any replica.
//
// A run is a row that belongs to one assistant message. The transitions of its state:
//
//	QUEUED  → RUNNING              claim
//	RUNNING → RUNNING              claim after the lease has expired
//	RUNNING → QUEUED               failure with attempts left, hand-over at shutdown, or the worker's lock is free
//	RUNNING → DONE                 Finish
//	RUNNING → FAILED               Finish, PermanentError, or Options.MaxAttempts failures
//	QUEUED, RUNNING → CANCELLED    Cancel
//
// The mechanisms behind them:
//
//   - Claim. A replica claims a run under a lease and renews the lease while its handler works. A run whose
//     lease has expired can be claimed by any replica. Only the earliest unfinished run of a conversation can be
//     claimed, so a conversation's turns run in order.
//   - Worker lock. Where the database has session locks, a replica holds one on its name (WorkerLock), which is free
//     as soon as its process ends. The other replicas return its runs to the queue when they have seen the lock free
//     twice (probeWorkers). Without a lock, the lease decides.
//   - Fencing. Each claim increments attempt, which is the fencing token. An effect commits only in a
//     transaction that first finds the run RUNNING with the same attempt (Do, Finish). A replica that has
//     lost its lease without noticing can therefore write nothing.
//   - Failure. A failed attempt returns the run to QUEUED with a backoff (retryDelay). Claiming a run after
//     its lease has expired counts as a failure, a free worker lock every second time, a hand-over never.
//   - Cancellation. Cancel ends a queued run at once. A running one is marked and its handler's context is
//     cancelled; once the mark is committed, the run can only end as CANCELLED.
//   - Stale runs have no live attempt and cannot be claimed: their attempts are used up, or they are marked as
//     cancelled. A sweep at Options.SweepInterval ends them.
//
// All stored times are the database's clock, in milliseconds. A replica's own clock only measures the time
// since its last successful statement.
//
// Life cycle: NewEngine validates the options; Enqueue, Cancel and Do work from then on. Start checks the
// database and fails at once when it is unusable. Stop is idempotent, may be called before Start, and
// hands over the runs in progress to the other replicas.
package run
