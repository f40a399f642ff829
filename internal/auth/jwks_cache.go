package auth

import (
	"context"
	"crypto"
	"log/slog"
	"sync"
	"time"

	"errand/internal/apperr"
)

// How the published keys are kept fresh.
const (
	// refreshAfter is the age at which keys are fetched anew, behind the back of requests.
	refreshAfter = 5 * time.Minute
	// staleAfter is the age at which a request waits for the fetch: an idle server
	// must not accept a key that was withdrawn long ago. While the endpoint is known
	// to be down nobody waits, and the last good keys serve.
	staleAfter = time.Hour
	// fetchRetryDelay is the pause after a failed fetch while there are keys, and
	// firstRetryAfter while there are none.
	fetchRetryDelay      = 30 * time.Second
	firstFetchRetryDelay = time.Second
	// unknownKeyCooldown is the pause between fetches that a token with an unknown key
	// causes: a flood of made-up ids costs the issuer one request each time.
	unknownKeyCooldown = 30 * time.Second
)

// jwksCache is the cache of an issuer's published keys. Only one fetch runs at a time,
// and never on a request's own context: a client that leaves cannot spoil it.
type jwksCache struct {
	fetch func(context.Context) (*keySet, error)
	now   func() time.Time
	log   *slog.Logger

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	fetches  sync.WaitGroup

	mu        sync.Mutex
	keys      *keySet // nil until the first success; then the last good one
	fetchedAt  time.Time
	attemptedAt   time.Time // the start of the last fetch
	unknownKeyFetchAt time.Time // the start of the last fetch that an unknown key caused
	lastFetchFailed   bool
	fetching  chan struct{} // closed when the fetch under way ends; nil when none is
}

func newJWKSCache(fetch func(context.Context) (*keySet, error), now func() time.Time, log *slog.Logger) *jwksCache {
	ctx, cancel := context.WithCancel(context.Background())
	return &jwksCache{fetch: fetch, now: now, log: log, ctx: ctx, cancel: cancel}
}

// Close ends a fetch under way and waits for it.
func (s *jwksCache) Close() {
	s.mu.Lock()
	s.cancel()
	s.mu.Unlock()
	s.fetches.Wait()
}

// prefetch begins the first fetch, so that the first request need not wait for it.
func (s *jwksCache) prefetch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.startFetchLocked()
}

// key implements keyFor.
func (s *jwksCache) key(ctx context.Context, algorithm, id string) (any, error) {
	ring, err := s.get(ctx)
	if err != nil {
		return nil, err
	}
	if key, ok := ring.lookup(algorithm, id); ok {
		return key, nil
	}
	if id == "" {
		return nil, ReasonUnknownKey
	}
	if ring.hasID(id) {
		return nil, ReasonBadAlgorithm
	}
	return s.refetchKey(ctx, algorithm, id)
}

// refetchKey looks for a key that may just have been published.
func (s *jwksCache) refetchKey(ctx context.Context, algorithm, id string) (crypto.PublicKey, error) {
	s.mu.Lock()
	if s.fetching == nil && s.now().Sub(s.unknownKeyFetchAt) >= unknownKeyCooldown {
		s.unknownKeyFetchAt = s.now()
		s.startFetchLocked()
	}
	pending := s.fetching
	s.mu.Unlock()

	if err := waitFor(ctx, pending); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if key, ok := s.keys.lookup(algorithm, id); ok {
		return key, nil
	}
	return nil, ReasonUnknownKey
}

// get returns the keys to use now, fetching them when it is time.
func (s *jwksCache) get(ctx context.Context) (*keySet, error) {
	s.mu.Lock()
	age := s.now().Sub(s.fetchedAt)
	s.startFetchIfDueLocked(age)
	pending := s.fetching
	if s.keys != nil && (age < staleAfter || s.lastFetchFailed) {
		pending = nil
	}
	s.mu.Unlock()

	if err := waitFor(ctx, pending); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys == nil {
		unavailable := apperr.New(apperr.Unavailable, "Sign-in cannot be checked at the moment. Try again shortly.")
		unavailable.RetryAfter = firstFetchRetryDelay
		return nil, unavailable
	}
	return s.keys, nil
}

func (s *jwksCache) startFetchIfDueLocked(age time.Duration) {
	pause := fetchRetryDelay
	if s.keys == nil {
		pause = firstFetchRetryDelay
	} else if age < refreshAfter {
		return
	}
	if s.fetching == nil && s.now().Sub(s.attemptedAt) >= pause {
		s.startFetchLocked()
	}
}

// startFetchLocked begins a fetch. The lock is held; after Close nothing begins.
func (s *jwksCache) startFetchLocked() {
	if s.ctx.Err() != nil {
		return
	}
	s.attemptedAt = s.now()
	done := make(chan struct{})
	s.fetching = done
	s.fetches.Go(func() {
		ring, err := s.fetch(s.ctx)
		s.finishFetch(ring, err)
		close(done)
	})
}

// finishFetch takes the fetched keys, or keeps the last good ones.
func (s *jwksCache) finishFetch(ring *keySet, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fetching = nil
	s.lastFetchFailed = err != nil
	if err == nil {
		s.keys, s.fetchedAt = ring, s.now()
		s.log.Debug("signing keys fetched", "keys", len(ring.keys))
		return
	}
	if s.ctx.Err() == nil {
		s.log.Warn("signing keys could not be fetched", "error", err, "kept_keys", s.keys != nil)
	}
}

// waitFor blocks until the channel closes; a nil channel means there is nothing to wait for.
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
