package exec

import (
	"bytes"
	"context"
	"crypto/sha256"
	"sync"
	"time"
)

// dedupKey identifies subscriptions of the same user with the same scopes, document and variables: equal events look
// the same to them. The zero key is never shared.
type dedupKey [sha256.Size]byte

func newDedupKey(parts ...string) dedupKey {
	hash := sha256.New()
	for _, part := range parts {
		sum := sha256.Sum256([]byte(part)) // each of the same length, so that different parts differ when joined
		hash.Write(sum[:])
	}
	return dedupKey(hash.Sum(nil))
}

// sharedExecutions executes and encodes an event once for all subscriptions with the same dedup key. An entry is kept
// only briefly, since nested fields may change while the event stays equal.
type sharedExecutions struct {
	mu          sync.Mutex
	subscribers map[dedupKey]int
	entries     map[sharedKey]*sharedExecution
	order       []sharedKey // oldest first
}

const (
	sharedExecutionTTL  = time.Second
	maxSharedExecutions = 256
)

type sharedKey struct {
	subscription dedupKey
	event        any
}

// sharedExecution is the encoded result of an event, or one in progress.
type sharedExecution struct {
	done    chan struct{}
	created time.Time
	encoded []byte // nil after an error: the error of one subscriber is not shared
}

func newSharedExecutions() *sharedExecutions {
	return &sharedExecutions{subscribers: map[dedupKey]int{}, entries: map[sharedKey]*sharedExecution{}}
}

// join counts a subscription.
func (s *sharedExecutions) join(key dedupKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.subscribers[key]++
}

// leave takes back join.
func (s *sharedExecutions) leave(key dedupKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.subscribers[key]--; s.subscribers[key] == 0 {
		delete(s.subscribers, key)
	}
}

// do returns the result of an event: that of another subscription with the same key if there is one, or is in
// progress, else that of execute. False when ctx ended while another subscription executed.
func (s *sharedExecutions) do(ctx context.Context, key dedupKey, event any, execute func() Result) (Result, bool) {
	own, other := s.acquire(sharedKey{subscription: key, event: event})
	if other != nil {
		select {
		case <-other.done:
		case <-ctx.Done():
			return Result{}, false
		}
		if other.encoded != nil {
			return Result{encoded: other.encoded}, true
		}
	}
	if own == nil {
		return execute(), true
	}
	defer close(own.done)
	r := execute()
	if r.Response != nil && r.Response.Data != nil && len(r.Response.Errors) == 0 {
		b := GetBuffer()
		defer PutBuffer(b)
		WriteResponse(b, r.Response)
		own.encoded = bytes.Clone(b.Bytes())
		r.encoded = own.encoded
	}
	return r, true
}

// acquire returns another subscription's entry for the event, or a new one to complete. Both are nil when the event
// has no other subscriber.
func (s *sharedExecutions) acquire(key sharedKey) (own, other *sharedExecution) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if key.event == nil || key.subscription == (dedupKey{}) || s.subscribers[key.subscription] < 2 {
		return nil, nil
	}
	now := time.Now()
	s.evict(now)
	if entry := s.entries[key]; entry != nil {
		return nil, entry
	}
	own = &sharedExecution{done: make(chan struct{}), created: now}
	s.entries[key] = own
	s.order = append(s.order, key)
	return own, nil
}

// evict drops entries that are too old or too many; the caller holds mu.
func (s *sharedExecutions) evict(now time.Time) {
	drop := 0
	for _, key := range s.order {
		if len(s.order)-drop <= maxSharedExecutions && now.Sub(s.entries[key].created) < sharedExecutionTTL {
			break
		}
		delete(s.entries, key)
		drop++
	}
	clear(s.order[:drop])
	s.order = s.order[drop:]
}
