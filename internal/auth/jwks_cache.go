package auth

import (
	"context"
	"crypto"
	"log/slog"
	"sync"
	"time"

	"errand/internal/apperr"
)

// Ages of the loaded keys and pauses between fetches.
const (
	// refreshAfter is the age at which keys are fetched again in the background.
	refreshAfter = 5 * time.Minute
	// staleAfter is the age at which a request waits for the fetch, so that an idle server does not accept a
	// key that was withdrawn long ago. No request waits longer than staleWait, nor while the last fetch failed;
	// the last loaded keys are used.
	staleAfter = time.Hour
	staleWait  = time.Second
	// fetchRetryDelay is the pause after a failed fetch when keys are loaded, firstFetchRetryDelay when
	// none are.
	fetchRetryDelay      = 30 * time.Second
	firstFetchRetryDelay = time.Second
)

// jwksCache caches the published keys of an issuer. At most one fetch runs at a time. A fetch has its own
// context, so that a client that disconnects does not cancel it for the others. Safe for concurrent use.
type jwksCache struct {
	fetch  func(context.Context) (*keySet, error)
	now    func() time.Time
	log    *slog.Logger
	leeway time.Duration // AUTH_LEEWAY

	ctx     context.Context // canceled by Close
	cancel  context.CancelFunc
	fetches sync.WaitGroup

	mu              sync.Mutex
	keys            *keySet // the last keys that were loaded; nil before
	fetchedAt       time.Time
	attemptedAt     time.Time // start of the last fetch
	lastFetchFailed bool
	fetching        chan struct{} // closed at the end of the running fetch; nil when none is running
	// started counts the fetches. recheck uses it to find out whether one started after it was called.
	started int
	rechecks
	skipLog    skippedKeyLog
	failureLog failureLog
	clockWrong bool // the last fetch found the clock to differ too much
}

func newJWKSCache(fetch func(context.Context) (*keySet, error), now func() time.Time, log *slog.Logger) *jwksCache {
	ctx, cancel := context.WithCancel(context.Background())
	return &jwksCache{fetch: fetch, now: now, log: log, ctx: ctx, cancel: cancel, skipLog: skippedKeyLog{log: log}}
}

// Close cancels a running fetch and waits for its end.
func (c *jwksCache) Close() {
	c.mu.Lock()
	c.cancel()
	c.mu.Unlock()
	c.fetches.Wait()
}

// prefetch starts the first fetch, so that the first request need not wait for it.
func (c *jwksCache) prefetch() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.startFetchLocked()
}

// find implements keySource.
func (c *jwksCache) find(ctx context.Context, algorithm, id string) (candidates, error) {
	keys, err := c.get(ctx)
	if err != nil {
		return candidates{}, err
	}
	if found := keys.candidates(algorithm, id); len(found) > 0 {
		return candidates{found, &keys.verified}, nil
	}
	keys, err = c.recheck(ctx, id, func(s *keySet) bool { return len(s.candidates(algorithm, id)) > 0 })
	if err != nil {
		return candidates{}, err
	}
	if found := keys.candidates(algorithm, id); len(found) > 0 {
		return candidates{found, &keys.verified}, nil
	}
	if id != "" && keys.hasID(id) {
		return candidates{}, ReasonBadAlgorithm
	}
	if keys.hasSkipped(id) {
		return candidates{}, ReasonUnusableKey
	}
	return candidates{}, ReasonUnknownKey
}

// findOther implements keySource: an issuer may have replaced the key under the same ID.
func (c *jwksCache) findOther(ctx context.Context, algorithm, id string, than []crypto.PublicKey) candidates {
	changed := func(s *keySet) bool { return !equalKeys(s.candidates(algorithm, id), than) }
	keys, err := c.recheck(ctx, "", changed)
	if err != nil || !changed(keys) {
		return candidates{}
	}
	return candidates{keys.candidates(algorithm, id), &keys.verified}
}

