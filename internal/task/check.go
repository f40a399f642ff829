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

// Bounds of a task's fields, in characters and items.
const (
	MaxTitle       = 200
	MaxDescription = 10_000
	MaxLabels      = 20
	MaxLabel       = 50
)

// check trims t's fields and refuses what a task may not hold.
func check(t *ent.Task) error {
	t.Title = strings.TrimSpace(t.Title)
	switch n := utf8.RuneCountInString(t.Title); {
	case !utf8.ValidString(t.Title) || strings.ContainsFunc(t.Title, unicode.IsControl):
		return apperr.Invalid("title", "A title is one line of plain text.")
	case n < 1 || n > MaxTitle:
		return apperr.Invalid("title", "A title has 1 to %d characters; this one has %d.", MaxTitle, n)
	}
	if n := utf8.RuneCountInString(t.Description); n > MaxDescription || !plain(t.Description) {
		return apperr.Invalid("description", "A description is plain text of at most %d characters.", MaxDescription)
	}
	if t.Priority < enum.PriorityNone || t.Priority > enum.PriorityUrgent {
		return apperr.Invalid("priority", "No such priority.")
	}
	if err := checkDue(t); err != nil {
		return err
	}
	return checkLabels(t)
}

// plain refuses what PostgreSQL cannot keep: broken UTF-8 and NUL.
func plain(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

func checkDue(t *ent.Task) error {
	if t.DueOn != nil && t.DueAt != nil {
		return apperr.Invalid("dueAt", "Give `dueOn` or `dueAt`, not both.")
	}
	if t.DueOn != nil {
		if _, err := time.Parse(time.DateOnly, *t.DueOn); err != nil {
			return apperr.Invalid("dueOn", "Not a day that exists: write it as 2026-11-25.")
		}
	}
	if t.DueAt != nil {
		at := t.DueAt.UTC().Truncate(time.Microsecond)
		t.DueAt = &at
	}
	return nil
}

func checkLabels(t *ent.Task) error {
	kept := make([]string, 0, len(t.Labels))
	for _, label := range t.Labels {
		label = strings.TrimSpace(label)
		if n := utf8.RuneCountInString(label); n < 1 || n > MaxLabel || !plain(label) {
			return apperr.Invalid("labels", "A label has 1 to %d characters.", MaxLabel)
		}
		if !slices.Contains(kept, label) {
			kept = append(kept, label)
		}
	}
	if len(kept) > MaxLabels {
		return apperr.Invalid("labels", "A task has at most %d labels.", MaxLabels)
	}
	t.Labels = kept
	return nil
}

// dueSort places a task in the order of due dates: a day counts by its end, no date comes last.
func dueSort(t *ent.Task) int64 {
	switch {
	case t.DueAt != nil:
		return t.DueAt.UnixMilli()
	case t.DueOn != nil:
		day, err := time.Parse(time.DateOnly, *t.DueOn)
		if err != nil {
			return enum.NeverDue
		}
		return day.AddDate(0, 0, 1).UnixMilli() - 1
	default:
		return enum.NeverDue
	}
}
