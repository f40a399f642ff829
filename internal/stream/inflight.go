package stream

import (
	"strings"
	"sync"
	"time"
)

const (
	// inFlightTTL is how long a text is kept after its last event. Texts are normally dropped when their reply
	// finishes; the TTL matters after lost events and lost leases.
	inFlightTTL = 30 * time.Minute
	// sweepInterval is the interval of the search for expired texts.
	sweepInterval = time.Minute
	// snapshotRequestInterval is the minimum interval between two requests for the snapshot of one reply.
	snapshotRequestInterval = 250 * time.Millisecond
)

// inFlightBuffer holds the text of the replies that are being written, so that a subscriber that joins between two
// checkpoints of the row receives all of it at once.
type inFlightBuffer struct {
	mu      sync.Mutex
	replies map[string]*inFlightReply
	// requestedAt is the time of the last snapshot request of a reply.
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
	units      int  // length of text in UTF-16 code units
	local      bool // written by this replica
	incomplete bool // the start or a part is missing: only the attempt is known
	updatedAt  time.Time
}

func newInFlightBuffer() *inFlightBuffer {
	return &inFlightBuffer{
		replies:     map[string]*inFlightReply{},
		requestedAt: map[string]time.Time{},
		now:         time.Now,
	}
}

// record updates the buffer by an event of this replica (local) or another one.
func (b *inFlightBuffer) record(e Event, local bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e.Kind {
	case RowsChanged:
		b.remove(e.ID) // the reply that has finished, if any
	case TextAppended:
		b.appendText(e, local)
		b.sweep()
	}
}

// appendText adds the new part of the event's text. The text of an attempt is held only if it is known from its start:
// an attempt begins with an event at offset 0.
func (b *inFlightBuffer) appendText(e Event, local bool) {
	r := b.replies[e.ID]
	switch {
	case r != nil && e.Attempt < r.attempt:
		return // a writer that has lost its lease and has not noticed yet
	case r == nil || e.Attempt > r.attempt || r.incomplete || e.Offset > r.units:
		r = &inFlightReply{
			topic:      e.Topic,
			position:   e.Position,
			attempt:    e.Attempt,
			local:      local,
			incomplete: e.Offset > 0,
		}
		b.replies[e.ID] = r
	}
	r.updatedAt = b.now()
	if r.incomplete {
		return
	}
	delete(b.requestedAt, e.ID)
	if text, ok := UTF16Suffix(e.Text, r.units-e.Offset); ok {
		r.text.WriteString(text)
		r.units += UTF16Len(text)
	}
}

// get returns the text of a reply and its attempt; ok is false if the text is incomplete or unknown.
func (b *inFlightBuffer) get(id string) (text string, attempt int, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, ok := b.replies[id]
	if !ok || r.incomplete {
		return "", 0, false
	}
	return r.text.String(), r.attempt, true
}

// snapshot returns all text of a reply as one event; ok is false unless this replica writes the reply.
func (b *inFlightBuffer) snapshot(id string) (e Event, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, ok := b.replies[id]
	if !ok || !r.local || r.incomplete {
		return Event{}, false
	}
	return Event{
		Kind:     TextAppended,
		Topic:    r.topic,
		ID:       id,
		Position: r.position,
		Attempt:  r.attempt,
		Text:     r.text.String(),
	}, true
}

// mayRequest reports whether a snapshot of a reply may be requested now, and if so records the request.
func (b *inFlightBuffer) mayRequest(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	if at, ok := b.requestedAt[id]; ok && now.Sub(at) < snapshotRequestInterval {
		return false
	}
	b.requestedAt[id] = now
	b.sweep()
	return true
}

// drop removes the text of a reply.
func (b *inFlightBuffer) drop(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.remove(id)
}

// dropRemote removes the texts of other replicas, of which parts may have been lost. They are requested again when
// they are needed.
func (b *inFlightBuffer) dropRemote() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, r := range b.replies {
		if !r.local {
			b.remove(id)
		}
	}
	clear(b.requestedAt)
}

// remove requires the lock.
func (b *inFlightBuffer) remove(id string) {
	delete(b.replies, id)
	delete(b.requestedAt, id)
}

// sweep removes expired texts and requests, at most once in sweepInterval. It requires the lock.
func (b *inFlightBuffer) sweep() {
	now := b.now()
	if now.Before(b.nextSweep) {
		return
	}
	b.nextSweep = now.Add(sweepInterval)
	for id, r := range b.replies {
		if now.Sub(r.updatedAt) > inFlightTTL {
			b.remove(id)
		}
	}
	for id, at := range b.requestedAt {
		if now.Sub(at) > snapshotRequestInterval {
			delete(b.requestedAt, id)
		}
	}
}
