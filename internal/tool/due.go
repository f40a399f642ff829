package tool

import (
	"context"
	"strings"
	"time"

	"errand/ent"
	"errand/internal/apperr"
	"errand/internal/due"
	"errand/internal/task"
)

// dueArgs are the arguments that set a due date.
type dueArgs struct {
	Due   string `json:"due"`
	DueOn string `json:"due_on"`
	DueAt string `json:"due_at"`
}

// dueFields returns the fields that the arguments set, at most one of them. Days and times are in the viewer's zone.
func (a dueArgs) dueFields(ctx context.Context, tasks Tasks) (on task.Optional[string], at task.Optional[time.Time],
	err error,
) {
	set := 0
	for _, text := range []string{a.Due, a.DueOn, a.DueAt} {
		if text != "" {
			set++
		}
	}
	switch {
	case set > 1:
		return on, at, apperr.Invalid("due_at", "Send one of the arguments due, due_on and due_at, such as %s.",
			example("due"))
	case a.DueOn != "":
		return task.Some(a.DueOn), at, nil
	case a.DueAt != "":
		instant, err := parseInstant(ctx, tasks, a.DueAt)
		return on, task.Some(instant), err
	case a.Due == "":
		return on, at, nil
	}
	return parseDue(ctx, tasks, a.Due)
}

// parseDue parses free text, such as "fri 10:00".
func parseDue(ctx context.Context, tasks Tasks, text string) (on task.Optional[string], at task.Optional[time.Time],
	err error,
) {
	if _, err := time.Parse(time.DateOnly, text); err == nil {
		return task.Some(text), at, nil
	}
	c, err := tasks.Calendar(ctx)
	if err != nil {
		return on, at, err
	}
	if instant, ok := instantOf(text, c.Zone); ok {
		return on, task.Some(instant), nil
	}
	date, reason := exactDate(text, due.At(time.Now().In(c.Zone), c.WeekStart))
	switch {
	case reason != "":
		return on, at, apperr.Invalid("due", "The due date is unclear: %s Ask the user, or send it such as %s.",
			reason, example("due"))
	case date.Timed:
		return on, task.Some(date.At), nil
	}
	return task.Some(date.On()), at, nil
}

// exactDate parses a text that is a date as a whole, or returns why it is none.
func exactDate(text string, now due.Now) (date due.Date, reason string) {
	match, ok := due.Exact(dateWords(text), now)
	switch {
	case !ok:
		return date, "this is no date."
	case match.Invalid != "":
		return date, match.Invalid
	}
	return match.Due, ""
}

// dateWords splits a text into words as package due expects them.
func dateWords(text string) []string {
	return strings.Fields(strings.NewReplacer(",", " ").Replace(strings.ToLower(text)))
}

// instantOf parses an instant in RFC 3339, also with a space for the T, without seconds or without an offset.
func instantOf(text string, zone *time.Location) (time.Time, bool) {
	text = strings.ToUpper(strings.TrimSpace(text))
	if day, clock, ok := strings.Cut(text, " "); ok {
		text = day + "T" + strings.ReplaceAll(clock, " ", "")
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04"} {
		if at, err := time.ParseInLocation(layout, text, zone); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// parseInstant parses the argument due_at.
func parseInstant(ctx context.Context, tasks Tasks, text string) (time.Time, error) {
	zone, err := tasks.TimeZone(ctx)
	if err != nil {
		return time.Time{}, err
	}
	at, ok := instantOf(text, zone)
	if !ok {
		return at, apperr.Invalid("due_at", "due_at must be an instant in RFC 3339, such as %s.", example("due_at"))
	}
	return at, nil
}

// shifted returns the due date of a task moved later by a span such as "2 days". It keeps the time of day also across a
// daylight-saving change.
func shifted(t *ent.Task, text string, zone *time.Location) (on *string, at *time.Time, err error) {
	words := dateWords(text)
	for len(words) > 0 && (words[0] == "by" || words[0] == "+") {
		words = words[1:]
	}
	if n := len(words); n > 1 && words[n-1] == "later" {
		words = words[:n-1]
	}
	span, ok := due.Distance(words)
	unclear := func(reason string) error {
		return apperr.Invalid("shift_due", "%s Send a span, such as %s.", reason, example("shift_due"))
	}
	switch {
	case !ok:
		return nil, nil, unclear("The shift is unclear.")
	case t.DueOn == nil && t.DueAt == nil:
		return nil, nil, apperr.Invalid("shift_due", "Task %d has no due date to shift; send due instead.", t.Number)
	case t.DueAt == nil && span.IsBelowDay():
		return nil, nil, apperr.Invalid("shift_due", "Task %d is due on a day without a time; send due instead.", t.Number)
	}
	if t.DueAt == nil {
		day, err := time.Parse(time.DateOnly, *t.DueOn)
		if err != nil {
			return nil, nil, unclear("The due date of the task is unclear.")
		}
		moved, fits := span.After(day)
		if !fits {
			return nil, nil, unclear("That date is too far away.")
		}
		return new(moved.Format(time.DateOnly)), nil, nil
	}
	local := t.DueAt.In(zone)
	if !span.IsBelowDay() { // wall-clock time
		local = time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), local.Minute(), local.Second(), 0, time.UTC)
	}
	moved, ok := span.After(local)
	if !ok {
		return nil, nil, unclear("That date is too far away.")
	}
	if !span.IsBelowDay() {
		moved = time.Date(moved.Year(), moved.Month(), moved.Day(), moved.Hour(), moved.Minute(), moved.Second(), 0, zone)
	}
	return nil, &moved, nil
}
