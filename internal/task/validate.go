package task

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/apperr"
)

// Limits of a task's fields, in characters and items.
const (
	MaxTitle       = 200
	MaxDescription = 10_000
	MaxLabels      = 20
	MaxLabel       = 50
)

// normalize trims and rounds t's fields, then validates them. The error names the field.
func normalize(t *ent.Task) error {
	t.Title = strings.TrimSpace(t.Title)
	switch n := utf8.RuneCountInString(t.Title); { // the length first: the other checks are expensive
	case n < 1 || n > MaxTitle:
		return apperr.Invalid("title", "A title must have 1 to %d characters; this one has %d.", MaxTitle, n)
	case !utf8.ValidString(t.Title) || strings.ContainsFunc(t.Title, unicode.IsControl):
		return apperr.Invalid("title", "A title must be one line of plain text.")
	}
	if n := utf8.RuneCountInString(t.Description); n > MaxDescription || !isStorableText(t.Description) {
		return apperr.Invalid(
			"description",
			"A description must be plain text of at most %d characters; this one has %d.",
			MaxDescription,
			n,
		)
	}
	if t.Priority < enum.PriorityNone || t.Priority > enum.PriorityUrgent {
		return apperr.Invalid("priority", "Unknown priority.")
	}
	if err := normalizeDue(t); err != nil {
		return err
	}
	return normalizeLabels(t)
}

// isStorableText reports whether PostgreSQL can store s: valid UTF-8 without NUL.
func isStorableText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// normalizeDue checks the due date and rounds an instant to microseconds, which
// both engines store.
func normalizeDue(t *ent.Task) error {
	if t.DueOn != nil && t.DueAt != nil {
		return errTwoDueDates()
	}
	if t.DueOn != nil {
		if _, err := time.Parse(time.DateOnly, *t.DueOn); err != nil {
			return errNotADay("dueOn")
		}
	}
	if t.DueAt != nil {
		at := t.DueAt.UTC().Truncate(time.Microsecond)
		t.DueAt = &at
	}
	return nil
}

func errTwoDueDates() error {
	return apperr.Invalid("dueAt", "A task is due on a day (`dueOn`) or at an instant (`dueAt`), not both.")
}

func errNotADay(field string) error {
	return apperr.Invalid(field, "The date must be an existing day written as YYYY-MM-DD, such as 2026-11-25.")
}

// normalizeLabels trims labels and removes duplicates, which count towards the limit.
func normalizeLabels(t *ent.Task) error {
	if len(t.Labels) > MaxLabels {
		return apperr.Invalid("labels", "A task must have at most %d labels; this one has %d.", MaxLabels, len(t.Labels))
	}
	labels := make([]string, 0, len(t.Labels))
	for _, label := range t.Labels {
		label = strings.TrimSpace(label)
		if n := utf8.RuneCountInString(label); n < 1 || n > MaxLabel || !isStorableText(label) {
			return apperr.Invalid("labels", "A label must be plain text of 1 to %d characters; one has %d.", MaxLabel, n)
		}
		if !slices.Contains(labels, label) {
			labels = append(labels, label)
		}
	}
	t.Labels = labels
	return nil
}

// dueSort returns the task's sort key by due date, in Unix milliseconds. A day sorts
// by its last millisecond in UTC; a task without a due date sorts last.
func dueSort(t *ent.Task) int64 {
	switch {
	case t.DueAt != nil:
		return t.DueAt.UnixMilli()
	case t.DueOn != nil:
		return dueSortOfDay(*t.DueOn)
	default:
		return enum.NeverDue
	}
}

// dueSortOfDay returns the sort key of a task that is due on a day.
func dueSortOfDay(dueOn string) int64 {
	day, err := time.Parse(time.DateOnly, dueOn)
	if err != nil {
		return enum.NeverDue
	}
	return day.AddDate(0, 0, 1).UnixMilli() - 1
}
