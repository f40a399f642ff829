package stream

import (
	"context"
	"sync"
	"time"

	"errand/internal/apperr"
	"errand/internal/viewer"
)

const (
	// sharedReadTTL is how long rows are kept for other subscribers. It only bounds memory: whether rows may be used
	// depends on when they were read.
	sharedReadTTL = time.Second
	// maxSharedReads is the maximum number of reads that are kept on a replica.
	maxSharedReads = 256
)

// sharedReads keeps rows that one subscriber has read for other subscribers of the same user and scopes that need the
// same rows, so that a change costs one read instead of one for each subscriber. Simultaneous reads are not merged: the
// subscribers of a user execute one at a time.
//
// A subscriber may use rows if their read began after every event that makes it read, and after it subscribed. The
// hub's clock orders these: it advances before an event is queued, and when a subscription begins.
type sharedReads struct {
	mu    sync.Mutex
	reads map[readKey]*sharedRead
}

// readKey identifies rows. The viewer is part of it because the read runs as that user, with these scopes.
type readKey struct {
	userID             string
	scopes             viewer.Scopes
	topic              string
	position, revision int
}

type sharedRead struct {
	// started is the time of the hub's clock at which the read began.
	started uint64
	rows    any
	err     error
}

// sharedReadOf returns the result of another subscriber's read if that had the same viewer, topic, position and
// revision, and began at the time needed or later. Otherwise it calls read. The rows must not be modified.
func sharedReadOf[T any](
	ctx context.Context, h *Hub, topic string, position, revision int, needed uint64, read func() (T, error),
) (T, error) {
	v, ok := viewer.FromContext(ctx)
	if !ok {
		return read()
	}
	key := readKey{userID: v.UserID, scopes: v.Scopes, topic: topic, position: position, revision: revision}
	if found := h.reads.find(key, needed); found != nil {
		if rows, ok := found.rows.(T); ok {
			return rows, found.err
		}
	}
	started := h.clock.Load()
	rows, err := read()
	if (err == nil || apperr.CodeOf(err) == apperr.NotFound) && h.hasOthers(topic) {
		h.reads.keep(key, &sharedRead{started: started, rows: rows, err: err})
	}
	return rows, err
}

func (s *sharedReads) find(key readKey, needed uint64) *sharedRead {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.reads[key]; r != nil && r.started >= needed {
		return r
	}
	return nil
}

// keep keeps a read for sharedReadTTL, or until a newer one takes its place.
func (s *sharedReads) keep(key readKey, r *sharedRead) {
	s.mu.Lock()
	defer s.mu.Unlock()
	previous := s.reads[key]
	if previous == nil && len(s.reads) >= maxSharedReads || previous != nil && previous.started > r.started {
		return
	}
	s.reads[key] = r
	time.AfterFunc(sharedReadTTL, func() { s.drop(key, r) })
}

func (s *sharedReads) drop(key readKey, r *sharedRead) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reads[key] == r {
		delete(s.reads, key)
	}
}
