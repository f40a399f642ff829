package run

import (
	"errors"
	"math/rand/v2"
	"time"

	"errand/internal/apperr"
)

// The bounds of the delay before a failed run is tried again.
const (
	firstDelay = time.Second
	lastDelay  = 30 * time.Second
	// longestRetry caps the delay that a handler asks for.
	longestRetry = 5 * time.Minute
)

// delayAfter is how long to wait after err, when failures attempts failed before.
func delayAfter(err error, failures int) time.Duration {
	var asked *delayedError
	if errors.As(err, &asked) && asked.after > 0 {
		return min(asked.after, longestRetry)
	}
	return spread(backoff(failures))
}

// backoff doubles from 1 s to 30 s.
func backoff(failures int) time.Duration {
	if failures > 5 {
		return lastDelay
	}
	return min(firstDelay<<failures, lastDelay)
}

// spread varies d by a quarter either way, so that what failed together does not come back together.
func spread(d time.Duration) time.Duration {
	return d*3/4 + rand.N(d/2+1)
}

// explain is an error for the log: an apperr.Error shows only its safe half by itself.
func explain(err error) string {
	var shown *apperr.Error
	if errors.As(err, &shown) {
		if hidden := shown.Unwrap(); hidden != nil {
			return err.Error() + " (" + hidden.Error() + ")"
		}
	}
	if err == nil {
		return ""
	}
	return err.Error()
}
