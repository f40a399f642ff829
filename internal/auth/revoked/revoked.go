// Package revoked holds the set of revoked credentials: sign-in sessions and API tokens that ended before their tokens
// expire. Each replica has one Set. A revocation is in effect at once on the replica that made it, after the delay of
// the bus on the others, and after PollInterval at the latest everywhere, also if the bus lost the event or another
// process changed the database.
package revoked

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

const (
	// PollInterval is the time between two reads of the sources.
	PollInterval = 3 * time.Second
	// Window is how long a revoked credential stays in the set. No token of a credential may be accepted for longer
	// without reading the credential's row: access tokens of sessions expire after 10 minutes, and results of
	// verifications are cached for a minute at most.
	Window = 15 * time.Minute
	// pollTimeout limits one read of the sources.
	pollTimeout = 10 * time.Second
)

// Source returns the IDs of the credentials of one kind that were revoked during the last window, by the database's
// clock.
type Source func(ctx context.Context, window time.Duration) ([]string, error)

// Set is the set of revoked credentials. The zero value is not usable. It is safe for concurrent use.
type Set struct {
	publish func(id string)
	log     *slog.Logger

	mu      sync.Mutex
	sources []Source
	until   map[string]time.Time // when an ID leaves the set
	waiting map[string]map[*func()]struct{}
}

// New returns an empty set. publish sends an ID to the other replicas, which call Add; it must not block, and nil
// means that there are no others.
func New(publish func(id string), log *slog.Logger) *Set {
	return &Set{
		publish: publish,
		log:     log,
		until:   map[string]time.Time{},
		waiting: map[string]map[*func()]struct{}{},
	}
}

// AddSource adds a source for Poll and Run. Call it before them.
func (s *Set) AddSource(source Source) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sources = append(s.sources, source)
}

// Revoke adds credentials here and on the other replicas. Call it after the commit that revoked them.
func (s *Set) Revoke(ids ...string) {
	s.Add(ids...)
	if s.publish == nil {
		return
	}
	for _, id := range ids {
		s.publish(id)
	}
}

// Add adds credentials on this replica only. Functions of AfterRevoked that wait for them are started.
func (s *Set) Add(ids ...string) {
	until := time.Now().Add(Window)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		if id == "" {
			continue
		}
		s.until[id] = until
		for fn := range s.waiting[id] {
			go (*fn)()
		}
		delete(s.waiting, id)
	}
}

// Contains reports whether a credential was revoked during the last Window.
func (s *Set) Contains(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, revoked := s.until[id]
	return revoked
}

// AfterRevoked calls fn in its own goroutine when the credential is revoked, at once if it already is. stop ends the
// waiting; it does not wait for a call in progress. An empty ID is never revoked.
func (s *Set) AfterRevoked(id string, fn func()) (stop func()) {
	if id == "" {
		return func() {}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, revoked := s.until[id]; revoked {
		go fn()
		return func() {}
	}
	if s.waiting[id] == nil {
		s.waiting[id] = map[*func()]struct{}{}
	}
	s.waiting[id][&fn] = struct{}{}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.waiting[id], &fn)
		if len(s.waiting[id]) == 0 {
			delete(s.waiting, id)
		}
	}
}

// Poll reads the sources once, and drops the credentials whose Window has passed.
func (s *Set) Poll(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	s.mu.Lock()
	sources := s.sources
	s.mu.Unlock()
	for _, source := range sources {
		ids, err := source(ctx, Window)
		if err != nil {
			return fmt.Errorf("reading revoked credentials: %w", err)
		}
		s.Add(ids...)
	}
	s.dropExpired(time.Now())
	return nil
}

func (s *Set) dropExpired(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, until := range s.until {
		if now.After(until) {
			delete(s.until, id)
		}
	}
}

// Run polls until ctx ends. A failure is logged once until the next success; the bus works meanwhile.
func (s *Set) Run(ctx context.Context) {
	ticker := time.NewTicker(PollInterval)
	defer ticker.Stop()
	failed := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		err := s.Poll(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil && !failed {
			s.log.WarnContext(ctx, "revoked credentials could not be read", "error", err)
		}
		failed = err != nil
	}
}
