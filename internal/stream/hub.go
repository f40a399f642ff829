package stream

import (
	"context"
	"sync"
)

// backlog is how many events a subscriber may be behind before it is told to
// read the rows instead. Writers never wait for readers.
const backlog = 64

// Bus carries events to the other replicas. Publish must not block.
type Bus interface {
	Publish(Event)
}

// Hub hands events to this replica's subscribers and to the bus.
type Hub struct {
	mu     sync.RWMutex
	topics map[string]map[*Subscription]struct{}
	tails  *tails
	bus    Bus
	// onWork and onCancel serve the run engine.
	onWork   func()
	onCancel func(runID string)
	closed   bool
}

// NewHub makes a hub that serves this process alone until Connect.
func NewHub() *Hub {
	return &Hub{topics: map[string]map[*Subscription]struct{}{}, tails: newTails()}
}

// Connect makes the hub publish on a bus. Call it before anything is published.
func (h *Hub) Connect(bus Bus) { h.bus = bus }

// OnWork and OnCancel set who is told of work and cancellations by other replicas.
// Call them before the bus delivers anything.
func (h *Hub) OnWork(fn func()) { h.onWork = fn }

// OnCancel is told the run that shall stop.
func (h *Hub) OnCancel(fn func(runID string)) { h.onCancel = fn }

// Publish hands an event of this replica to the subscribers here and on the
// other replicas. It never blocks.
func (h *Hub) Publish(e Event) {
	h.tails.apply(e, true)
	h.deliver(e)
	if h.bus != nil {
		h.bus.Publish(e)
	}
}

// Receive takes an event of another replica.
func (h *Hub) Receive(e Event) {
	switch e.Kind {
	case Work:
		if h.onWork != nil {
			h.onWork()
		}
	case Cancel:
		if h.onCancel != nil {
			h.onCancel(e.ID)
		}
	case Want:
		h.answer(e)
	default:
		h.tails.apply(e, false)
		h.deliver(e)
	}
}

// answer publishes the whole text of a reply that is being written here.
func (h *Hub) answer(e Event) {
	t, ok := h.tails.own(e.ID)
	if !ok || h.bus == nil {
		return
	}
	h.bus.Publish(Event{Kind: Delta, Topic: e.Topic, ID: e.ID, Position: t.position, Attempt: t.attempt, Text: t.text()})
}

// Ask asks the other replicas for the text of a reply so far.
func (h *Hub) Ask(topic, messageID string) {
	if h.bus != nil {
		h.bus.Publish(Event{Kind: Want, Topic: topic, ID: messageID})
	}
}

// Resync tells every subscriber to read its rows: the bus may have lost events.
func (h *Hub) Resync() {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for _, subs := range h.topics {
		for s := range subs {
			s.fallBehind()
		}
	}
}

func (h *Hub) deliver(e Event) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for s := range h.topics[e.Topic] {
		s.push(&e)
	}
}

// Subscribe begins to collect a topic's events, from now until Close. Subscribe
// first, then read the rows, then apply the events.
func (h *Hub) Subscribe(topic string) *Subscription {
	s := &Subscription{hub: h, topic: topic, wake: make(chan struct{}, 1)}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		s.ended = true
		s.signal()
		return s
	}
	subs := h.topics[topic]
	if subs == nil {
		subs = map[*Subscription]struct{}{}
		h.topics[topic] = subs
	}
	subs[s] = struct{}{}
	return s
}

// Subscribers is how many subscriptions are open.
func (h *Hub) Subscribers() int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	n := 0
	for _, subs := range h.topics {
		n += len(subs)
	}
	return n
}

// Close ends all subscriptions: this replica goes away, their clients come back elsewhere.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for _, subs := range h.topics {
		for s := range subs {
			s.end()
		}
	}
	clear(h.topics)
}

// Subscription collects one subscriber's events.
type Subscription struct {
	hub   *Hub
	topic string
	wake  chan struct{}

	mu     sync.Mutex
	events []*Event
	behind bool
	ended  bool
}

// Batch is what has come since the last one.
type Batch struct {
	// Events are in the order of their coming.
	Events []*Event
	// Behind says that events were dropped: read the rows.
	Behind bool
	// Ended says that this replica is going away; nothing more comes.
	Ended bool
}

// Next waits for events.
func (s *Subscription) Next(ctx context.Context) (Batch, error) {
	select {
	case <-ctx.Done():
		return Batch{}, context.Cause(ctx)
	case <-s.wake:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b := Batch{Events: s.events, Behind: s.behind, Ended: s.ended}
	s.events, s.behind = nil, false
	return b, nil
}

// Close stops collecting.
func (s *Subscription) Close() {
	h := s.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	subs := h.topics[s.topic]
	delete(subs, s)
	if len(subs) == 0 {
		delete(h.topics, s.topic)
	}
}

func (s *Subscription) push(e *Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.behind:
	case len(s.events) >= backlog:
		s.events, s.behind = nil, true
	default:
		s.events = append(s.events, e)
	}
	s.signal()
}

func (s *Subscription) fallBehind() {
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

func (s *Subscription) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
