package relay

import (
	"encoding/json"
	"sync"
	"unicode/utf8"

	"errand/internal/stream"
)

const (
	// maxTextBytes is the maximum size of the text of a sent event. JSON encodes a byte in at most six, so that any event
	// fits into minPayload.
	maxTextBytes = 1000
	minPayload   = 7500
	// batchOverhead is the maximum encoded size of a batch without its events.
	batchOverhead = 200
	// maxQueued is the maximum number of queued events.
	maxQueued = 8192
)

// sendQueue holds the events to send. It is safe for concurrent use.
type sendQueue struct {
	stats *stats
	wake  chan struct{} // holds a signal after a change

	mu     sync.Mutex
	events []stream.Event
	size   int  // approximate encoded size of events
	urgent bool // events must be sent without delay
	lost   bool // events were dropped and no batch has reported it yet
	closed bool
}

func newSendQueue(s *stats) *sendQueue { return &sendQueue{stats: s, wake: make(chan struct{}, 1)} }

func (q *sendQueue) enqueue(e stream.Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	for len(e.Text) > maxTextBytes {
		var first stream.Event
		first, e = splitText(e)
		q.push(first)
	}
	q.push(e)
	q.urgent = q.urgent || e.Kind == stream.RunQueued || e.Kind == stream.RunCancelled ||
		e.Kind == stream.CredentialRevoked
	q.signal()
}

// push adds an event, or the text of one to that of the last. If the queue is full all of it is dropped: reading the
// rows is better than late events.
func (q *sendQueue) push(e stream.Event) {
	if last := len(q.events) - 1; last >= 0 {
		if both, ok := q.events[last].Merge(e, maxTextBytes); ok {
			q.events[last] = both
			q.size += len(e.Text)
			return
		}
	}
	if len(q.events) >= maxQueued {
		q.stats.dropped.Add(uint64(len(q.events)))
		q.events, q.size, q.lost = nil, 0, true
	}
	q.events = append(q.events, e)
	q.size += approxSize(e)
}

// approxSize returns the approximate encoded size of an event.
func approxSize(e stream.Event) int { return len(e.Topic) + len(e.ID) + len(e.Text) + 64 }

// splitText splits off the first maxTextBytes of an event's text, between characters.
func splitText(e stream.Event) (first, rest stream.Event) {
	at := maxTextBytes
	for at > maxTextBytes-utf8.UTFMax && !utf8.RuneStart(e.Text[at]) {
		at--
	}
	first, rest = e, e
	first.Text, rest.Text = e.Text[:at], e.Text[at:]
	rest.Offset += stream.UTF16Len(first.Text)
	return first, rest
}

// take removes and encodes as many events as fit into limit bytes.
func (q *sendQueue) take(limit int) (events []json.RawMessage, lost bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	limit -= batchOverhead
	n := 0
	for ; n < len(q.events); n++ {
		raw, err := json.Marshal(q.events[n])
		if err != nil {
			continue // impossible: an event holds strings and numbers only
		}
		if limit -= len(raw) + 1; limit < 0 {
			break
		}
		events = append(events, raw)
		q.size -= approxSize(q.events[n])
	}
	q.events = q.events[n:]
	if len(q.events) == 0 {
		q.events, q.size, q.urgent = nil, 0, false
	}
	lost, q.lost = q.lost, false
	return events, lost
}

// status reports whether there is something to send, and whether it is due at once.
func (q *sendQueue) status(limit int) (waiting, due bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.events) > 0 || q.lost, q.urgent || q.size >= limit
}

// close makes the queue ignore further events.
func (q *sendQueue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
}

func (q *sendQueue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}
