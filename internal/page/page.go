// Package page implements pagination with cursors as in the GraphQL Cursor Connections Specification (Relay).
//
// It supports two kinds of lists:
//
//   - Keyset pagination, for lists sorted by any key: Args.Window checks the arguments, the caller reads one item more
//     than the page holds, and Build makes the page. The extra item shows whether more items follow.
//   - Position ranges, for lists whose items are numbered 1 to n without gaps: Args.Range computes the positions of
//     the page, the caller reads them, and BuildRange makes the page. It needs neither an extra item nor a count.
package page

import (
	"slices"

	"errand/internal/apperr"
)

// Page sizes, in items.
const (
	DefaultSize = 20
	MaxSize     = 100
)

// Args are the arguments of a connection field.
type Args struct {
	First, Last   *int
	After, Before *string
	// Columns are the columns that the selected fields need; nil means all columns.
	Columns []string
}

// SelectColumns returns the columns to read: those that the list itself needs and a.Columns. It returns nil, which
// means all columns, if a.Columns is nil.
func (a Args) SelectColumns(required ...string) []string {
	if a.Columns == nil {
		return nil
	}
	all := slices.Concat(required, a.Columns)
	slices.Sort(all)
	return slices.Compact(all)
}

// Window is a validated request for a page by keyset.
type Window struct {
	// Size is the maximum number of items, 1 to MaxSize.
	Size int
	// Backward means that the page ends at Before, or at the end of the list.
	Backward bool
	// After and Before are exclusive bounds of the page; nil means unbounded.
	After, Before *Cursor
}

// Window validates the arguments for the given list, whose sort key has keyLen values. It returns
// apperr.BadUserInput, naming the argument, for sizes out of range and for cursors of other lists.
func (a Args) Window(list string, keyLen int) (Window, error) {
	w := Window{Size: DefaultSize}
	switch {
	case a.First != nil && a.Last != nil:
		return w, apperr.Invalid("first", "Use either `first` or `last`, not both.")
	case a.First != nil:
		w.Size = *a.First
	case a.Last != nil:
		w.Size, w.Backward = *a.Last, true
	case a.Before != nil && a.After == nil:
		w.Backward = true
	}
	if w.Size < 1 || w.Size > MaxSize {
		return w, apperr.Invalid(sizeArgument(w.Backward), "The page size must be between 1 and %d.", MaxSize)
	}
	var err error
	if w.After, err = parseCursor("after", a.After, list, keyLen); err != nil {
		return w, err
	}
	w.Before, err = parseCursor("before", a.Before, list, keyLen)
	return w, err
}

func sizeArgument(backward bool) string {
	if backward {
		return "last"
	}
	return "first"
}
