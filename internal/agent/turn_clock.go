package agent

import (
	"context"
	"sync"
	"time"
)

// turnClock cancels a context after a time that it ran. It is stopped while a model call waits for its first text:
// a local server may load its model for minutes, and the providers' idle timeouts limit that. It is safe for concurrent
// use.
type turnClock struct {
	mu        sync.Mutex
	remaining time.Duration
	started   time.Time // zero while it is stopped
	timer     *time.Timer
	expire    func()
}

// startTurnClock returns a context that is cancelled with errTimeLimit when the clock has run for the limit, the clock,
// and a function that releases both.
func startTurnClock(ctx context.Context, limit time.Duration) (context.Context, *turnClock, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	c := &turnClock{remaining: limit, expire: func() { cancel(errTimeLimit) }}
	c.run()
	return ctx, c, func() {
		c.stop()
		cancel(nil)
	}
}

func (c *turnClock) run() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.started.IsZero() {
		c.started, c.timer = time.Now(), time.AfterFunc(c.remaining, c.expire)
	}
}

func (c *turnClock) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.started.IsZero() {
		return
	}
	c.timer.Stop()
	c.remaining = max(c.remaining-time.Since(c.started), 0)
	c.started = time.Time{}
}
