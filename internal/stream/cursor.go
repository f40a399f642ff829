package stream

import (
	"encoding/base64"
	"encoding/binary"
	"hash/fnv"

	"errand/internal/apperr"
)

// cursorVersion is the first byte of a cursor.
const cursorVersion = 1

// Bounds of a cursor that is given back: the unfinished replies that it may name
// (a person's limit of them is at most 1000), the open tool calls of one, and any number in it.
const (
	maxUnfinished = 1024
	maxOpenCalls  = 1024
	maxNumber     = 1<<31 - 1
)

// cursor gives the view's opaque form: a client that has received all events up to
// here is in exactly this state, so the cursor needs no log of events behind it.
func (v *subscriberState) cursor() string {
	b := make([]byte, 0, 48)
	b = append(b, cursorVersion)
	b = binary.BigEndian.AppendUint32(b, topicHash(v.conversationID))
	b = binary.AppendUvarint(b, uint64(v.lastPosition))
	for _, t := range v.unfinished {
		for _, n := range [...]int{t.position, t.attempt, t.offset, t.started, len(t.open)} {
			b = binary.AppendUvarint(b, uint64(n))
		}
		for _, place := range t.open {
			b = binary.AppendUvarint(b, uint64(place))
		}
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// decodeCursor reads a cursor of the given conversation. Whatever a forged one says,
// its bearer is only told less or more of that bearer's own conversation.
func decodeCursor(conversation, cursor string) (*subscriberState, error) {
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(b) < 6 || b[0] != cursorVersion || binary.BigEndian.Uint32(b[1:5]) != topicHash(conversation) {
		return nil, badCursor()
	}
	r := &cursorReader{b: b[5:]}
	v := newSubscriberState(conversation)
	v.lastPosition = r.number(0, maxNumber)
	for after := 0; len(r.b) > 0 && !r.bad; {
		t := r.reply(after, v.lastPosition)
		after = t.position
		v.unfinished = append(v.unfinished, t)
		r.bad = r.bad || len(v.unfinished) > maxUnfinished
	}
	if r.bad {
		return nil, badCursor()
	}
	return v, nil
}

func badCursor() error {
	return apperr.Invalid(
		"after",
		"Not a cursor of this conversation's stream: give back one that was received, unchanged.",
	)
}

// cursorReader reads a cursor's numbers; bad says that one was missing or out of bounds.
type cursorReader struct {
	b   []byte
	bad bool
}

func (r *cursorReader) number(lowest, highest int) int {
	n, size := binary.Uvarint(r.b)
	if size <= 0 || n > maxNumber || int(n) < lowest || int(n) > highest {
		r.b, r.bad = nil, true
		return 0
	}
	r.b = r.b[size:]
	return int(n)
}

// reply reads a reply that comes after a position, up to the last one announced.
func (r *cursorReader) reply(after, last int) *replyState {
	t := &replyState{
		position: r.number(after+1, last),
		attempt:  r.number(0, maxNumber),
		offset:   r.number(0, maxNumber),
		started:  r.number(0, maxNumber),
	}
	for n, place := r.number(0, min(t.started, maxOpenCalls)), -1; n > 0 && !r.bad; n-- {
		place = r.number(place+1, t.started-1)
		t.open = append(t.open, place)
	}
	return t
}

// topicHash makes a cursor useless in another conversation; it need not be secret.
func topicHash(conversation string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(conversation))
	return h.Sum32()
}
