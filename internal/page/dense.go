package page

import "errand/internal/apperr"

// Span is a page of a list whose items are numbered 1 to Total without gaps: the
// page holds the positions From to To, and is empty when From > To. Such a page
// needs neither a row too many nor a count.
type Span struct {
	From, To, Total int
}

// ReadDense checks a connection's arguments against a list of total items in
// ascending order of position.
func (a Args) ReadDense(list string, total int) (Span, error) {
	w, err := a.Read(list, 1)
	if err != nil {
		return Span{}, err
	}
	s := Span{From: 1, To: total, Total: total}
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
func (s Span) Info() *Info {
	return &Info{HasNextPage: s.To < s.Total, HasPreviousPage: s.From > 1}
}

// At is the cursor of a position.
func At(list string, position int) Cursor { return Cursor{List: list, Key: []any{position}} }

// ReadAt reads a bare position cursor of the given list, such as a stream's.
func ReadAt(field string, s *string, list string) (int, error) {
	c, err := decode(field, s, list, 1)
	if err != nil || c == nil {
		return 0, err
	}
	if c.Int(0) < 0 {
		return 0, apperr.Invalid(field, "Not a cursor of this list: give back one that was received, unchanged.")
	}
	return int(c.Int(0)), nil
}
