package fastjson

import (
	"bytes"
	"sync"
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
	memory    *memory      // nil if nothing releases it
	encoders  encoderCache
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
	b := budgetOf(op)
	if b == nil {
		return new(bytes.Buffer)
	}
	taken := min(b.limit-b.remaining.Load(), b.limit)
	size := taken - b.buffered.Swap(taken)
	return bytes.NewBuffer(b.allocate(max(int(size+size/8), 0) + bytes.MinRead))
}

// ReuseMemory makes the operation write its response into memory of earlier ones. The caller calls release when all
// resolvers have returned and nothing refers to the response any more, or never.
func (b *Budget) ReuseMemory() (release func()) {
	m := memories.Get().(*memory)
	b.memory = m
	return func() {
		b.memory = nil
		m.used = 0
		memories.Put(m)
	}
}

// allocate returns an empty slice with a capacity of n bytes.
func (b *Budget) allocate(n int) []byte {
	if b == nil || b.memory == nil {
		return make([]byte, 0, n)
	}
	return b.memory.allocate(n)
}

// memory is what the slices of one response are cut from. Those that do not fit are left to the garbage collector.
type memory struct {
	mu    sync.Mutex
	bytes []byte
	used  int
}

// memorySize is enough for the parts of most responses and for their data: pages of 200 rows with texts.
const memorySize = 128 << 10

var memories = sync.Pool{New: func() any { return &memory{bytes: make([]byte, memorySize)} }}

func (m *memory) allocate(n int) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	start := m.used
	if n > len(m.bytes)-start {
		return make([]byte, 0, n)
	}
	m.used += n
	return m.bytes[start:start:m.used] // growing beyond it copies
}
