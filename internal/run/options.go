package run

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/store"
)

// Defaults of Options.
const (
	DefaultLease         = 15 * time.Second
	DefaultSweepInterval = time.Second
	DefaultMaxAttempts   = 5
	DefaultConcurrency   = 64
	DefaultProbeInterval = 500 * time.Millisecond
)

// Options configure an Engine. Client and SQL are required; zero values of the other fields mean their defaults.
type Options struct {
	// Client reaches the database with the runs.
	Client *ent.Client
	// SQL is the database's dialect: store.DB.SQL().
	SQL store.SQL
	// Replica names this process in rows and logs. NewEngine appends a random part, so that a
	// restarted process never renews its predecessor's leases.
	Replica string
	// Lease is how long a claim is valid without renewal, at least 100 ms: the time until the runs of a
	// suspended replica are claimed again, or of a killed one without a worker lock. Leases are renewed every third
	// of it.
	Lease time.Duration
	// SweepInterval is how often the engine looks for runs without a notification.
	SweepInterval time.Duration
	// MaxAttempts is how many failed or lost attempts end a run as FAILED.
	MaxAttempts int
	// Concurrency is how many handlers run at once on this replica.
	Concurrency int
	// Exclusive means that no other engine runs on the database while this one does. Start then expires all
	// leases: they belong to processes that have ended, and their runs are claimed at once.
	Exclusive bool
	// NewLock returns the lock by which other replicas see at once that this process has ended; nil without one. The
	// engine starts and closes it.
	NewLock func(name string) WorkerLock
	// ProbeInterval is how often the engine looks for workers whose lock is free.
	ProbeInterval time.Duration
	// Notifier reaches the other replicas; nil when there are none.
	Notifier Notifier
	// Observer receives the start and the result of each attempt; may be nil.
	Observer Observer
	// OnFinished is called after a message's final status is committed, on the replica that committed it, to
	// publish it. It may be called twice for one message after a broken connection. It must return
	// quickly. May be nil.
	OnFinished func(job Job, status enum.MessageStatus)
	// Logger defaults to slog.Default().
	Logger *slog.Logger
}

// Notifier sends hints to the other replicas. A lost hint costs time (the sweep and the lease renewal find
// everything) but not correctness. Calls must not block.
type Notifier interface {
	// NotifyQueued reports that a run may be claimable. Receivers call Engine.WakeLocal.
	NotifyQueued()
	// NotifyCancelled reports that the run's cancellation was requested. Receivers call Engine.CancelLocal.
	NotifyCancelled(runID string)
}

// Observer receives the engine's events after they are committed, for metrics and tests. Calls come from many
// goroutines and must return quickly.
type Observer interface {
	// AttemptStarted reports the start of an attempt, and how long the run was claimable or queued
	// behind an earlier run of its conversation.
	AttemptStarted(job Job, queueTime time.Duration)
	// AttemptEnded reports the result of an attempt and its duration. The duration is zero for a run that
	// ended without a handler of this replica: cancelled while queued, or failed as stale.
	AttemptEnded(job Job, result AttemptResult, duration time.Duration)
}

// noop is the default Observer and Notifier.
type noop struct{}

// AttemptStarted implements Observer.
func (noop) AttemptStarted(Job, time.Duration) {}

// AttemptEnded implements Observer.
func (noop) AttemptEnded(Job, AttemptResult, time.Duration) {}

// NotifyQueued implements Notifier.
func (noop) NotifyQueued() {}

// NotifyCancelled implements Notifier.
func (noop) NotifyCancelled(string) {}

func (o Options) withDefaults() Options {
	setDefault(&o.Lease, DefaultLease)
	setDefault(&o.SweepInterval, DefaultSweepInterval)
	setDefault(&o.MaxAttempts, DefaultMaxAttempts)
	setDefault(&o.Concurrency, DefaultConcurrency)
	setDefault(&o.ProbeInterval, DefaultProbeInterval)
	setDefault(&o.Replica, "errand")
	setDefault(&o.Logger, slog.Default())
	if o.Observer == nil {
		o.Observer = noop{}
	}
	if o.Notifier == nil {
		o.Notifier = noop{}
	}
	if o.OnFinished == nil {
		o.OnFinished = func(Job, enum.MessageStatus) {}
	}
	return o
}

func setDefault[T comparable](v *T, fallback T) {
	var zero T
	if *v == zero {
		*v = fallback
	}
}

func (o Options) validate() error {
	var errs []error
	if o.Client == nil || o.SQL == (store.SQL{}) {
		errs = append(errs, errors.New("run: Options.Client and Options.SQL are required"))
	}
	if o.Lease < 100*time.Millisecond {
		errs = append(errs, fmt.Errorf("run: Options.Lease must be at least 100ms, not %s", o.Lease))
	}
	if o.SweepInterval <= 0 {
		errs = append(errs, fmt.Errorf("run: Options.SweepInterval must be positive, not %s", o.SweepInterval))
	}
	if o.ProbeInterval <= 0 {
		errs = append(errs, fmt.Errorf("run: Options.ProbeInterval must be positive, not %s", o.ProbeInterval))
	}
	if o.MaxAttempts < 1 {
		errs = append(errs, fmt.Errorf("run: Options.MaxAttempts must be positive, not %d", o.MaxAttempts))
	}
	if o.Concurrency < 1 {
		errs = append(errs, fmt.Errorf("run: Options.Concurrency must be positive, not %d", o.Concurrency))
	}
	return errors.Join(errs...)
}
