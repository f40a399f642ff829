package task

import (
	"context"
	"encoding/json"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/apperr"
	"errand/internal/ids"
	"errand/internal/viewer"
)

// Optional is a field of a partial update. The zero value leaves the field
// unchanged; IsSet with a nil Value clears it.
type Optional[T any] struct {
	IsSet bool
	Value *T
}

// Some returns an Optional that sets the field to v.
func Some[T any](v T) Optional[T] { return Optional[T]{IsSet: true, Value: &v} }

// UnmarshalJSON implements json.Unmarshaler. A member that the JSON object lacks
// stays unset, because the decoder does not call UnmarshalJSON for it.
func (f *Optional[T]) UnmarshalJSON(b []byte) error {
	f.IsSet = true
	return json.Unmarshal(b, &f.Value)
}

// Patch is a partial update of a task. Unset fields stay unchanged. Setting DueOn
// clears DueAt and the other way round.
type Patch struct {
	Title       Optional[string]
	Description Optional[string]
	Priority    Optional[enum.Priority]
	DueOn       Optional[string]
	DueAt       Optional[time.Time]
	Labels      Optional[[]string]
	Completed   Optional[bool]
	// ExpectedVersion, when set, must equal the task's version, or UpdateTask fails with CONFLICT.
	ExpectedVersion *int
}

// UpdateTask applies p to one of the viewer's tasks outside the trash. A patch that
// changes nothing returns the task as it is and writes no history.
func (o operations) UpdateTask(ctx context.Context, id string, p Patch) (*ent.Task, error) {
	if _, err := viewer.Require(ctx, viewer.TasksWrite); err != nil {
		return nil, err
	}
	if err := p.validate(); err != nil {
		return nil, err
	}
	return o.editActive(ctx, id, func(t *ent.Task) error {
		if p.ExpectedVersion != nil && *p.ExpectedVersion != t.Version {
			return apperr.New(
				apperr.Conflict,
				"The task has changed: it is at version %d, not %d.",
				t.Version,
				*p.ExpectedVersion,
			)
		}
		p.apply(t)
		return normalize(t)
	})
}

func (p Patch) validate() error {
	switch {
	case p.Title.IsSet && p.Title.Value == nil:
		return apperr.Invalid("title", "A title must not be null.")
	case p.Completed.IsSet && p.Completed.Value == nil:
		return apperr.Invalid("completed", "The completed state must be true or false, not null.")
	case p.DueOn.Value != nil && p.DueAt.Value != nil:
		return errTwoDueDates()
	default:
		return nil
	}
}

func (p Patch) apply(t *ent.Task) {
	assign(&t.Title, p.Title)
	assign(&t.Description, p.Description)
	assign(&t.Priority, p.Priority)
	assign(&t.Labels, p.Labels)
	if p.DueOn.IsSet || p.DueAt.IsSet {
		t.DueOn, t.DueAt = p.DueOn.Value, p.DueAt.Value
	}
	if p.Completed.IsSet {
		setCompleted(t, *p.Completed.Value)
	}
}

// assign sets *dst when f is set; a nil value sets the zero value.
func assign[T any](dst *T, f Optional[T]) {
	switch {
	case !f.IsSet:
	case f.Value == nil:
		var zero T
		*dst = zero
	default:
		*dst = *f.Value
	}
}

func setCompleted(t *ent.Task, completed bool) {
	if completed == t.Completed() {
		return
	}
	t.CompletedAt = nil
	if completed {
		now := ids.Now()
		t.CompletedAt = &now
	}
}

// CompleteTask marks a task as completed. A completed task stays unchanged.
func (o operations) CompleteTask(ctx context.Context, id string) (*ent.Task, error) {
	return o.editActive(ctx, id, func(t *ent.Task) error { setCompleted(t, true); return nil })
}

// ReopenTask marks a task as not completed. A pending task stays unchanged.
func (o operations) ReopenTask(ctx context.Context, id string) (*ent.Task, error) {
	return o.editActive(ctx, id, func(t *ent.Task) error { setCompleted(t, false); return nil })
}

// DeleteTask moves a task to the trash. A task in the trash stays unchanged.
func (o operations) DeleteTask(ctx context.Context, id string) (*ent.Task, error) {
	return o.edit(ctx, id, func(t *ent.Task) error {
		if t.DeletedAt == nil {
			now := ids.Now()
			t.DeletedAt = &now
		}
		return nil
	})
}

// RestoreTask moves a task out of the trash. A task outside the trash stays unchanged.
func (o operations) RestoreTask(ctx context.Context, id string) (*ent.Task, error) {
	return o.edit(ctx, id, func(t *ent.Task) error { t.DeletedAt = nil; return nil })
}

// editActive is edit for tasks outside the trash; others are NOT_FOUND.
func (o operations) editActive(ctx context.Context, id string, fn func(t *ent.Task) error) (*ent.Task, error) {
	return o.edit(ctx, id, func(t *ent.Task) error {
		if t.DeletedAt != nil {
			return apperr.New(apperr.NotFound, "No such task: it is in the trash.")
		}
		return fn(t)
	})
}

// edit lets fn change a copy of the task and stores the difference.
func (o operations) edit(ctx context.Context, id string, fn func(t *ent.Task) error) (*ent.Task, error) {
	return o.write(ctx, func(ctx context.Context, w *changeWriter) (*ent.Task, error) { return w.updateTask(ctx, id, fn) })
}
