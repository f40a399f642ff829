package page

import (
	"context"
	"slices"
	"sync"

	"errand/ent"
)

// The connection types of the GraphQL schema. gqlgen finds them by these names.
type (
	// TaskConnection is a page of tasks.
	TaskConnection = Connection[*ent.Task]
	// TaskEdge is a task in a page.
	TaskEdge = Edge[*ent.Task]
	// TaskChangeConnection is a page of task changes.
	TaskChangeConnection = Connection[*ent.TaskChange]
	// TaskChangeEdge is a task change in a page.
	TaskChangeEdge = Edge[*ent.TaskChange]
	// APITokenConnection is a page of API tokens.
	APITokenConnection = Connection[*ent.APIToken]
	// APITokenEdge is an API token in a page.
	APITokenEdge = Edge[*ent.APIToken]
	// ConversationConnection is a page of conversations.
	ConversationConnection = Connection[*ent.Conversation]
	// ConversationEdge is a conversation in a page.
	ConversationEdge = Edge[*ent.Conversation]
	// MessageConnection is a page of messages.
	MessageConnection = Connection[*ent.Message]
	// MessageEdge is a message in a page.
	MessageEdge = Edge[*ent.Message]
)

// Connection is a page of a list.
type Connection[T any] struct {
	Edges    []*Edge[T]
	PageInfo *Info
	// StreamCursor is a position of the stream of the list's changes that is not after the read of the page; "" if it was
	// not requested.
	StreamCursor string
	count        func(ctx context.Context) (Total, error)
}

// Total is the number of items in a list.
type Total struct {
	Count int
	// AtLeast means that counting stopped at Count: the list has that many items or more.
	AtLeast bool
}

// Nodes returns the items of the page.
func (c *Connection[T]) Nodes() []T {
	nodes := make([]T, len(c.Edges))
	for i, e := range c.Edges {
		nodes[i] = e.Node
	}
	return nodes
}

// TotalCount returns the number of items in the whole list, or the number at which counting stopped. It may run a
// query.
func (c *Connection[T]) TotalCount(ctx context.Context) (int, error) {
	total, err := c.count(ctx)
	return total.Count, err
}

// TotalCountIsExact reports whether TotalCount is the number of all items, rather than the number at which counting
// stopped.
func (c *Connection[T]) TotalCountIsExact(ctx context.Context) (bool, error) {
	total, err := c.count(ctx)
	return !total.AtLeast, err
}

// Edge is an item in a page.
type Edge[T any] struct {
	Node     T
	cursorOf func(T) Cursor
}

// Cursor returns the item's encoded cursor.
func (e *Edge[T]) Cursor() string { return e.cursorOf(e.Node).Encode() }

// NewEdge returns an item as an edge, for lists that are read elsewhere.
func NewEdge[T any](item T, cursorOf func(T) Cursor) *Edge[T] {
	return &Edge[T]{Node: item, cursorOf: cursorOf}
}

// Info is the position of a page within its list.
type Info struct {
	HasNextPage, HasPreviousPage bool
	first, last                  func() string // encode a cursor only when it is selected; nil on an empty page
}

// StartCursor returns the cursor of the first edge, or nil on an empty page.
func (i *Info) StartCursor() *string { return encodeOptional(i.first) }

// EndCursor returns the cursor of the last edge, or nil on an empty page.
func (i *Info) EndCursor() *string { return encodeOptional(i.last) }

func encodeOptional(encode func() string) *string {
	if encode == nil {
		return nil
	}
	s := encode()
	return &s
}

// Build makes the page of a window. The items must be in the order of reading (from the end if w.Backward) and may be
// one more than w.Size, which shows that more follow; Build drops that item. cursorOf returns the cursor of an item,
// and count the length of the whole list, which is called at most once.
func Build[T any](
	w Window,
	items []T,
	cursorOf func(T) Cursor,
	count func(ctx context.Context) (Total, error),
) *Connection[T] {
	more := len(items) > w.Size
	if more {
		items = items[:w.Size]
	}
	info := &Info{HasNextPage: more, HasPreviousPage: w.After != nil}
	if w.Backward {
		info.HasNextPage, info.HasPreviousPage = w.Before != nil, more
		slices.Reverse(items)
	}
	return newConnection(items, info, cursorOf, once(count))
}

// once returns a function that calls count the first time and returns its results every time.
func once(count func(ctx context.Context) (Total, error)) func(ctx context.Context) (Total, error) {
	var (
		called sync.Once
		total  Total
		err    error
	)
	return func(ctx context.Context) (Total, error) {
		called.Do(func() { total, err = count(ctx) })
		return total, err
	}
}

// BuildRange makes the page of a range. The items must be those at its positions, in ascending order.
func BuildRange[T any](r Range, items []T, cursorOf func(T) Cursor) *Connection[T] {
	count := func(context.Context) (Total, error) { return Total{Count: r.Total}, nil }
	return newConnection(items, r.info(), cursorOf, count)
}

func newConnection[T any](
	items []T,
	info *Info,
	cursorOf func(T) Cursor,
	count func(context.Context) (Total, error),
) *Connection[T] {
	edges := make([]*Edge[T], len(items))
	all := make([]Edge[T], len(items)) // one allocation for all edges
	for i, item := range items {
		all[i] = Edge[T]{Node: item, cursorOf: cursorOf}
		edges[i] = &all[i]
	}
	if len(edges) > 0 {
		info.first, info.last = edges[0].Cursor, edges[len(edges)-1].Cursor
	}
	return &Connection[T]{Edges: edges, PageInfo: info, count: count}
}
