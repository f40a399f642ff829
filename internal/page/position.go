package page

// Range is a page of a list whose items have the positions 1 to Total, without gaps. The page holds the positions
// From to To, and is empty if From > To.
type Range struct {
	From, To, Total int
}

// Range validates the arguments for the given list of total items, sorted by ascending position. Errors are those of
// Window.
func (a Args) Range(list string, total int) (Range, error) {
	w, err := a.Window(list, 1)
	if err != nil {
		return Range{}, err
	}
	r := Range{From: 1, To: total, Total: total}
	if w.After != nil {
		r.From = max(r.From, int(min(w.After.Int(0), int64(total)))+1)
	}
	if w.Before != nil {
		r.To = min(r.To, int(max(w.Before.Int(0), 1))-1)
	}
	if w.Backward {
		r.From = max(r.From, r.To-w.Size+1)
	} else {
		r.To = min(r.To, r.From+w.Size-1)
	}
	return r, nil
}

// info returns the page info of the range, without cursors.
func (r Range) info() *Info {
	return &Info{HasNextPage: r.To < r.Total, HasPreviousPage: r.From > 1}
}

// PositionCursor returns the cursor of the item at a position.
func PositionCursor(list string, position int) Cursor {
	return Cursor{List: list, Key: []any{position}}
}

// ParsePosition returns the position of a cursor from PositionCursor, or 0 if s is nil. It returns
// apperr.BadUserInput, naming the argument, for any other string.
func ParsePosition(argument string, s *string, list string) (int, error) {
	c, err := parseCursor(argument, s, list, 1)
	if err != nil || c == nil {
		return 0, err
	}
	if c.Int(0) < 0 {
		return 0, errInvalidCursor(argument)
	}
	return int(c.Int(0)), nil
}
