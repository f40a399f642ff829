package stream

import (
	"strings"
	"sync"
	"time"
)

// inFlightBuffer keeps the text of replies that are being written, so that a subscriber who
// joins between two checkpoints of the row gets all of it at once.
type inFlightBuffer struct {
	mu      sync.Mutex
	replies map[string]*inFlightReply
	// requestedAt is when the other replicas were last asked for a reply's text.
	requestedAt map[string]time.Time
	nextSweep   time.Time
	now         func() time.Time
}

// inFlightReply is the text so far of one attempt at a reply.
type inFlightReply struct {
	topic      string
	position   int
	attempt    int
	text       strings.Builder
	units      int
	local      bool // written by this replica
	incomplete bool // begun before we heard of it, or with a gap: only its attempt is known
	updatedAt  time.Time
}

const (
	// inFlightTTL is how long a text is kept without news of it. The writer says
	// Changed at its end, so this only clears up after lost events and lost leases.
	inFlightTTL = 30 * time.Minute
	// sweepInterval is how often that is looked for.
	sweepInterval = time.Minute
	// snapshotRequestInterval bounds how often the other replicas are asked for one reply's text.
	snapshotRequestInterval = 250 * time.Millisecond
)

func newInFlightBuffer() *inFlightBuffer {
	return &inFlightBuffer{replies: map[string]*inFlightReply{}, requestedAt: map[string]time.Time{}, now: time.Now}
}

// record keeps up with an event. Text is followed only when it is known from its
// start: an attempt begins with a delta at offset 0.
func (ts *inFlightBuffer) record(e Event, mine bool) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	switch e.Kind {
	case RowsChanged:
		ts.drop(e.ID) // the reply that has finished
	case TextAppended:
		ts.appendText(e, mine)
		ts.sweep()
	}
}

func (ts *inFlightBuffer) appendText(e Event, mine bool) {
	t := ts.replies[e.ID]
	switch {
	case t != nil && e.Attempt < t.attempt:
		return // an older attempt that has not noticed yet
	case t == nil || e.Attempt > t.attempt || t.incomplete || e.Offset > t.units:
		t = &inFlightReply{topic: e.Topic, position: e.Position, attempt: e.Attempt, local: mine, incomplete: e.Offset > 0}
		ts.replies[e.ID] = t
	}
	t.updatedAt = ts.now()
	if t.incomplete {
		return
	}
	delete(ts.requestedAt, e.ID)
	if rest, ok := UTF16Suffix(e.Text, t.units-e.Offset); ok {
		t.text.WriteString(rest)
		t.units += UTF16Len(rest)
	}
}

func (ts *inFlightBuffer) drop(id string) {
	delete(ts.replies, id)
	delete(ts.requestedAt, id)
}

// sweep drops what nobody ended.
func (ts *inFlightBuffer) sweep() {
	now := ts.now()
	if now.Before(ts.nextSweep) {
		return
	}
	ts.nextSweep = now.Add(sweepInterval)
	for id, t := range ts.replies {
		if now.Sub(t.updatedAt) > inFlightTTL {
			ts.drop(id)
		}
	}
	for id, at := range ts.requestedAt {
		if now.Sub(at) > snapshotRequestInterval {
			delete(ts.requestedAt, id)
		}
	}
}

// dropRemote forgets what other replicas write: some of it may have been lost on
// the way. Whoever needs it asks for it again.
func (ts *inFlightBuffer) dropRemote() {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for id, t := range ts.replies {
		if !t.local {
			ts.drop(id)
		}
	}
	clear(ts.requestedAt)
}

// mayRequest reports whether it is time to ask for a reply's text, and notes that it is done.
func (ts *inFlightBuffer) mayRequest(id string) bool {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	now := ts.now()
	if at, ok := ts.requestedAt[id]; ok && now.Sub(at) < snapshotRequestInterval {
		return false
	}
	ts.requestedAt[id] = now
	ts.sweep()
	return true
}

// snapshot is all the text of a reply that this replica writes, as one event.
func (ts *inFlightBuffer) snapshot(id string) (Event, bool) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	t, ok := ts.replies[id]
	if !ok || !t.local || t.incomplete {
		return Event{}, false
	}
	return Event{
		Kind:     TextAppended,
		Topic:    t.topic,
		ID:       id,
		Position: t.position,
		Attempt:  t.attempt,
		Text:     t.text.String(),
	}, true
}

// InFlightText is the text so far of a reply that is being written, and its attempt.
func (h *Hub) InFlightText(messageID string) (text string, attempt int, ok bool) {
	h.inFlight.mu.Lock()
	defer h.inFlight.mu.Unlock()
	t, ok := h.inFlight.replies[messageID]
	if !ok || t.incomplete {
		return "", 0, false
	}
	return t.text.String(), t.attempt, true
}

// DropInFlight drops the text of a reply that is being written no more.
func (h *Hub) DropInFlight(messageID string) {
	h.inFlight.mu.Lock()
	defer h.inFlight.mu.Unlock()
	h.inFlight.drop(messageID)
}
