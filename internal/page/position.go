package page

import "errand/internal/apperr"

// Range is a page of a list whose items are numbered 1 to Total without gaps: the
// page holds the positions From to To, and is empty when From > To. Such a page
// needs neither a row too many nor a count.
type Range struct {
	From, To, Total int
}

// Range checks a connection's arguments against a list of total items in
// ascending order of position.
func (a Args) Range(list string, total int) (Range, error) {
	w, err := a.Window(list, 1)
	if err != nil {
		return Range{}, err
	}
	s := Range{From: 1, To: total, Total: total}
	if w.After != nil {
		s.From = max(s.From, int(min(w.After.Int(0), int64(total)))+1)
	}
	if w.Before != nil {
		s.To = min(s.To, int(max(w.Before.Int(0), 1))-1)
	}
	if w.Backward {
		s.From = max(s.From, s.To-w.Size+1)
	} else {
		s.To = min(s.To, s.From+w.Size-1)
	}
	return s, nil
}

// Info says where the span lies.
func (s Range) Info() *Info {
	return &Info{HasNextPage: s.To < s.Total, HasPreviousPage: s.From > 1}
}

// PositionCursor is the cursor of a position.
func PositionCursor(list string, position int) Cursor { return Cursor{List: list, Key: []any{position}} }

// ParsePosition reads a bare position cursor of the given list, such as a stream's.
func ParsePosition(field string, s *string, list string) (int, error) {
	c, err := parseCursor(field, s, list, 1)
	if err != nil || c == nil {
		return 0, err
	}
	if c.Int(0) < 0 {
		return 0, apperr.Invalid(field, "Not a cursor of this list: give back one that was received, unchanged.")
	}
	return int(c.Int(0)), nil
}
