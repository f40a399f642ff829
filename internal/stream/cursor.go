package stream

import (
	"encoding/base64"
	"encoding/binary"
	"hash/fnv"

	"errand/internal/apperr"
)

// The first byte of a cursor is its version. Clients keep cursors, so every version must accept those of earlier
// versions. It rejects those of later versions.
const (
	cursorVersion1 = 1 // revision 0
	cursorVersion2 = 2 // with a revision
)

// Bounds of a received cursor: the number of unfinished replies (a user has at most 1000), the number of open tool
// calls of one reply, and any number in it.
const (
	maxUnfinished = 1024
	maxOpenCalls  = 1024
	maxNumber     = 1<<31 - 1
)

// cursor returns the state in its encoded form. A client that has received all events up to a cursor is in exactly
// this state, so that resuming requires no log of events.
//
// The form is unpadded URL-safe base64 of: the version (one byte), a hash of the conversation's ID (four bytes), and
// unsigned varints: in version 2 the revision, lastPosition, then for each unfinished reply its position, attempt,
// offset, started, the number of open calls and their indexes. Without a revision it is a cursor of version 1, which
// replicas of earlier releases read.
func (s *subscriberState) cursor() string {
	b := make([]byte, 0, 48)
	version := byte(cursorVersion1)
	if s.revision > 0 {
		version = cursorVersion2
	}
	b = append(b, version)
	b = binary.BigEndian.AppendUint32(b, conversationHash(s.conversationID))
	if s.revision > 0 {
		b = binary.AppendUvarint(b, uint64(s.revision))
	}
	b = binary.AppendUvarint(b, uint64(s.lastPosition))
	for _, r := range s.unfinished {
		for _, n := range [...]int{r.position, r.attempt, r.offset, r.started, len(r.open)} {
			b = binary.AppendUvarint(b, uint64(n))
		}
		for _, index := range r.open {
			b = binary.AppendUvarint(b, uint64(index))
		}
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// decodeCursor decodes a cursor of a conversation. Cursors are not signed: a forged one changes only which events of
// their own conversation a subscriber receives.
func decodeCursor(conversationID, cursor string) (*subscriberState, error) {
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(b) < 6 || b[0] != cursorVersion1 && b[0] != cursorVersion2 ||
		binary.BigEndian.Uint32(b[1:5]) != conversationHash(conversationID) {
		return nil, errBadCursor()
	}
	d := &cursorReader{b: b[5:]}
	s := newSubscriberState(conversationID)
	s.revision = 0
	if b[0] == cursorVersion2 {
		s.revision = d.number(1, maxNumber)
	}
	s.lastPosition = d.number(0, maxNumber)
	for after := 0; len(d.b) > 0 && !d.bad; {
		r := d.reply(after, s.lastPosition)
		after = r.position
		s.unfinished = append(s.unfinished, r)
		d.bad = d.bad || len(s.unfinished) > maxUnfinished
	}
	if d.bad {
		return nil, errBadCursor()
	}
	return s, nil
}

func errBadCursor() error {
	return apperr.Invalid("after", "Not a cursor of this conversation's stream: use a received cursor unchanged.")
}

// cursorReader reads the numbers of a cursor. bad is set when one is missing or out of bounds.
type cursorReader struct {
	b   []byte
	bad bool
}

func (d *cursorReader) number(lowest, highest int) int {
	n, size := binary.Uvarint(d.b)
	if size <= 0 || n > maxNumber || int(n) < lowest || int(n) > highest {
		d.b, d.bad = nil, true
		return 0
	}
	d.b = d.b[size:]
	return int(n)
}

// reply reads a reply at a position above after and up to last.
func (d *cursorReader) reply(after, last int) *replyState {
	r := &replyState{
		position: d.number(after+1, last),
		attempt:  d.number(0, maxNumber),
		offset:   d.number(0, maxNumber),
		started:  d.number(0, maxNumber),
	}
	for n, index := d.number(0, min(r.started, maxOpenCalls)), -1; n > 0 && !d.bad; n-- {
		index = d.number(index+1, r.started-1)
		r.open = append(r.open, index)
	}
	return r
}

// conversationHash binds a cursor to its conversation, to detect mistakes. It need not be secret.
func conversationHash(conversationID string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(conversationID))
	return h.Sum32()
}
