package fastjson

import (
	"bytes"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
)

// Budget limits the size of a response, in bytes. Page sizes are limited too, but a query can select the same long
// text many times under different aliases.
//
// A budget belongs to one operation. Its methods are safe for concurrent use and, except for Attach and Reset, can be
// called on nil, which is an unlimited budget.
type Budget struct {
	limit     int64
	remaining atomic.Int64 // negative when exceeded
	buffered  atomic.Int64 // bytes taken before the last call of NewBuffer
	// disabled makes Marshal leave everything to gqlgen. A test compares the two.
	disabled bool
}

const budgetKey = "errand.response_budget"

// NewBudget returns a budget of the given number of bytes.
func NewBudget(limit int) *Budget {
	b := &Budget{limit: int64(limit)}
	b.Reset()
	return b
}

// Attach sets the budget of an operation. It must be called before the operation is executed.
func (b *Budget) Attach(op *graphql.OperationContext) { op.Stats.SetExtension(budgetKey, b) }

// Reset starts a new response, such as the next event of a subscription.
func (b *Budget) Reset() {
	b.remaining.Store(b.limit)
	b.buffered.Store(0)
}

// Take uses n bytes. It returns false if fewer were left, which exceeds the budget.
func (b *Budget) Take(n int) bool { return b == nil || b.remaining.Add(-int64(n)) >= 0 }

// Exceeded reports whether more was taken than the limit. The response must then not be sent.
func (b *Budget) Exceeded() bool { return b != nil && b.remaining.Load() < 0 }

// fits reports whether n bytes are left.
func (b *Budget) fits(n int) bool { return b == nil || int64(n) <= b.remaining.Load() }

// budgetOf returns the budget of an operation, or nil if it has none.
func budgetOf(op *graphql.OperationContext) *Budget {
	b, _ := op.Stats.GetExtension(budgetKey).(*Budget)
	return b
}

// NewBuffer returns an empty buffer for the data of a response. Its capacity is what was taken from the operation's
// budget since the previous call, and some more for what is not counted: a large response would otherwise be copied at
// each doubling of the buffer.
func NewBuffer(op *graphql.OperationContext) *bytes.Buffer {
	buf := new(bytes.Buffer)
	if b := budgetOf(op); b != nil {
		taken := min(b.limit-b.remaining.Load(), b.limit)
		size := taken - b.buffered.Swap(taken)
		buf.Grow(max(int(size+size/8), 0) + bytes.MinRead)
	}
	return buf
}
