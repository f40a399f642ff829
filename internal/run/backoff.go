package run

import (
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Bounds of the delay before a failed run is retried.
const (
	minRetryDelay = time.Second
	maxRetryDelay = 30 * time.Second
	// maxRetryAfter caps the delay that a handler requests with RetryAfter.
	maxRetryAfter = 5 * time.Minute
)

// retryDelay returns the time until the retry after err, when failures attempts have failed before: 1 s
// doubling to 30 s, with a jitter of 25 %, or the delay that the handler requested.
func retryDelay(err error, failures int) time.Duration {
	var requested *retryAfterError
	if errors.As(err, &requested) && requested.after > 0 {
		return min(requested.after, maxRetryAfter)
	}
	return newRetryBackOff(0.25, failures).NextBackOff()
}

// newRetryBackOff returns the backoff in its state after some failures. The count is in the database and
// the retry may happen on another replica, so the state is replayed instead of kept.
func newRetryBackOff(jitter float64, failures int) backoff.BackOff {
	b := &backoff.ExponentialBackOff{
		InitialInterval:     minRetryDelay,
		MaxInterval:         maxRetryDelay,
		Multiplier:          2,
		RandomizationFactor: jitter,
	}
	b.Reset()
	const toMax = 5 // doublings from minRetryDelay to maxRetryDelay
	for range min(failures, toMax) {
		b.NextBackOff()
	}
	return b
}
