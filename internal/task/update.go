package task

import (
	"context"
	"encoding/json"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/apperr"
	"errand/internal/ids"
)

// Optional is a field of a patch: left out, or given a value, where nil clears.
type Optional[T any] struct {
	IsSet bool
	Value *T
}

// Some sets a field to a value.
func Some[T any](v T) Optional[T] { return Optional[T]{IsSet: true, Value: &v} }

// Patch are changes to a task. What is not given stays.
type Patch struct {
	Title       Optional[string]
	Description Optional[string]
	Priority    Optional[enum.Priority]
	DueOn       Optional[string]
	DueAt       Optional[time.Time]
	Labels      Optional[[]string]
	Completed   Optional[bool]
	// ExpectedVersion, when given, must be the task's: else CONFLICT and no change.
	ExpectedVersion *int
}

// UpdateTask changes one of the viewer's tasks outside the trash.
func (s *Service) UpdateTask(ctx context.Context, id string, p Patch) (*ent.Task, error) {
	if p.Title.IsSet && p.Title.Value == nil {
		return nil, apperr.Invalid("title", "A task needs a title.")
	}
	if p.Completed.IsSet && p.Completed.Value == nil {
		return nil, apperr.Invalid("completed", "Say true or false, or leave it out.")
	}
	if p.DueOn.Value != nil && p.DueAt.Value != nil {
		return nil, apperr.Invalid("dueAt", "Give `dueOn` or `dueAt`, not both.")
	}
	return s.edit(ctx, id, func(t *ent.Task) error {
		if p.ExpectedVersion != nil && *p.ExpectedVersion != t.Version {
			return apperr.New(
				apperr.Conflict,
				"The task has changed: it is at version %d, not %d.",
				t.Version,
				*p.ExpectedVersion,
			)
		}
		p.apply(t)
		return check(t)
	})
}

func (p Patch) apply(t *ent.Task) {
	assign(p.Title, &t.Title)
	assign(p.Description, &t.Description)
	assign(p.Priority, &t.Priority)
	assign(p.Labels, &t.Labels)
	if p.DueOn.IsSet || p.DueAt.IsSet {
		t.DueOn, t.DueAt = p.DueOn.Value, p.DueAt.Value
	}
	if p.Completed.IsSet {
		setCompleted(t, *p.Completed.Value)
	}
}

func assign[T any](s Optional[T], into *T) {
	var empty T
	switch {
	case !s.IsSet:
	case s.Value == nil:
		*into = empty
	default:
		*into = *s.Value
	}
}

func setCompleted(t *ent.Task, done bool) {
	if done == t.Completed() {
		return
	}
	t.CompletedAt = nil
	if done {
		now := ids.Now()
		t.CompletedAt = &now
	}
}

// CompleteTask marks a task as done; one that is done stays as it is.
func (s *Service) CompleteTask(ctx context.Context, id string) (*ent.Task, error) {
	return s.edit(ctx, id, func(t *ent.Task) error { setCompleted(t, true); return nil })
}

// ReopenTask marks a task as not done; one that is not done stays as it is.
func (s *Service) ReopenTask(ctx context.Context, id string) (*ent.Task, error) {
	return s.edit(ctx, id, func(t *ent.Task) error { setCompleted(t, false); return nil })
}

// DeleteTask moves a task to the trash; one that is there stays as it is.
func (s *Service) DeleteTask(ctx context.Context, id string) (*ent.Task, error) {
	return s.editAny(ctx, id, func(t *ent.Task) error {
		if t.DeletedAt == nil {
			now := ids.Now()
			t.DeletedAt = &now
		}
		return nil
	})
}

// RestoreTask brings a task back from the trash; one outside of it stays as it is.
func (s *Service) RestoreTask(ctx context.Context, id string) (*ent.Task, error) {
	return s.editAny(ctx, id, func(t *ent.Task) error { t.DeletedAt = nil; return nil })
}

// edit changes a task outside the trash.
func (s *Service) edit(ctx context.Context, id string, fn func(t *ent.Task) error) (*ent.Task, error) {
	return s.editAny(ctx, id, func(t *ent.Task) error {
		if t.DeletedAt != nil {
			return apperr.New(apperr.NotFound, "No such task: it is in the trash.")
		}
		return fn(t)
	})
}

func (s *Service) editAny(ctx context.Context, id string, fn func(t *ent.Task) error) (*ent.Task, error) {
	return s.write(ctx, func(ctx context.Context, w *writer) (*ent.Task, error) { return w.change(ctx, id, fn) })
}

// UnmarshalJSON reads a field that was given; a missing one is never read.
func (s *Optional[T]) UnmarshalJSON(b []byte) error {
	s.IsSet = true
	return json.Unmarshal(b, &s.Value)
}
