package task

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/ids"
)

// leftFields are the fields of a change that an undo leaves as they are, and why.
type leftFields struct {
	fields []string
	reason string
}

// Reasons why an undo leaves fields.
const (
	reasonEdited    = "Changed since: %s."
	reasonTrash     = "The task is in the trash."
	reasonAmbiguous = "An earlier version stored these labels as one text, in which they cannot be told apart."
)

func fieldNames(c *ent.TaskChange) []string {
	names := make([]string, len(c.Fields))
	for i, f := range c.Fields {
		names[i] = f.Name
	}
	return names
}

// fieldsNotUndone returns the fields of c that the change undo did not put back.
func fieldsNotUndone(c, undo *ent.TaskChange) leftFields {
	if c.Kind == enum.ChangeCreated {
		return leftFields{}
	}
	undone := fieldNames(undo)
	names := slices.DeleteFunc(fieldNames(c), func(name string) bool { return slices.Contains(undone, name) })
	return leftFields{fields: names, reason: fmt.Sprintf(reasonEdited, strings.Join(names, ", "))}
}

// takeBack undoes c in t, which has the task's present values, and returns the fields that it leaves.
func takeBack(c *ent.TaskChange, t *ent.Task) (leftFields, error) {
	switch {
	case c.Kind == enum.ChangeDeleted || c.Kind == enum.ChangeRestored:
	case t.DeletedAt != nil:
		return leftFields{fields: fieldNames(c), reason: reasonTrash}, nil
	case c.Kind == enum.ChangeCreated:
		if changed := changedSince(c, t); len(changed) > 0 {
			return leftFields{fields: changed, reason: fmt.Sprintf(reasonEdited, strings.Join(changed, ", "))}, nil
		}
		now := ids.Now()
		t.DeletedAt = &now
		return leftFields{}, nil
	}
	var edited, ambiguous []string
	present := *t // the two due dates are compared before either is put back
	for _, f := range c.Fields {
		if !holds(&present, f) {
			edited = append(edited, f.Name)
			continue
		}
		done, err := putBack(t, f)
		if err != nil {
			return leftFields{}, fmt.Errorf("undoing the change %s of %s: %w", c.ID, f.Name, err)
		}
		if !done {
			ambiguous = append(ambiguous, f.Name)
		}
	}
	left := leftFields{fields: append(edited, ambiguous...)}
	switch {
	case len(edited) > 0:
		left.reason = fmt.Sprintf(reasonEdited, strings.Join(edited, ", "))
	case len(ambiguous) > 0:
		left.reason = reasonAmbiguous
	}
	return left, nil
}

// changedSince returns the fields in which t differs from the state that its creation c left.
func changedSince(c *ent.TaskChange, t *ent.Task) (names []string) {
	for _, f := range diff(&ent.Task{}, t) {
		i := slices.IndexFunc(c.Fields, func(created enum.FieldChange) bool { return created.Name == f.Name })
		if i < 0 || !equalText(c.Fields[i].To, f.To) {
			names = append(names, f.Name)
		}
	}
	for _, f := range c.Fields {
		if !holds(t, f) && !slices.Contains(names, f.Name) {
			names = append(names, f.Name)
		}
	}
	return names
}

// holds reports whether t has the value that the change f of a field left. Both kinds of due date are one value: a task
// has at most one.
func holds(t *ent.Task, f enum.FieldChange) bool {
	switch f.Name {
	case "title":
		return equalText(f.To, nonEmpty(t.Title))
	case "description":
		return equalText(f.To, nonEmpty(t.Description))
	case "priority":
		return equalText(f.To, priorityName(t))
	case "dueOn":
		return equalText(f.To, t.DueOn) && (t.DueAt == nil || f.To == nil)
	case "dueAt":
		return equalText(f.To, timestamp(t.DueAt)) && (t.DueOn == nil || f.To == nil)
	case "labels":
		if f.ToLabels != nil {
			return slices.Equal(f.ToLabels, t.Labels)
		}
		return equalText(f.To, nonEmpty(strings.Join(t.Labels, ", ")))
	case "completedAt":
		return equalText(f.To, timestamp(t.CompletedAt))
	case "deletedAt":
		return equalText(f.To, timestamp(t.DeletedAt))
	default:
		return false
	}
}

func equalText(a, b *string) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// putBack sets a field of t to the value before the change f. A task that goes back to the trash is new there. It
// returns false for labels that an earlier release stored as one text with several meanings.
func putBack(t *ent.Task, f enum.FieldChange) (done bool, err error) {
	text := ""
	if f.From != nil {
		text = *f.From
	}
	switch f.Name {
	case "title":
		t.Title = text
	case "description":
		t.Description = text
	case "priority":
		t.Priority = enum.PriorityNone
		if f.From != nil {
			t.Priority, err = enum.ParsePriority(text)
		}
	case "dueOn":
		t.DueOn = f.From
	case "dueAt":
		t.DueAt, err = parseTimestamp(f.From)
	case "labels":
		switch {
		case f.FromLabels != nil || f.From == nil:
			t.Labels = append([]string{}, f.FromLabels...)
		case strings.Contains(text, ", "):
			return false, nil
		default:
			t.Labels = []string{text}
		}
	case "completedAt":
		t.CompletedAt, err = parseTimestamp(f.From)
	case "deletedAt":
		t.DeletedAt = nil
		if f.From != nil {
			now := ids.Now()
			t.DeletedAt = &now
		}
	}
	return err == nil, err
}

// parseTimestamp is the inverse of timestamp.
func parseTimestamp(text *string) (*time.Time, error) {
	if text == nil {
		return nil, nil
	}
	at, err := time.Parse(time.RFC3339Nano, *text)
	return &at, err
}
