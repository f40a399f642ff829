package run

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"errand/ent"
	"errand/ent/enum"

	"entgo.io/ent/dialect"
)

// Defaults of Options.
const (
	DefaultLease       = 15 * time.Second
	DefaultSweepInterval       = time.Second
	DefaultMaxAttempts = 5
	DefaultConcurrency = 64
)

// Options configure an Engine. Client and Dialect are required; zero means the default.
type Options struct {
	Client *ent.Client
	// Dialect is dialect.SQLite or dialect.Postgres.
	Dialect string
	// Replica names this process in rows and logs. A random part is added, so that a restarted
	// process never renews its predecessor's leases.
	Replica string
	// Lease is how long a claim holds without renewal, 100 ms or more: the time until a
	// killed replica's runs are taken up. Renewed every third of it.
	Lease time.Duration
	// SweepInterval is how often the engine looks for work without having been woken.
	SweepInterval time.Duration
	// MaxAttempts is how many failed or lost attempts end a run as FAILED.
	MaxAttempts int
	// Concurrency is how many runs this replica works on at once.
	Concurrency int
	// Notifier reaches the other replicas; nil when there are none.
	Notifier Notifier
	// Observer is told about claims and ends; may be nil.
	Observer Observer
	// OnFinished is called after a message's terminal status is committed, by whichever replica
	// committed it: the place to publish from. It may be called twice for one
	// message after a broken connection. It must return quickly. May be nil.
	OnFinished func(job Job, status enum.MessageStatus)
	// Logger defaults to slog.Default.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	setDefault(&o.Lease, DefaultLease)
	setDefault(&o.SweepInterval, DefaultSweepInterval)
	setDefault(&o.MaxAttempts, DefaultMaxAttempts)
	setDefault(&o.Concurrency, DefaultConcurrency)
	setDefault(&o.Replica, "errand")
	setDefault(&o.Logger, slog.Default())
	if o.Observer == nil {
		o.Observer = silent{}
	}
	if o.Notifier == nil {
		o.Notifier = silent{}
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
	var faults []error
	if o.Client == nil {
		faults = append(faults, errors.New("runs: no client"))
	}
	if o.Dialect != dialect.SQLite && o.Dialect != dialect.Postgres {
		faults = append(faults, fmt.Errorf("runs: dialect %q is not supported", o.Dialect))
	}
	if o.Lease < 100*time.Millisecond || o.SweepInterval <= 0 {
		faults = append(faults, fmt.Errorf("runs: lease %s or sweep %s is too short", o.Lease, o.SweepInterval))
	}
	if o.MaxAttempts < 1 || o.Concurrency < 1 {
		faults = append(
			faults,
			fmt.Errorf("runs: %d attempts and %d runs at once must be positive", o.MaxAttempts, o.Concurrency),
		)
	}
	return errors.Join(faults...)
}

// silent is an Observer and Signals for those who have none.
type silent struct{}

// AttemptStarted implements Observer.
func (silent) AttemptStarted(Job, time.Duration) {}

// AttemptEnded implements Observer.
func (silent) AttemptEnded(Job, AttemptResult, time.Duration) {}

// NotifyQueued implements Signals.
func (silent) NotifyQueued() {}

// NotifyCancelled implements Signals.
func (silent) NotifyCancelled(string) {}
