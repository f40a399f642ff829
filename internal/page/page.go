// Package page reads lists a page at a time by keyset, in the form of the Relay
// cursor connections specification.
package page

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"

	"errand/internal/apperr"
)

// Bounds of a page.
const (
	DefaultSize = 20
	MaxSize     = 100
)

// maxCursorBytes bounds a cursor that is given back, in bytes; the longest holds a task's title.
const maxCursorBytes = 2048

// Args are a connection field's arguments.
type Args struct {
	First, Last   *int
	After, Before *string
	// Columns are those of the rows that will be read; nil means all of them.
	Columns []string
}

// SelectColumns are the columns to select: what the list itself needs, and what will be read. It
// is nil, which selects all, when that is not known.
func (a Args) SelectColumns(own ...string) []string {
	if a.Columns == nil {
		return nil
	}
	all := append(own, a.Columns...)
	slices.Sort(all)
	return slices.Compact(all)
}

// Window is a checked page request.
type Window struct {
	// Size is how many items the page may hold, 1 to MaxSize.
	Size int
	// Backward pages are read from the list's end, or from Before, toward its start.
	Backward bool
	// After and Before bound the page; nil where not given.
	After, Before *Cursor
}

// Cursor is a place in a list: the values of its sort key.
type Cursor struct {
	// List names the list and its order, so that a cursor of another is refused.
	List string `json:"l"`
	// Key is the sort key of the item, ending in something unique.
	Key []any `json:"k"`
}

// Window checks a connection's arguments against the list they are for. keys is how
// many values a key of that list has.
func (a Args) Window(list string, keys int) (Window, error) {
	w := Window{Size: DefaultSize}
	switch {
	case a.First != nil && a.Last != nil:
		return w, apperr.Invalid("first", "Give `first` or `last`, not both.")
	case a.First != nil:
		w.Size = *a.First
	case a.Last != nil:
		w.Size, w.Backward = *a.Last, true
	case a.Before != nil && a.After == nil:
		w.Backward = true
	}
	if w.Size < 1 || w.Size > MaxSize {
		return w, apperr.Invalid(sizeName(w.Backward), "A page holds 1 to %d items.", MaxSize)
	}
	var err error
	if w.After, err = parseCursor("after", a.After, list, keys); err != nil {
		return w, err
	}
	w.Before, err = parseCursor("before", a.Before, list, keys)
	return w, err
}

func sizeName(backward bool) string {
	if backward {
		return "last"
	}
	return "first"
}

// Encode gives the opaque form.
func (c Cursor) Encode() string {
	b, _ := json.Marshal(c) // strings and numbers always marshal
	return base64.RawURLEncoding.EncodeToString(b)
}

// parseCursor reads a cursor of the given list, whose keys have so many values. What Encode
// did not write is refused, to the byte; what a forger writes as Encode would is a
// place like any other in the forger's own list.
func parseCursor(field string, s *string, list string, keys int) (*Cursor, error) {
	if s == nil {
		return nil, nil
	}
	c := decodeCursor(*s)
	if c == nil || c.List != list || len(c.Key) != keys {
		return nil, apperr.Invalid(field, "Not a cursor of this list: give back one that was received, unchanged.")
	}
	return c, nil
}

// decodeCursor is the opposite of Encode; nil for anything else.
func decodeCursor(s string) *Cursor {
	if len(s) > maxCursorBytes {
		return nil
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return nil
	}
	var c Cursor
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.UseNumber() // a float64 would round large numbers
	if decoder.Decode(&c) != nil {
		return nil
	}
	for i, value := range c.Key {
		if c.Key[i] = keyValue(value); c.Key[i] == nil {
			return nil
		}
	}
	if c.Encode() != s {
		return nil
	}
	return &c
}

// keyValue is a key's value as a text or an int64; nil for anything else.
func keyValue(value any) any {
	switch v := value.(type) {
	case string:
		return v
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
	}
	return nil
}

// Int reads a whole number of the key; a forged cursor gives 0.
func (c *Cursor) Int(i int) int64 {
	n, _ := c.Key[i].(int64)
	return n
}

// Text reads a text of the key; a forged cursor gives "".
func (c *Cursor) Text(i int) string {
	s, _ := c.Key[i].(string)
	return s
}

// Info says where a page lies in its list. Its cursors are made when asked for.
type Info struct {
	HasNextPage, HasPreviousPage bool
	first, last                  func() string // nil on an empty page
}

// StartCursor is the first edge's cursor; nil on an empty page.
func (i *Info) StartCursor() *string { return encodeOptional(i.first) }

// EndCursor is the last edge's cursor; nil on an empty page.
func (i *Info) EndCursor() *string { return encodeOptional(i.last) }

func encodeOptional(cursor func() string) *string {
	if cursor == nil {
		return nil
	}
	s := cursor()
	return &s
}

// Edge is an item in a page.
type Edge[T any] struct {
	Node  T
	cursorOf func(T) Cursor
}

// Cursor is the item's place.
func (e *Edge[T]) Cursor() string { return e.cursorOf(e.Node).Encode() }

// Connection is a page.
type Connection[T any] struct {
	Edges    []*Edge[T]
	PageInfo *Info
	count    func(ctx context.Context) (int, error)
}

// Nodes are the items alone.
func (c *Connection[T]) Nodes() []T {
	nodes := make([]T, len(c.Edges))
	for i, e := range c.Edges {
		nodes[i] = e.Node
	}
	return nodes
}

// TotalCount counts the whole list; the count runs only when asked for.
func (c *Connection[T]) TotalCount(ctx context.Context) (int, error) { return c.count(ctx) }

// Build makes a page of items read in reading order (backward pages from the end),
// at most one more than the window's size: the one too many says that more follow.
func Build[T any](
	w Window,
	items []T,
	cursor func(T) Cursor,
	count func(ctx context.Context) (int, error),
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
	return newConnection(items, info, cursor, count)
}

// BuildRange makes a page of the items at a span's positions, in ascending order.
func BuildRange[T any](s Range, items []T, cursor func(T) Cursor) *Connection[T] {
	count := func(context.Context) (int, error) { return s.Total, nil }
	return newConnection(items, s.Info(), cursor, count)
}

func newConnection[T any](
	items []T,
	info *Info,
	cursor func(T) Cursor,
	count func(context.Context) (int, error),
) *Connection[T] {
	edges := make([]*Edge[T], len(items))
	all := make([]Edge[T], len(items))
	for i, item := range items {
		all[i] = Edge[T]{Node: item, cursorOf: cursor}
		edges[i] = &all[i]
	}
	if len(edges) > 0 {
		info.first, info.last = edges[0].Cursor, edges[len(edges)-1].Cursor
	}
	return &Connection[T]{Edges: edges, PageInfo: info, count: count}
}
