package offline

import (
	"errors"
	"time"

	"errand/internal/due"
)

// dueOf returns the due date of a task in the user's zone; the zero Date if it has none.
func dueOf(t task, zone *time.Location) due.Date {
	if at, err := time.Parse(time.RFC3339, t.DueAt); err == nil {
		return due.Of("", &at, zone)
	}
	return due.Of(t.DueOn, nil, zone)
}

// postponed returns a task's due date moved by a span. unclear is a sentence that states why there is no such date.
func postponed(t task, by []string, now due.Now) (date due.Date, unclear string) {
	current := dueOf(t, now.Location())
	if current.Day.IsZero() {
		return date, "Task " + nameOf(t) + " has no due date that I could move. Please tell me the new one."
	}
	return dateOrReason(due.ShiftWords(by, current, now))
}

func dateOrReason(date due.Date, err error) (due.Date, string) {
	var unclear *due.UnclearError
	if errors.As(err, &unclear) {
		return due.Date{}, unclear.Reason
	}
	return date, ""
}
