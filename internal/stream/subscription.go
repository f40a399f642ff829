package stream

import (
	"context"
	"sync"
)

// maxQueued is the maximum number of queued events of a subscription. When it is exceeded, the queue is dropped and the
// subscriber reads the rows instead, so that writers never wait for readers.
const maxQueued = 64

// Subscription queues the events of one topic for one subscriber.
type Subscription struct {
	hub   *Hub
	topic *topic
	ready chan struct{} // holds a signal when there is something to take

	mu     sync.Mutex
	notify func() // called instead of a send to ready, once set
	events []*Event
	behind bool
	ended  bool
	closed bool
	// delivering reports that the topic counts this subscription: from the first event until take finds none.
	delivering bool
	// needed is the time of the hub's clock from which on rows must be read: that of the newest event that makes the
	// subscriber read, at first that of the subscription.
	needed uint64
}

// Batch holds what a subscription has received since the last batch.
type Batch struct {
	// Events are in order of arrival. They are shared with other subscriptions and must not be modified.
	Events []*Event
	// Behind reports that events were dropped, so that the rows must be read.
	Behind bool
	// Ended reports that this replica shuts down. It is the last batch.
	Ended bool
}

// Next waits for the next batch. When ctx ends it returns the context's cause.
func (s *Subscription) Next(ctx context.Context) (Batch, error) {
	for {
		if ctx.Err() != nil {
			return Batch{}, context.Cause(ctx)
		}
		if b, ok := s.take(); ok {
			return b, nil
		}
		select {
		case <-ctx.Done():
		case <-s.ready:
		}
	}
}

// take empties the queue. ok is false if nothing was queued, which also happens after a signal: the previous call may
// have taken the events already. Text that has queued up is merged into one event per reply.
func (s *Subscription) take() (b Batch, ok bool) {
	s.mu.Lock()
	b = Batch{Events: s.events, Behind: s.behind, Ended: s.ended}
	s.events, s.behind = nil, false
	ok = len(b.Events) > 0 || b.Behind || b.Ended
	delivered := !ok && s.delivering
	s.delivering = s.delivering && ok
	s.mu.Unlock()
	if delivered {
		s.topic.end()
	}
	b.Events = mergeText(b.Events)
	return b, ok
}

// maxMergedText is the maximum size in bytes of merged text.
const maxMergedText = 4096

// mergeText replaces adjacent events with text of one reply by one with their whole text. The slice is reused; the
// events are shared and not modified.
func mergeText(events []*Event) []*Event {
	merged := events[:0]
	for _, e := range events {
		if last := len(merged) - 1; last >= 0 {
			if both, ok := merged[last].Merge(*e, maxMergedText); ok {
				merged[last] = &both
				continue
			}
		}
		merged = append(merged, e)
	}
	clear(events[len(merged):])
	return merged
}

// Close ends the subscription.
func (s *Subscription) Close() {
	s.hub.unsubscribe(s)
	s.mu.Lock()
	delivering := s.delivering
	s.delivering, s.closed = false, true
	s.mu.Unlock()
	if delivering {
		s.topic.end()
	}
}

// enqueue queues an event that was delivered at a time of the hub's clock.
func (s *Subscription) enqueue(e *Event, now uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.behind:
	case len(s.events) >= maxQueued:
		s.events, s.behind = nil, true
	default:
		s.events = append(s.events, e)
	}
	if s.behind || e.Kind != TextAppended {
		s.needed = max(s.needed, now)
	}
	if !s.delivering && !s.closed {
		s.delivering = true
		s.topic.begin()
	}
	s.signal()
}

// resync makes the subscriber read rows that are not older than a time of the hub's clock.
func (s *Subscription) resync(now uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.needed = max(s.needed, now)
	s.markBehindLocked()
}

// markBehind drops the queue and makes the subscriber read the rows that follow.
func (s *Subscription) markBehind() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.markBehindLocked()
}

func (s *Subscription) markBehindLocked() {
	if len(s.events) > 0 {
		s.needed = max(s.needed, s.hub.clock.Load()) // for the events that are dropped
	}
	s.events, s.behind = nil, true
	s.signal()
}

// neededFrom returns the time of the hub's clock from which on the rows for the taken events must be read.
func (s *Subscription) neededFrom() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.needed
}

func (s *Subscription) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.signal()
}

// onReady sets the function that is called when there is something to take, and calls it at once if there is
// something already or pending is set.
func (s *Subscription) onReady(ready func(), pending bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notify = ready
	if pending || len(s.events) > 0 || s.behind || s.ended {
		ready()
	}
}

// signal requires the lock.
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
