package stream

import (
	"context"
	"sync"
)

// maxQueued is how many events a subscriber may be behind before it is told to
// read the rows instead. Writers never wait for readers.
const maxQueued = 64

// Subscription collects one subscriber's events.
type Subscription struct {
	hub   *Hub
	topic string
	ready chan struct{} // holds one signal when there is something to take

	mu     sync.Mutex
	notify func() // told instead of wake, once set
	events []*Event
	behind bool
	ended  bool
}

// Batch is what has come since the last one.
type Batch struct {
	// Events are in the order of their coming. They are shared: do not change them.
	Events []*Event
	// Behind says that events were dropped: read the rows.
	Behind bool
	// Ended says that this replica is going away; nothing more comes.
	Ended bool
}

// Next waits for events. Its error is ctx's cause. After a batch that has Ended nothing more comes.
func (s *Subscription) Next(ctx context.Context) (Batch, error) {
	for {
		select {
		case <-ctx.Done():
			return Batch{}, context.Cause(ctx)
		case <-s.ready:
		}
		if b, ok := s.take(); ok {
			return b, nil
		}
	}
}

// take empties the subscription. A signal may be left of events that were taken with an earlier one.
func (s *Subscription) take() (b Batch, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b = Batch{Events: s.events, Behind: s.behind, Ended: s.ended}
	s.events, s.behind = nil, false
	return b, len(b.Events) > 0 || b.Behind || b.Ended
}

// Close stops collecting.
func (s *Subscription) Close() { s.hub.unsubscribe(s) }

func (s *Subscription) enqueue(e *Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.behind:
	case len(s.events) >= maxQueued:
		s.events, s.behind = nil, true
	default:
		s.events = append(s.events, e)
	}
	s.signal()
}

func (s *Subscription) markBehind() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events, s.behind = nil, true
	s.signal()
}

func (s *Subscription) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.signal()
}

// onReady has fn told from now on when there is something to take; at once when there is already.
func (s *Subscription) onReady(fn func(), already bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notify = fn
	if already || len(s.events) > 0 || s.behind || s.ended {
		fn()
	}
}

// signal is called with the lock held.
func (s *Subscription) signal() {
	if s.notify != nil {
		s.notify()
		return
	}
	select {
	case s.ready <- struct{}{}:
	default:
	}
}
