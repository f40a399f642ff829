package llm

import (
	"context"
	"math/rand/v2"
	"time"
)

// Retry says how often and how patiently a failed exchange is repeated. The
// zero value means the defaults.
type Retry struct {
	// Attempts counts the first try too; default 3, 1 means never repeat.
	Attempts int
	// Base is the first wait, doubled each time; default 500 ms.
	Base time.Duration
	// Max bounds every wait; default 20 s. A provider that asks for more is not
	// asked again here: the error carries its wait to whoever schedules the run.
	Max time.Duration
	// Sleep waits or returns the context's error; default a timer.
	Sleep func(ctx context.Context, d time.Duration) error
	// Jitter gives a number in [0,1); default random.
	Jitter func() float64
	// Now is the clock for Retry-After dates and deadlines; default time.Now.
	Now func() time.Time
}

func (r Retry) withDefaults() Retry {
	if r.Attempts <= 0 {
		r.Attempts = 3
	}
	if r.Base <= 0 {
		r.Base = 500 * time.Millisecond
	}
	if r.Max <= 0 {
		r.Max = 20 * time.Second
	}
	if r.Sleep == nil {
		r.Sleep = sleep
	}
	if r.Jitter == nil {
		r.Jitter = rand.Float64
	}
	if r.Now == nil {
		r.Now = time.Now
	}
	return r
}

// wait is the pause before the next attempt (1 = after the first failure), or
// false when waiting that long makes no sense. The jitter keeps replicas that
// failed together from returning together.
func (r Retry) wait(ctx context.Context, attempt int, asked time.Duration) (time.Duration, bool) {
	if attempt >= r.Attempts || asked > r.Max {
		return 0, false
	}
	d := min(r.Base<<(attempt-1), r.Max)
	d = d/2 + time.Duration(r.Jitter()*float64(d/2))
	if asked > 0 {
		d = asked + time.Duration(r.Jitter()*float64(r.Base))
	}
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(r.Now().Add(d)) {
		return 0, false
	}
	return d, true
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// retryable reports whether an exchange that delivered nothing may be repeated.
// A timeout is not: the provider has already had its full time.
func retryable(k Kind) bool {
	return k == KindRateLimit || k == KindOverloaded || k == KindUnavailable
}
