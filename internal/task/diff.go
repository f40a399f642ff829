package task

import (
	"slices"
	"strings"
	"time"

	"errand/ent"
	"errand/ent/enum"
)

// diff returns the fields in which two states of a task differ, by their API names.
func diff(before, after *ent.Task) []enum.FieldChange {
	var out []enum.FieldChange
	add := func(name string, from, to *string) {
		if (from == nil) != (to == nil) || (from != nil && *from != *to) {
			out = append(out, enum.FieldChange{Name: name, From: from, To: to})
		}
	}
	add("title", nonEmpty(before.Title), nonEmpty(after.Title))
	add("description", nonEmpty(before.Description), nonEmpty(after.Description))
	add("priority", priorityName(before), priorityName(after))
	add("dueOn", before.DueOn, after.DueOn)
	add("dueAt", timestamp(before.DueAt), timestamp(after.DueAt))
	if !slices.Equal(before.Labels, after.Labels) { // labels may contain commas, so the joined texts may be equal
		from, to := strings.Join(before.Labels, ", "), strings.Join(after.Labels, ", ")
		out = append(out, enum.FieldChange{
			Name:       "labels",
			From:       nonEmpty(from),
			To:         nonEmpty(to),
			FromLabels: before.Labels,
			ToLabels:   after.Labels,
		})
	}
	add("completedAt", timestamp(before.CompletedAt), timestamp(after.CompletedAt))
	add("deletedAt", timestamp(before.DeletedAt), timestamp(after.DeletedAt))
	return out
}

// nonEmpty returns nil for an empty string: the history shows an empty field as null.
func nonEmpty(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func priorityName(t *ent.Task) *string {
	if t.Priority == enum.PriorityNone {
		return nil
	}
	return nonEmpty(t.Priority.String())
}

func timestamp(t *time.Time) *string {
	if t == nil {
		return nil
	}
	return nonEmpty(t.UTC().Format(time.RFC3339Nano))
}

// changeKind classifies a change. Moves to and from the trash take precedence; a change of
// the completed state counts as such only when no other field changed.
func changeKind(before, after *ent.Task, fields []enum.FieldChange) enum.ChangeKind {
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
