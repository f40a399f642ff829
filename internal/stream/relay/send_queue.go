package relay

import (
	"encoding/json"
	"sync"
	"unicode/utf8"

	"errand/internal/stream"
)

const (
	// maxTextBytes is the most bytes of text in one event that travels. JSON makes six of a byte at
	// worst, so any event fits into minPayload.
	maxTextBytes = 1000
	minPayload   = 7500
	// batchOverhead is room for all of a batch but its events.
	batchOverhead = 200
	// maxQueued is how many events may wait to be sent.
	maxQueued = 8192
)

// sendQueue holds what waits to be sent.
type sendQueue struct {
	stats *stats
	wake  chan struct{} // holds one signal after each change

	mu     sync.Mutex
	events []stream.Event
	size   int  // about the bytes of waiting
	urgent bool // something in it must not wait
	lost   bool // something was dropped, and the others do not know yet
	closed bool
}

func newSendQueue(s *stats) *sendQueue { return &sendQueue{stats: s, wake: make(chan struct{}, 1)} }

func (o *sendQueue) enqueue(e stream.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return
	}
	for len(e.Text) > maxTextBytes {
		var first stream.Event
		first, e = splitText(e)
		o.push(first)
	}
	o.push(e)
	o.urgent = o.urgent || e.Kind == stream.RunQueued || e.Kind == stream.RunCancelled
	o.signal()
}

// push drops everything when there is too much: late news are worth less than a
// reread of the rows.
func (o *sendQueue) push(e stream.Event) {
	if len(o.events) >= maxQueued {
		o.stats.dropped.Add(uint64(len(o.events)))
		o.events, o.size, o.lost = nil, 0, true
	}
	o.events = append(o.events, e)
	o.size += approxSize(e)
}

// approxSize is about what an event takes in a batch.
func approxSize(e stream.Event) int { return len(e.Topic) + len(e.ID) + len(e.Text) + 64 }

// splitText parts a delta between characters.
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

// take removes as much as fits into limit bytes, encoded.
func (o *sendQueue) take(limit int) (events []json.RawMessage, lost bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	limit -= batchOverhead
	n := 0 // taken
	for ; n < len(o.events); n++ {
		raw, err := json.Marshal(o.events[n])
		if err != nil {
			continue // cannot be: an event is strings and numbers
		}
		if limit -= len(raw) + 1; limit < 0 {
			break
		}
		events = append(events, raw)
		o.size -= approxSize(o.events[n])
	}
	o.events = o.events[n:]
	if len(o.events) == 0 {
		o.events, o.size, o.urgent = nil, 0, false
	}
	lost, o.lost = o.lost, false
	return events, lost
}

// status reports whether something waits, and whether it should go at once.
func (o *sendQueue) status(limit int) (waits, due bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.events) > 0 || o.lost, o.urgent || o.size >= limit
}

// close refuses further events.
func (o *sendQueue) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
}

func (o *sendQueue) signal() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}
