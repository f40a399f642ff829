package relay

import (
	"encoding/json"
	"sync"
	"unicode/utf8"

	"errand/internal/stream"
)

const (
	// maxText is the most bytes of text in one event that travels. JSON makes six of a byte at
	// worst, so any event fits into minPayload.
	maxText    = 1000
	minPayload = 7500
	// envelope is room for all of a batch but its events.
	envelope = 200
	// maxWaiting is how many events may wait to be sent.
	maxWaiting = 8192
)

// outbox holds what waits to be sent.
type outbox struct {
	stats *stats
	wake  chan struct{} // holds one signal after each change

	mu      sync.Mutex
	waiting []stream.Event
	size    int  // about the bytes of waiting
	urgent  bool // something in it must not wait
	lost    bool // something was dropped, and the others do not know yet
	closed  bool
}

func newOutbox(s *stats) *outbox { return &outbox{stats: s, wake: make(chan struct{}, 1)} }

func (o *outbox) add(e stream.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return
	}
	for len(e.Text) > maxText {
		var first stream.Event
		first, e = split(e)
		o.push(first)
	}
	o.push(e)
	o.urgent = o.urgent || e.Kind == stream.Work || e.Kind == stream.Cancel
	o.signal()
}

// push drops everything when there is too much: late news are worth less than a
// reread of the rows.
func (o *outbox) push(e stream.Event) {
	if len(o.waiting) >= maxWaiting {
		o.stats.dropped.Add(uint64(len(o.waiting)))
		o.waiting, o.size, o.lost = nil, 0, true
	}
	o.waiting = append(o.waiting, e)
	o.size += sizeOf(e)
}

// sizeOf is about what an event takes in a batch.
func sizeOf(e stream.Event) int { return len(e.Topic) + len(e.ID) + len(e.Text) + 64 }

// split parts a delta between characters.
func split(e stream.Event) (first, rest stream.Event) {
	at := maxText
	for at > maxText-utf8.UTFMax && !utf8.RuneStart(e.Text[at]) {
		at--
	}
	first, rest = e, e
	first.Text, rest.Text = e.Text[:at], e.Text[at:]
	rest.Offset += stream.Units(first.Text)
	return first, rest
}

// take removes as much as fits into limit bytes, encoded.
func (o *outbox) take(limit int) (events []json.RawMessage, lost bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	limit -= envelope
	n := 0 // taken
	for ; n < len(o.waiting); n++ {
		raw, err := json.Marshal(o.waiting[n])
		if err != nil {
			continue // cannot be: an event is strings and numbers
		}
		if limit -= len(raw) + 1; limit < 0 {
			break
		}
		events = append(events, raw)
		o.size -= sizeOf(o.waiting[n])
	}
	o.waiting = o.waiting[n:]
	if len(o.waiting) == 0 {
		o.waiting, o.size, o.urgent = nil, 0, false
	}
	lost, o.lost = o.lost, false
	return events, lost
}

// state reports whether something waits, and whether it should go at once.
func (o *outbox) state(limit int) (waits, due bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.waiting) > 0 || o.lost, o.urgent || o.size >= limit
}

// close refuses further events.
func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
}

func (o *outbox) signal() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}
