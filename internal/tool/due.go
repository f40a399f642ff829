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
	date, err := due.Parse(text, due.At(time.Now().In(c.Zone), c.WeekStart))
	switch {
	case err != nil:
		return on, at, apperr.Invalid("due", "The due date is %v Ask the user, or send it such as %s.", err, example("due"))
	case date.Timed:
		return on, task.Some(date.At), nil
	}
	return task.Some(date.On()), at, nil
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

// shifted returns the due date of a task moved by text such as "2 days" or "to friday".
func shifted(t *ent.Task, text string, c task.Calendar) (on *string, at *time.Time, err error) {
	current := due.Date{}
	if t.DueOn != nil || t.DueAt != nil {
		day := ""
		if t.DueOn != nil {
			day = *t.DueOn
		}
		current = due.Of(day, t.DueAt, c.Zone)
	}
	moved, err := due.Shift(text, current, due.At(time.Now().In(c.Zone), c.WeekStart))
	if err != nil {
		return nil, nil, apperr.Invalid("shift_due", "The shift is %v Send it such as %s.", err, example("shift_due"))
	}
	if moved.Timed {
		return nil, &moved.At, nil
	}
	return new(moved.On()), nil, nil
}
