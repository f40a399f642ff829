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
	// retryAfter is the pause after a failed fetch while there are keys, and
	// firstRetryAfter while there are none.
	retryAfter      = 30 * time.Second
	firstRetryAfter = time.Second
	// unknownCooldown is the pause between fetches that a token with an unknown key
	// causes: a flood of made-up ids costs the issuer one request each time.
	unknownCooldown = 30 * time.Second
)

// keySet is the cache of an issuer's published keys. Only one fetch runs at a time,
// and never on a request's own context: a client that leaves cannot spoil it.
type keySet struct {
	fetch func(context.Context) (*keyRing, error)
	now   func() time.Time
	log   *slog.Logger

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	tasks  sync.WaitGroup

	mu        sync.Mutex
	ring      *keyRing // nil until the first success; then the last good one
	loadedAt  time.Time
	triedAt   time.Time // the start of the last fetch
	unknownAt time.Time // the start of the last fetch that an unknown key caused
	failing   bool
	fetching  chan struct{} // closed when the fetch under way ends; nil when none is
}

func newKeySet(fetch func(context.Context) (*keyRing, error), now func() time.Time, log *slog.Logger) *keySet {
	ctx, cancel := context.WithCancel(context.Background())
	return &keySet{fetch: fetch, now: now, log: log, ctx: ctx, cancel: cancel}
}

// Close ends a fetch under way and waits for it.
func (s *keySet) Close() {
	s.mu.Lock()
	s.cancel()
	s.mu.Unlock()
	s.tasks.Wait()
}

// prefetch begins the first fetch, so that the first request need not wait for it.
func (s *keySet) prefetch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.startLocked()
}

// key implements keyFor.
func (s *keySet) key(ctx context.Context, algorithm, id string) (any, error) {
	ring, err := s.current(ctx)
	if err != nil {
		return nil, err
	}
	if key, ok := ring.find(algorithm, id); ok {
		return key, nil
	}
	if id == "" {
		return nil, UnknownKey
	}
	if ring.knows(id) {
		return nil, BadAlgorithm
	}
	return s.afterRefetch(ctx, algorithm, id)
}

// afterRefetch looks for a key that may just have been published.
func (s *keySet) afterRefetch(ctx context.Context, algorithm, id string) (crypto.PublicKey, error) {
	s.mu.Lock()
	if s.fetching == nil && s.now().Sub(s.unknownAt) >= unknownCooldown {
		s.unknownAt = s.now()
		s.startLocked()
	}
	pending := s.fetching
	s.mu.Unlock()

	if err := wait(ctx, pending); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if key, ok := s.ring.find(algorithm, id); ok {
		return key, nil
	}
	return nil, UnknownKey
}

// current returns the keys to use now, fetching them when it is time.
func (s *keySet) current(ctx context.Context) (*keyRing, error) {
	s.mu.Lock()
	age := s.now().Sub(s.loadedAt)
	s.startIfDueLocked(age)
	pending := s.fetching
	if s.ring != nil && (age < staleAfter || s.failing) {
		pending = nil
	}
	s.mu.Unlock()

	if err := wait(ctx, pending); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ring == nil {
		unavailable := apperr.New(apperr.Unavailable, "Sign-in cannot be checked at the moment. Try again shortly.")
		unavailable.RetryAfter = firstRetryAfter
		return nil, unavailable
	}
	return s.ring, nil
}

func (s *keySet) startIfDueLocked(age time.Duration) {
	pause := retryAfter
	if s.ring == nil {
		pause = firstRetryAfter
	} else if age < refreshAfter {
		return
	}
	if s.fetching == nil && s.now().Sub(s.triedAt) >= pause {
		s.startLocked()
	}
}

// startLocked begins a fetch. The lock is held; after Close nothing begins.
func (s *keySet) startLocked() {
	if s.ctx.Err() != nil {
		return
	}
	s.triedAt = s.now()
	done := make(chan struct{})
	s.fetching = done
	s.tasks.Go(func() {
		ring, err := s.fetch(s.ctx)
		s.finish(ring, err)
		close(done)
	})
}

// finish takes the fetched keys, or keeps the last good ones.
func (s *keySet) finish(ring *keyRing, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fetching = nil
	s.failing = err != nil
	if err == nil {
		s.ring, s.loadedAt = ring, s.now()
		s.log.Debug("signing keys fetched", "keys", len(ring.keys))
		return
	}
	if s.ctx.Err() == nil {
		s.log.Warn("signing keys could not be fetched", "error", err, "kept_keys", s.ring != nil)
	}
}

// wait blocks until the channel closes; a nil channel means there is nothing to wait for.
func wait(ctx context.Context, done <-chan struct{}) error {
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
