package auth

import (
	"context"
	"time"
)

// Bounds of the fetches that tokens cause. A client chooses the key IDs and signatures of its tokens, so a fetch for
// one token must not keep the next one from its own: a token whose key was published waits for recheckInterval at
// most, however many others are sent.
const (
	// recheckInterval is the shortest time between the starts of two fetches that tokens cause.
	recheckInterval = time.Second
	// recheckRetryDelay is that time after a fetch that failed. Tokens are not kept waiting meanwhile.
	recheckRetryDelay = 5 * time.Second
	// maxRechecking is the number of tokens that wait for a fetch. Further ones get UNAVAILABLE, because they may be
	// valid.
	maxRechecking = 1000
	// maxMisses is the number of key IDs that are remembered as unknown.
	maxMisses = 1000
	// maxMissHold is the longest time for which an unknown key ID causes no fetch. It doubles from recheckInterval
	// with each fetch that does not find the ID, so that a client that repeats an old token does not cause a fetch
	// each time. The first repetition is not held: an issuer may use a key just before it publishes it.
	maxMissHold = 30 * time.Second
)

// rechecks is the state of the fetches that tokens cause, protected by the cache's mutex.
type rechecks struct {
	recheckedAt time.Time // start of the last fetch that a token caused
	waiting     int       // tokens that wait for a fetch
	misses      map[string]keyMiss
}

// keyMiss counts the fetches that did not find a key ID.
type keyMiss struct {
	count int
	fetch int       // the number of the last of these fetches
	until time.Time // no fetch before this time
}

// recheck returns keys that are done, or else those of a fetch that started after the call. id is the key ID whose
// absence is remembered, "" for none. It returns UNAVAILABLE when that fetch failed or too many tokens wait.
func (c *jwksCache) recheck(ctx context.Context, id string, done func(*keySet) bool) (*keySet, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now().Before(c.misses[id].until) || done(c.keys) {
		return c.keys, nil
	}
	if c.waiting >= maxRechecking {
		return nil, keysUnavailable(recheckInterval)
	}
	c.waiting++
	defer func() { c.waiting-- }()
	for awaited := c.started + 1; !done(c.keys); {
		if c.started > awaited || c.started == awaited && c.fetching == nil {
			break // that fetch has ended
		}
		if c.ctx.Err() != nil {
			return c.keys, nil
		}
		delay, err := c.startRecheckLocked()
		if err != nil {
			return nil, err
		}
		fetching := c.fetching
		c.mu.Unlock()
		err = waitOr(ctx, fetching, delay)
		c.mu.Lock()
		if err != nil {
			return nil, err
		}
	}
	if !done(c.keys) {
		if c.lastFetchFailed {
			return nil, keysUnavailable(recheckRetryDelay)
		}
		c.missLocked(id)
	}
	return c.keys, nil
}

// startRecheckLocked starts a fetch if none is running and enough time has passed since the last. Otherwise it
// returns the time until then, or UNAVAILABLE after a failure. The caller holds mu.
func (c *jwksCache) startRecheckLocked() (time.Duration, error) {
	if c.fetching != nil {
		return 0, nil
	}
	now := c.now()
	if pause := recheckRetryDelay - now.Sub(c.attemptedAt); c.lastFetchFailed && pause > 0 {
		return 0, keysUnavailable(pause)
	}
	if pause := recheckInterval - now.Sub(c.recheckedAt); pause > 0 {
		return pause, nil
	}
	c.recheckedAt = now
	c.startFetchLocked()
	return 0, nil
}

// missLocked remembers that a fetch did not find a key ID. The caller holds mu.
func (c *jwksCache) missLocked(id string) {
	last := c.misses[id]
	if id == "" || last.fetch == c.started {
		return
	}
	if c.misses == nil || len(c.misses) >= maxMisses {
		c.misses = map[string]keyMiss{} // a flood of made-up IDs, for which recheckInterval is the bound
	}
	miss := keyMiss{count: last.count + 1, fetch: c.started}
	if miss.count > 1 {
		hold := min(recheckInterval<<min(miss.count-1, 10), maxMissHold)
		miss.until = c.now().Add(hold)
	}
	c.misses[id] = miss
}

// waitOr blocks until fetching is closed; if it is nil, for the delay. It returns an error when ctx ends before.
func waitOr(ctx context.Context, fetching <-chan struct{}, delay time.Duration) error {
	if fetching != nil {
		return waitFor(ctx, fetching)
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
