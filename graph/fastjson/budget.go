package fastjson

import (
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
)

// Budget is how many bytes an answer may still take. A page of rows is bounded, but each of
// its texts may be asked for again and again under other names. Nil is room without end.
type Budget struct {
	limit     int64
	remaining atomic.Int64
	// disabled leaves everything to gqlgen: a test compares the two ways.
	disabled bool
}

const budgetKey = "errand.room"

// NewBudget is room for an answer of at most so many bytes.
func NewBudget(most int) *Budget {
	r := &Budget{limit: int64(most)}
	r.Reset()
	return r
}

// Attach makes r the room of an operation that has not begun.
func (r *Budget) Attach(op *graphql.OperationContext) { op.Stats.SetExtension(budgetKey, r) }

// Reset begins a new answer.
func (r *Budget) Reset() { r.remaining.Store(r.limit) }

// Take uses up n bytes; false when there were fewer.
func (r *Budget) Take(n int) bool { return r == nil || r.remaining.Add(-int64(n)) >= 0 }

// Exceeded says that more was taken than there was: the answer must not go out.
func (r *Budget) Exceeded() bool { return r != nil && r.remaining.Load() < 0 }

// fits says that n bytes could be taken.
func (r *Budget) fits(n int) bool { return r == nil || int64(n) <= r.remaining.Load() }

func budgetOf(op *graphql.OperationContext) *Budget {
	r, _ := op.Stats.GetExtension(budgetKey).(*Budget)
	return r
}
