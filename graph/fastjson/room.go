package fastjson

import (
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
)

// Room is how many bytes an answer may still take. A page of rows is bounded, but each of
// its texts may be asked for again and again under other names. Nil is room without end.
type Room struct {
	most int64
	left atomic.Int64
	// off leaves everything to gqlgen: a test compares the two ways.
	off bool
}

const roomKey = "errand.room"

// NewRoom is room for an answer of at most so many bytes.
func NewRoom(most int) *Room {
	r := &Room{most: int64(most)}
	r.Reset()
	return r
}

// Bound makes r the room of an operation that has not begun.
func (r *Room) Bound(op *graphql.OperationContext) { op.Stats.SetExtension(roomKey, r) }

// Reset begins a new answer.
func (r *Room) Reset() { r.left.Store(r.most) }

// Take uses up n bytes; false when there were fewer.
func (r *Room) Take(n int) bool { return r == nil || r.left.Add(-int64(n)) >= 0 }

// Full says that more was taken than there was: the answer must not go out.
func (r *Room) Full() bool { return r != nil && r.left.Load() < 0 }

// fits says that n bytes could be taken.
func (r *Room) fits(n int) bool { return r == nil || int64(n) <= r.left.Load() }

func roomOf(op *graphql.OperationContext) *Room {
	r, _ := op.Stats.GetExtension(roomKey).(*Room)
	return r
}
