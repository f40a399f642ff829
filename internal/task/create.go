package task

import (
	"context"
	"fmt"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/ids"
)

// CreateTaskInput describes a task to be. What is nil is left at its default.
type CreateTaskInput struct {
	Title       string
	Description *string
	Priority    *enum.Priority
	DueOn       *string
	DueAt       *time.Time
	Labels      []string
}

// CreateTask makes a task with the person's next number.
func (s *Service) CreateTask(ctx context.Context, in CreateTaskInput) (*ent.Task, error) {
	t := &ent.Task{Title: in.Title, DueOn: in.DueOn, DueAt: in.DueAt, Labels: in.Labels}
	if in.Description != nil {
		t.Description = *in.Description
	}
	if in.Priority != nil {
		t.Priority = *in.Priority
	}
	if err := check(t); err != nil {
		return nil, err
	}
	return s.write(ctx, func(ctx context.Context, w *writer) (*ent.Task, error) { return w.create(ctx, t) })
}

func (w *writer) create(ctx context.Context, t *ent.Task) (*ent.Task, error) {
	at, err := w.take(ctx, true)
	if err != nil {
		return nil, err
	}
	now := ids.Now()
	made, err := w.tx.Task.Create().
		SetNumber(at.number).SetTitle(t.Title).SetDescription(t.Description).SetPriority(t.Priority).
		SetNillableDueOn(t.DueOn).SetNillableDueAt(t.DueAt).SetDueSort(dueSort(t)).SetLabels(t.Labels).
		SetCreatedAt(now).SetUpdatedAt(now).
		Save(ctx)
	if err != nil {
		return nil, fmt.Errorf("making the task: %w", err)
	}
	return made, w.record(ctx, at, made, enum.ChangeCreated, diff(&ent.Task{}, made))
}
