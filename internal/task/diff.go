package task

import (
	"slices"
	"strings"
	"time"

	"errand/ent"
	"errand/ent/enum"
)

// diff lists the fields in which two states of a task differ, by their API names.
func diff(before, after *ent.Task) []enum.FieldChange {
	var out []enum.FieldChange
	add := func(name string, from, to *string) {
		if (from == nil) != (to == nil) || (from != nil && *from != *to) {
			out = append(out, enum.FieldChange{Name: name, From: from, To: to})
		}
	}
	add("title", filled(before.Title), filled(after.Title))
	add("description", filled(before.Description), filled(after.Description))
	add("priority", priority(before), priority(after))
	add("dueOn", before.DueOn, after.DueOn)
	add("dueAt", instant(before.DueAt), instant(after.DueAt))
	if !slices.Equal(before.Labels, after.Labels) { // labels hold commas too: the joined texts may be equal
		out = append(out, enum.FieldChange{
			Name: "labels", From: filled(strings.Join(before.Labels, ", ")), To: filled(strings.Join(after.Labels, ", ")),
		})
	}
	add("completedAt", instant(before.CompletedAt), instant(after.CompletedAt))
	add("deletedAt", instant(before.DeletedAt), instant(after.DeletedAt))
	return out
}

func filled(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func priority(t *ent.Task) *string {
	if t.Priority == enum.PriorityNone {
		return nil
	}
	return filled(t.Priority.String())
}

func instant(t *time.Time) *string {
	if t == nil {
		return nil
	}
	return filled(t.UTC().Format(time.RFC3339Nano))
}

// kindOf names a change by what matters most in it.
func kindOf(before, after *ent.Task, fields []enum.FieldChange) enum.ChangeKind {
	switch {
	case before.DeletedAt == nil && after.DeletedAt != nil:
		return enum.ChangeDeleted
	case before.DeletedAt != nil && after.DeletedAt == nil:
		return enum.ChangeRestored
	case len(fields) == 1 && !before.Completed() && after.Completed():
		return enum.ChangeCompleted
	case len(fields) == 1 && before.Completed() && !after.Completed():
		return enum.ChangeReopened
	default:
		return enum.ChangeUpdated
	}
}
