package stream

import (
	"slices"
	"sync"
)

// topic holds the subscriptions to one topic, and how many of them are passing events on.
type topic struct {
	name string
	subs []*Subscription // guarded by the hub's mu

	mu sync.Mutex
	// delivering is the number of subscriptions with events that they have not passed on yet.
	delivering int
	// waiting is called when delivering becomes zero. Only one writer has text of a conversation to publish.
	waiting func()
}

// remove removes a subscription; the caller holds the hub's mu.
func (t *topic) remove(s *Subscription) {
	if i := slices.Index(t.subs, s); i >= 0 {
		last := len(t.subs) - 1
		t.subs[i], t.subs[last] = t.subs[last], nil
		t.subs = t.subs[:last]
	}
}

// begin counts a subscription that has received events.
func (t *topic) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.delivering++
}

// end takes back begin. The caller must hold no lock.
func (t *topic) end() {
	t.mu.Lock()
	var waiting func()
	if t.delivering--; t.delivering == 0 {
		waiting, t.waiting = t.waiting, nil
	}
	t.mu.Unlock()
	if waiting != nil {
		waiting()
	}
}

// afterDelivery is documented at Hub.AfterDelivery.
func (t *topic) afterDelivery(fn func()) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.delivering == 0 {
		return false
	}
	t.waiting = fn
	return true
}
