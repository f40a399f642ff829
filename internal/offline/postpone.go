package offline

import (
	"fmt"
	"time"

	"errand/internal/due"
)

// postponed returns a task's due date plus a span in wall-clock time: a week later is the same hour also across a
// daylight-saving change. invalid is a sentence that states why there is no such date.
func postponed(t task, by due.Span, now time.Time) (date due.Date, invalid string) {
	at, err := time.Parse(time.RFC3339, t.DueAt)
	timed := err == nil
	day, err := time.Parse(time.DateOnly, t.DueOn)
	switch {
	case !timed && err != nil:
		return date, fmt.Sprintf("Task %s has no due date that I could move. Please tell me the new one.", nameOf(t))
	case !timed && by.IsBelowDay():
		return date, fmt.Sprintf("Task %s is due on a day without a time. Please tell me the new time.", nameOf(t))
	case timed:
		at = at.In(now.Location())
		day = time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), 0, 0, time.UTC)
	}
	moved, ok := by.After(day)
	if !ok {
		return date, "That date is too far away."
	}
	if !timed {
		return due.Date{Day: moved}, ""
	}
	local := time.Date(moved.Year(), moved.Month(), moved.Day(), moved.Hour(), moved.Minute(), 0, 0, now.Location())
	return due.Date{Day: moved.Truncate(24 * time.Hour), At: local, Timed: true}, ""
}