// get returns the keys to use now and starts a fetch when one is due. It returns UNAVAILABLE when none
// could be loaded so far.
func (c *jwksCache) get(ctx context.Context) (*keySet, error) {
	c.mu.Lock()
	age := c.now().Sub(c.fetchedAt)
	c.startFetchIfDueLocked(age)
	if c.keys != nil && (age < staleAfter || c.lastFetchFailed) {
		defer c.mu.Unlock()
		return c.keys, nil // also while a fetch is running, so that its duration does not decide which keys are used
	}
	fetching := c.fetching
	haveKeys := c.keys != nil
	c.mu.Unlock()

	if err := waitForFetch(ctx, fetching, haveKeys); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.keys == nil {
		return nil, keysUnavailable(firstFetchRetryDelay)
	}
	return c.keys, nil
}

// waitForFetch waits until a fetch has ended, at most for staleWait if there are keys.
func waitForFetch(ctx context.Context, fetching <-chan struct{}, haveKeys bool) error {
	if !haveKeys || fetching == nil {
		return waitFor(ctx, fetching)
	}
	short, cancel := context.WithTimeout(ctx, staleWait)
	defer cancel()
	_ = waitFor(short, fetching)
	return ctx.Err()
}

// keysUnavailable returns the error for a token that cannot be verified at present and may be valid.
func keysUnavailable(retryAfter time.Duration) error {
	err := apperr.Wrap(ReasonKeysUnavailable, apperr.Unavailable,
		"Sign-in cannot be checked at the moment. Try again shortly.")
	err.RetryAfter = retryAfter
	return err
}

func (c *jwksCache) startFetchIfDueLocked(age time.Duration) {
	delay := fetchRetryDelay
	if c.keys == nil {
		delay = firstFetchRetryDelay
	} else if age < refreshAfter {
		return
	}
	if c.fetching == nil && c.now().Sub(c.attemptedAt) >= delay {
		c.startFetchLocked()
	}
}

// startFetchLocked starts a fetch, unless the cache is closed or one is running. The caller holds mu.
func (c *jwksCache) startFetchLocked() {
	if c.ctx.Err() != nil || c.fetching != nil {
		return
	}
	c.attemptedAt = c.now()
	c.started++
	done := make(chan struct{})
	c.fetching = done
	c.fetches.Go(func() {
		keys, err := c.fetch(c.ctx)
		c.finishFetch(keys, err)
		close(done)
	})
}

// finishFetch stores the fetched keys, or keeps the loaded ones after an error.
func (c *jwksCache) finishFetch(keys *keySet, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fetching = nil
	c.lastFetchFailed = err != nil
	if keys != nil {
		c.skipLog.report(keys.skipped)
	}
	if err == nil {
		level := slog.LevelDebug
		if c.keys == nil {
			level = slog.LevelInfo
		}
		c.reportClock(keys.clock)
		c.keys, c.fetchedAt = keys, c.now()
		c.log.Log(c.ctx, level, "signing keys fetched", "keys", len(keys.keys))
		return
	}
	if c.ctx.Err() != nil || !c.failureLog.due(err, c.now()) {
		return
	}
	if c.keys == nil {
		c.log.Error("signing keys could not be fetched: no token can be verified until they are. "+
			`"errand doctor" checks AUTH_JWKS_URL`, "error", err, "kept_keys", false)
		return
	}
	c.log.Warn("signing keys could not be fetched", "error", err, "kept_keys", true)
}

// reportClock logs when the clock begins to differ from the issuer's by more than the leeway. The caller holds mu.
func (c *jwksCache) reportClock(d clockDifference) {
	wrong := d.exceeds(c.leeway)
	if wrong && !c.clockWrong {
		c.log.Warn("this machine's clock differs from the identity provider's by more than AUTH_LEEWAY: "+
			"fresh tokens may be refused as expired or not valid yet", "ahead", d.ahead.Round(time.Second).String())
	}
	c.clockWrong = wrong
}

// waitFor blocks until done is closed or ctx ends. It returns at once when done is nil.
func waitFor(ctx context.Context, done <-chan struct{}) error {
	if done == nil {
		return nil
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
