package stream

import (
	"context"
	"time"

	"errand/internal/apperr"
)

// Bounds of insist's patience.
const (
	firstPause = 50 * time.Millisecond
	lastPause  = 3 * time.Second // the pauses add up to about 6 seconds
)

// insist repeats a read that fails: a database that restarts should not end every
// subscription. It gives up after some seconds, when ctx ends, and on NOT_FOUND.
func insist[T any](ctx context.Context, read func() (T, error)) (T, error) {
	for pause := firstPause; ; pause *= 2 {
		got, err := read()
		if err == nil || pause > lastPause || apperr.CodeOf(err) == apperr.NotFound {
			return got, err
		}
		select {
		case <-ctx.Done():
			return got, err
		case <-time.After(pause):
		}
	}
}
