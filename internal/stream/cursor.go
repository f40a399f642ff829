package stream

import (
	"encoding/base64"
	"encoding/binary"
	"hash/fnv"
	"maps"
	"slices"

	"errand/internal/apperr"
)

// cursorVersion is the first byte of a cursor.
const cursorVersion = 1

// maxLive bounds the unfinished replies that a cursor may name.
const maxLive = 64

// encode gives the view's opaque form: a client that has received all events up to
// here is in exactly this state, so the cursor needs no log of events behind it.
func (v *view) encode() string {
	b := make([]byte, 0, 48)
	b = append(b, cursorVersion)
	b = binary.BigEndian.AppendUint32(b, topicHash(v.conversation))
	b = binary.AppendUvarint(b, uint64(v.last))
	for _, position := range slices.Sorted(maps.Keys(v.live)) {
		t := v.live[position]
		for _, n := range [...]int{position, t.attempt, t.offset, t.started, t.finished} {
			b = binary.AppendUvarint(b, uint64(n))
		}
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// decodeView reads a cursor of the given conversation. Whatever a forged one says,
// its bearer is only told less or more of that bearer's own conversation.
func decodeView(conversation, cursor string) (*view, error) {
	bad := apperr.Invalid("after", "Not a cursor of this conversation's stream: give back one that was received, unchanged.")
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(b) < 6 || b[0] != cursorVersion || binary.BigEndian.Uint32(b[1:5]) != topicHash(conversation) {
		return nil, bad
	}
	var numbers []int
	for b = b[5:]; len(b) > 0; {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > 1<<31 {
			return nil, bad
		}
		numbers, b = append(numbers, int(n)), b[size:]
	}
	if len(numbers)%5 != 1 || len(numbers) > 1+5*maxLive {
		return nil, bad
	}
	v := newView(conversation)
	v.last = numbers[0]
	for n := numbers[1:]; len(n) > 0; n = n[5:] {
		if n[0] < 1 || n[0] > v.last {
			return nil, bad
		}
		v.live[n[0]] = &told{attempt: n[1], offset: n[2], started: n[3], finished: n[4]}
	}
	return v, nil
}

// topicHash makes a cursor useless in another conversation; it need not be secret.
func topicHash(conversation string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(conversation))
	return h.Sum32()
}
