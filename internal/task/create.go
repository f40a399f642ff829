package task

import (
	"context"
	"fmt"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/apperr"
	"errand/internal/idempotency"
	"errand/internal/ids"
	"errand/internal/quota"
	"errand/internal/store"
	"errand/internal/viewer"
)

// CreateTaskInput is the input of CreateTask. Nil fields keep their defaults.
type CreateTaskInput struct {
	Title       string
	Description *string
	Priority    *enum.Priority
	// DueOn is a day (YYYY-MM-DD); it excludes DueAt.
	DueOn  *string
	DueAt  *time.Time
	Labels []string
	// IdempotencyKey makes retries safe: see package idempotency.
	IdempotencyKey *string
}

// CreateTask creates a task with the user's next task number. Invalid input is
// BAD_USER_INPUT with the field's name; beyond a quota it is FORBIDDEN.
func (o operations) CreateTask(ctx context.Context, in CreateTaskInput) (*ent.Task, error) {
	if _, err := viewer.Require(ctx, viewer.TasksWrite); err != nil {
		return nil, err
	}
	t := &ent.Task{
		Title:  in.Title,
		DueOn:  in.DueOn,
		DueAt:  in.DueAt,
		Labels: in.Labels,
	}
	if in.Description != nil {
		t.Description = *in.Description
	}
	if in.Priority != nil {
		t.Priority = *in.Priority
	}
	if err := normalize(t); err != nil {
		return nil, err
	}
	return o.write(ctx, func(ctx context.Context, w *changeWriter) (*ent.Task, error) {
		return w.createTaskOnce(ctx, in.IdempotencyKey, t)
	})
}

// createTaskOnce creates a task unless an earlier request with the key has created it.
func (w *changeWriter) createTaskOnce(ctx context.Context, key *string, t *ent.Task) (created *ent.Task, err error) {
	request := idempotency.Request{
		Operation: "createTask",
		Key:       key,
		Input:     []any{t.Title, t.Description, t.Priority, t.DueOn, t.DueAt, t.Labels},
	}
	earlier, replayed, err := idempotency.Run(ctx, w.tx, request, func() ([]string, error) {
		if created, err = w.createTask(ctx, t); err != nil {
			return nil, err
		}
		return []string{created.ID}, nil
	})
	if err != nil || !replayed {
		return created, err
	}
	created, err = w.tx.Task.Get(ctx, earlier[0])
	if ent.IsNotFound(err) {
		return nil, apperr.Missing("task")
	}
	return created, err
}

func (w *changeWriter) createTask(ctx context.Context, t *ent.Task) (*ent.Task, error) {
	terms := indexEntries(t)
	t.TermCount = len(terms)
	fields := diff(&ent.Task{}, t)
	seq, err := w.count(ctx, quota.Delta{
		TaskNumbers: 1,
		Open:        1,
		Bytes:       quota.TaskBytes(t) + quota.ChangeBytes(fields),
	})
	if err != nil {
		return nil, err
	}
	now := ids.Now()
	queue := w.queue()
	created, err := queue.Task.Create().
		SetNumber(seq.TaskNumber).
		SetTitle(t.Title).
		SetDescription(t.Description).
		SetPriority(t.Priority).
		SetNillableDueOn(t.DueOn).
		SetNillableDueAt(t.DueAt).
		SetDueSort(dueSort(t)).
		SetLabels(t.Labels).
		SetIndexedVersion(1).
		SetTermCount(t.TermCount).
		SetCreatedAt(now).
		SetUpdatedAt(now).
		Save(ctx)
	if err != nil {
		return nil, fmt.Errorf("creating the task: %w", err)
	}
	if err := store.TaskTerms.Add(ctx, queue, w.viewer.UserID, int64(created.Number), terms); err != nil {
		return nil, err
	}
	w.collect(created, 0, enum.ChangeCreated, fields)
	return created, w.recordChange(ctx, seq, created, enum.ChangeCreated, fields)
}
