package stream

import (
	"sync"
	"sync/atomic"
)

// Bus sends events to the other replicas. Publish must not block and must keep the order of the events of one replica.
// A bus that may have lost events calls Hub.Resync.
type Bus interface {
	Publish(e Event)
}

// Hub delivers events to the subscriptions of this replica and to the bus. It is safe for concurrent use.
type Hub struct {
	mu     sync.RWMutex
	topics map[string]*topic
	closed bool

	// publishMu keeps the in-flight text and what was sent on the bus in step: a snapshot must not overtake text that it
	// contains, nor be overtaken by text that it lacks.
	publishMu sync.Mutex
	inFlight  *inFlightBuffer
	bus       Bus

	onRunQueued         func()
	onRunCancelled      func(runID string)
	onCredentialRevoked func(id string)
	onAccountDeleted    func(userID string)
	// deltas counts TextAppended events, once for each subscription that received it.
	deltas atomic.Uint64

	// clock orders events, subscriptions and reads; see sharedReads.
	clock atomic.Uint64
	reads sharedReads
}

// NewHub returns a hub that serves only this process until Connect.
func NewHub() *Hub {
	return &Hub{
		topics:   map[string]*topic{},
		inFlight: newInFlightBuffer(),
		reads:    sharedReads{reads: map[readKey]*sharedRead{}},
	}
}

// Connect makes the hub publish on a bus, nil for none. Call it before anything is published.
func (h *Hub) Connect(bus Bus) {
	h.publishMu.Lock()
	defer h.publishMu.Unlock()
	h.bus = bus
}

// OnRunQueued sets the function that is called when another replica publishes RunQueued. Call it before the bus
// delivers anything.
func (h *Hub) OnRunQueued(fn func()) { h.onRunQueued = fn }

// OnRunCancelled sets the function that is called when another replica publishes RunCancelled. Call it before the bus
// delivers anything.
func (h *Hub) OnRunCancelled(fn func(runID string)) { h.onRunCancelled = fn }

// OnCredentialRevoked sets the function that is called when another replica publishes CredentialRevoked. Call it before
// the bus delivers anything.
func (h *Hub) OnCredentialRevoked(fn func(id string)) { h.onCredentialRevoked = fn }

// OnAccountDeleted sets the function that is called when this or another replica publishes AccountDeleted.
func (h *Hub) OnAccountDeleted(fn func(userID string)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.onAccountDeleted = fn
}

// Publish delivers an event to the subscriptions of its topic on all replicas. It never blocks.
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

// PublishConversationChange announces a change to a user's conversations. With list, the list itself has changed: a
// conversation was added, deleted, renamed or archived.
func (h *Hub) PublishConversationChange(userID string, list bool) {
	h.Publish(Event{Kind: RowsChanged, Topic: ConversationChangesTopic(userID)})
	if list {
		h.Publish(Event{Kind: RowsChanged, Topic: ConversationListTopic(userID)})
	}
}

// Receive handles an event of another replica. The bus calls it in the order of each sending replica.
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
	case CredentialRevoked:
		if h.onCredentialRevoked != nil {
			h.onCredentialRevoked(e.ID)
		}
	case SnapshotRequest:
		h.publishSnapshot(e.ID)
	case TextAppended, RowsChanged, AccountDeleted:
		h.inFlight.record(e, false)
		h.deliver(e)
	default:
		// A newer version published a kind that this one does not know. Reading the rows of its topic is always safe.
		h.deliver(Event{Kind: RowsChanged, Topic: e.Topic})
	}
}

// RequestSnapshot requests the in-flight text of a reply from the other replicas, at most once in
// snapshotRequestInterval. The snapshot arrives as a TextAppended event.
func (h *Hub) RequestSnapshot(topic, messageID string) {
	h.publishMu.Lock()
	defer h.publishMu.Unlock()
	if h.bus != nil && h.inFlight.mayRequest(messageID) {
		h.bus.Publish(Event{Kind: SnapshotRequest, Topic: topic, ID: messageID})
	}
}

// publishSnapshot sends the text of a reply to the other replicas, if this replica writes it.
func (h *Hub) publishSnapshot(messageID string) {
	h.publishMu.Lock()
	defer h.publishMu.Unlock()
	if e, ok := h.inFlight.snapshot(messageID); ok && h.bus != nil {
		h.bus.Publish(e)
	}
}

// InFlightText returns the text so far of a reply that is being written, and its attempt. ok is false if this replica
// does not have the text from its start.
func (h *Hub) InFlightText(messageID string) (text string, attempt int, ok bool) {
	return h.inFlight.get(messageID)
}

// DropInFlight drops the in-flight text of a reply that has finished.
func (h *Hub) DropInFlight(messageID string) { h.inFlight.drop(messageID) }

// Resync makes every subscriber read its rows, because the bus may have lost events.
func (h *Hub) Resync() {
	h.inFlight.dropRemote()
	h.mu.RLock()
	defer h.mu.RUnlock()
	now := h.clock.Add(1)
	for _, t := range h.topics {
		for _, s := range t.subs {
			s.resync(now)
		}
	}
}

func (h *Hub) deliver(e Event) {
	h.mu.RLock()
	now := h.clock.Add(1)
	if t := h.topics[e.Topic]; t != nil {
		for _, s := range t.subs {
			s.enqueue(&e, now)
		}
		if e.Kind == TextAppended {
			h.deltas.Add(uint64(len(t.subs)))
		}
	}
	onAccountDeleted := h.onAccountDeleted
	h.mu.RUnlock()
	if e.Kind == AccountDeleted && onAccountDeleted != nil {
		onAccountDeleted(e.Topic)
	}
}

// AfterDelivery calls fn, once, when the subscriptions of this replica to a topic have passed on all events so far. If
// they have already, it returns false and does not call fn. A later call for the topic replaces fn. fn must not block.
func (h *Hub) AfterDelivery(topic string, fn func()) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	t := h.topics[topic]
	return t != nil && t.afterDelivery(fn)
}

// Subscribe returns a subscription to a topic that queues events from now on until Close. Subscribe first, then read
// the rows, then apply the events: no change can be missed in between.
func (h *Hub) Subscribe(name string) *Subscription {
	s := &Subscription{hub: h, ready: make(chan struct{}, 1)}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		s.topic = &topic{name: name}
		s.end()
		return s
	}
	if s.topic = h.topics[name]; s.topic == nil {
		s.topic = &topic{name: name}
		h.topics[name] = s.topic
	}
	s.topic.subs = append(s.topic.subs, s)
	s.needed = h.clock.Add(1)
	return s
}

// hasOthers reports whether a topic has more than one subscription.
func (h *Hub) hasOthers(name string) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	t := h.topics[name]
	return t != nil && len(t.subs) > 1
}

func (h *Hub) unsubscribe(s *Subscription) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := s.topic
	t.remove(s)
	if len(t.subs) == 0 && h.topics[t.name] == t {
		delete(h.topics, t.name)
	}
}

// Subscribers returns the number of open subscriptions.
func (h *Hub) Subscribers() int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	n := 0
	for _, t := range h.topics {
		n += len(t.subs)
	}
	return n
}

// Deltas returns the number of TextAppended events that were delivered on this replica, counted once for each
// subscription.
func (h *Hub) Deltas() uint64 { return h.deltas.Load() }

// Close ends all subscriptions, when this replica shuts down. Clients resume on another replica.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for _, t := range h.topics {
		for _, s := range t.subs {
			s.end()
		}
	}
	clear(h.topics)
}
