package stream

import (
	"strings"
	"sync"
	"time"
)

// tails keeps the text of replies that are being written, so that a subscriber who
// joins between two checkpoints of the row gets all of it at once.
type tails struct {
	mu  sync.Mutex
	all map[string]*tail
}

// tail is the text so far of one attempt at a reply.
type tail struct {
	topic    string
	position int
	attempt  int
	body     strings.Builder
	units    int
	mine     bool // written by this replica
	touched  time.Time
}

// forgetAfter is how long another replica's text is kept without news of it. The
// writer says Changed at its end, so this only clears up after lost events.
const forgetAfter = 5 * time.Minute

func newTails() *tails { return &tails{all: map[string]*tail{}} }

func (t *tail) text() string { return t.body.String() }

// apply follows a reply's text. Text of another replica is followed only when it
// is known from its start: an attempt begins with a delta at offset 0.
func (ts *tails) apply(e Event, mine bool) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if e.Kind != Delta {
		delete(ts.all, e.ID) // Changed names the reply that has finished
		return
	}
	t := ts.all[e.ID]
	switch {
	case t != nil && e.Attempt < t.attempt:
		return // an older attempt that has not noticed yet
	case t == nil || e.Attempt > t.attempt || e.Offset > t.units:
		if e.Offset != 0 {
			delete(ts.all, e.ID)
			return
		}
		t = &tail{topic: e.Topic, position: e.Position, attempt: e.Attempt, mine: mine}
		ts.all[e.ID] = t
	}
	if rest, ok := From(e.Text, t.units-e.Offset); ok {
		t.body.WriteString(rest)
		t.units += Units(rest)
	}
	t.touched = time.Now()
	ts.sweep()
}

// sweep drops what other replicas never ended.
func (ts *tails) sweep() {
	if len(ts.all) < 1024 {
		return
	}
	for id, t := range ts.all {
		if !t.mine && time.Since(t.touched) > forgetAfter {
			delete(ts.all, id)
		}
	}
}

// own is the text of a reply that this replica writes.
func (ts *tails) own(id string) (*tail, bool) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	t, ok := ts.all[id]
	if !ok || !t.mine {
		return nil, false
	}
	snapshot := &tail{topic: t.topic, position: t.position, attempt: t.attempt}
	snapshot.body.WriteString(t.body.String())
	return snapshot, true
}

// Tail is the text so far of a reply that is being written, and its attempt.
func (h *Hub) Tail(messageID string) (text string, attempt int, ok bool) {
	h.tails.mu.Lock()
	defer h.tails.mu.Unlock()
	t, ok := h.tails.all[messageID]
	if !ok {
		return "", 0, false
	}
	return t.body.String(), t.attempt, true
}

// Forget drops the text of a reply that is being written no more.
func (h *Hub) Forget(messageID string) {
	h.tails.mu.Lock()
	defer h.tails.mu.Unlock()
	delete(h.tails.all, messageID)
}
