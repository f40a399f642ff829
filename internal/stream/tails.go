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
	// asked is when the other replicas were last asked for a reply's text.
	asked     map[string]time.Time
	nextSweep time.Time
	now       func() time.Time
}

// tail is the text so far of one attempt at a reply.
type tail struct {
	topic    string
	position int
	attempt  int
	body     strings.Builder
	units    int
	mine     bool // written by this replica
	lost     bool // begun before we heard of it, or with a gap: only its attempt is known
	touched  time.Time
}

const (
	// forgetAfter is how long a text is kept without news of it. The writer says
	// Changed at its end, so this only clears up after lost events and lost leases.
	forgetAfter = 30 * time.Minute
	// sweepEvery is how often that is looked for.
	sweepEvery = time.Minute
	// askAgain bounds how often the other replicas are asked for one reply's text.
	askAgain = 250 * time.Millisecond
)

func newTails() *tails {
	return &tails{all: map[string]*tail{}, asked: map[string]time.Time{}, now: time.Now}
}

// follow keeps up with an event. Text is followed only when it is known from its
// start: an attempt begins with a delta at offset 0.
func (ts *tails) follow(e Event, mine bool) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	switch e.Kind {
	case Changed:
		ts.drop(e.ID) // the reply that has finished
	case Delta:
		ts.extend(e, mine)
		ts.sweep()
	}
}

func (ts *tails) extend(e Event, mine bool) {
	t := ts.all[e.ID]
	switch {
	case t != nil && e.Attempt < t.attempt:
		return // an older attempt that has not noticed yet
	case t == nil || e.Attempt > t.attempt || t.lost || e.Offset > t.units:
		t = &tail{topic: e.Topic, position: e.Position, attempt: e.Attempt, mine: mine, lost: e.Offset > 0}
		ts.all[e.ID] = t
	}
	t.touched = ts.now()
	if t.lost {
		return
	}
	delete(ts.asked, e.ID)
	if rest, ok := From(e.Text, t.units-e.Offset); ok {
		t.body.WriteString(rest)
		t.units += Units(rest)
	}
}

func (ts *tails) drop(id string) {
	delete(ts.all, id)
	delete(ts.asked, id)
}

// sweep drops what nobody ended.
func (ts *tails) sweep() {
	now := ts.now()
	if now.Before(ts.nextSweep) {
		return
	}
	ts.nextSweep = now.Add(sweepEvery)
	for id, t := range ts.all {
		if now.Sub(t.touched) > forgetAfter {
			ts.drop(id)
		}
	}
	for id, at := range ts.asked {
		if now.Sub(at) > askAgain {
			delete(ts.asked, id)
		}
	}
}

// dropOthers forgets what other replicas write: some of it may have been lost on
// the way. Whoever needs it asks for it again.
func (ts *tails) dropOthers() {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for id, t := range ts.all {
		if !t.mine {
			ts.drop(id)
		}
	}
	clear(ts.asked)
}

// mayAsk reports whether it is time to ask for a reply's text, and notes that it is done.
func (ts *tails) mayAsk(id string) bool {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	now := ts.now()
	if at, ok := ts.asked[id]; ok && now.Sub(at) < askAgain {
		return false
	}
	ts.asked[id] = now
	ts.sweep()
	return true
}

// answer is all the text of a reply that this replica writes, as one event.
func (ts *tails) answer(id string) (Event, bool) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	t, ok := ts.all[id]
	if !ok || !t.mine || t.lost {
		return Event{}, false
	}
	return Event{
		Kind:     Delta,
		Topic:    t.topic,
		ID:       id,
		Position: t.position,
		Attempt:  t.attempt,
		Text:     t.body.String(),
	}, true
}

// Tail is the text so far of a reply that is being written, and its attempt.
func (h *Hub) Tail(messageID string) (text string, attempt int, ok bool) {
	h.tails.mu.Lock()
	defer h.tails.mu.Unlock()
	t, ok := h.tails.all[messageID]
	if !ok || t.lost {
		return "", 0, false
	}
	return t.body.String(), t.attempt, true
}

// Forget drops the text of a reply that is being written no more.
func (h *Hub) Forget(messageID string) {
	h.tails.mu.Lock()
	defer h.tails.mu.Unlock()
	h.tails.drop(messageID)
}
