package stream

import (
	"sync"
	"sync/atomic"
)

// Bus carries events to the other replicas. Publish must not block, and must keep
// the order in which one replica publishes. A bus that may have lost events calls Hub.Resync.
type Bus interface {
	Publish(Event)
}

// Hub hands events to this replica's subscribers and to the bus.
type Hub struct {
	mu     sync.RWMutex
	topics map[string][]*Subscription
	closed bool

	// publishMu keeps the text that is at hand and what went out on the bus in step: an answer to
	// Want must not overtake a delta that it already holds, nor the other way about.
	publishMu sync.Mutex
	inFlight  *inFlightBuffer
	bus       Bus
	// onRunQueued and onCancel serve the run engine.
	onRunQueued    func()
	onRunCancelled func(runID string)
	// onAccountDeleted ends the connections of a deleted account.
	onAccountDeleted func(userID string)
	// deltas counts pieces of text handed to subscribers, each piece once a subscriber.
	deltas atomic.Uint64
}

// Deltas is how many pieces of text were handed to this replica's subscribers.
func (h *Hub) Deltas() uint64 { return h.deltas.Load() }

// NewHub makes a hub that serves this process alone until Connect.
func NewHub() *Hub {
	return &Hub{topics: map[string][]*Subscription{}, inFlight: newInFlightBuffer()}
}

// Connect makes the hub publish on a bus, nil for none. Call it before anything is published.
func (h *Hub) Connect(bus Bus) {
	h.publishMu.Lock()
	defer h.publishMu.Unlock()
	h.bus = bus
}

// OnRunQueued and OnCancel set who is told of work and cancellations by other replicas.
// Call them before the bus delivers anything.
func (h *Hub) OnRunQueued(fn func()) { h.onRunQueued = fn }

// OnRunCancelled is told the run that shall stop.
func (h *Hub) OnRunCancelled(fn func(runID string)) { h.onRunCancelled = fn }

// OnAccountDeleted is told whose account was deleted, on this replica or another.
func (h *Hub) OnAccountDeleted(fn func(userID string)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.onAccountDeleted = fn
}

// Publish hands an event of this replica to the subscribers here and on the
// other replicas. It never blocks.
func (h *Hub) Publish(e Event) {
	h.publishToBus(e)
	h.deliver(e)
}

func (h *Hub) publishToBus(e Event) {
	h.publishMu.Lock()
	defer h.publishMu.Unlock()
	h.inFlight.record(e, true)
	if h.bus != nil {
		h.bus.Publish(e)
	}
}

// Receive takes an event of another replica.
func (h *Hub) Receive(e Event) {
	switch e.Kind {
	case RunQueued:
		if h.onRunQueued != nil {
			h.onRunQueued()
		}
	case RunCancelled:
		if h.onRunCancelled != nil {
			h.onRunCancelled(e.ID)
		}
	case SnapshotRequest:
		h.publishSnapshot(e.ID)
	default:
		h.inFlight.record(e, false)
		h.deliver(e)
	}
}

// publishSnapshot publishes the whole text of a reply that is being written here.
func (h *Hub) publishSnapshot(messageID string) {
	h.publishMu.Lock()
	defer h.publishMu.Unlock()
	if e, ok := h.inFlight.snapshot(messageID); ok && h.bus != nil {
		h.bus.Publish(e)
	}
}

// RequestSnapshot asks the other replicas for the text of a reply so far, at most every 250 ms.
func (h *Hub) RequestSnapshot(topic, messageID string) {
	h.publishMu.Lock()
	defer h.publishMu.Unlock()
	if h.bus != nil && h.inFlight.mayRequest(messageID) {
		h.bus.Publish(Event{Kind: SnapshotRequest, Topic: topic, ID: messageID})
	}
}

// Resync tells every subscriber to read its rows: the bus may have lost events.
func (h *Hub) Resync() {
	h.inFlight.dropRemote()
	h.mu.RLock()
	defer h.mu.RUnlock()
	for _, subs := range h.topics {
		for _, s := range subs {
			s.markBehind()
		}
	}
}

func (h *Hub) deliver(e Event) {
	h.mu.RLock()
	subscribers := h.topics[e.Topic]
	for _, s := range subscribers {
		s.enqueue(&e)
	}
	if e.Kind == TextAppended {
		h.deltas.Add(uint64(len(subscribers)))
	}
	gone := h.onAccountDeleted
	h.mu.RUnlock()
	if e.Kind == AccountDeleted && gone != nil {
		gone(e.Topic)
	}
}

// Subscribe begins to collect a topic's events, from now until Close. Subscribe
// first, then read the rows, then apply the events.
func (h *Hub) Subscribe(topic string) *Subscription {
	s := &Subscription{hub: h, topic: topic, ready: make(chan struct{}, 1)}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		s.end()
		return s
	}
	h.topics[topic] = append(h.topics[topic], s)
	return s
}

func (h *Hub) unsubscribe(s *Subscription) {
	h.mu.Lock()
	defer h.mu.Unlock()
	subs := h.topics[s.topic]
	for i, other := range subs {
		if other == s {
			last := len(subs) - 1
			subs[i], subs[last] = subs[last], nil
			h.topics[s.topic] = subs[:last]
			break
		}
	}
	if len(h.topics[s.topic]) == 0 {
		delete(h.topics, s.topic)
	}
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
		for _, s := range subs {
			s.end()
		}
	}
	clear(h.topics)
}
