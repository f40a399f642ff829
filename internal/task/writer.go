package task

import (
	"context"
	"fmt"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/rule"
	"errand/ent/task"
	"errand/internal/apperr"
	"errand/internal/ids"
	"errand/internal/viewer"
)

// writer is one transaction's hand on a person's tasks.
type writer struct {
	tx     *ent.Tx
	viewer viewer.Viewer
}

// ticket is a place in the person's sequence of changes.
type ticket struct{ change, number int }

// take locks the person's row until the transaction ends, so that the person's
// changes commit in the order of their places, and gives the next place. With
// newTask it also gives the next task number.
func (w *writer) take(ctx context.Context, newTask bool) (ticket, error) {
	const q = `UPDATE users SET last_change = last_change + 1, last_task_number = last_task_number + $1
		WHERE id = $2 RETURNING last_change, last_task_number`
	step := 0
	if newTask {
		step = 1
	}
	rows, err := w.tx.QueryContext(ctx, q, step, w.viewer.UserID)
	if err != nil {
		return ticket{}, fmt.Errorf("locking the user: %w", err)
	}
	defer rows.Close()
	var t ticket
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return t, fmt.Errorf("locking the user: %w", err)
		}
		return t, apperr.New(apperr.Unauthenticated, "This account no longer exists.")
	}
	if err := rows.Scan(&t.change, &t.number); err != nil {
		return t, fmt.Errorf("locking the user: %w", err)
	}
	return t, rows.Err()
}

// record writes the change log's entry for t, which the writer has just written.
func (w *writer) record(
	ctx context.Context,
	at ticket,
	t *ent.Task,
	kind enum.ChangeKind,
	fields []enum.FieldChange,
) error {
	log := w.tx.TaskChange.Create().
		SetTaskID(t.ID).SetSeq(at.change).SetKind(kind).SetTaskVersion(t.Version).SetFields(fields).
		SetActor(enum.ActorKind(w.viewer.Actor)).SetClient(w.viewer.Client)
	vouched := []string{t.ID}
	if w.viewer.ToolCallID != "" {
		log.SetToolCallID(w.viewer.ToolCallID)
		// The agent's transaction holds the tool call's row.
		vouched = append(vouched, w.viewer.ToolCallID)
	}
	if err := log.Exec(rule.SkipEdgeCheck(ctx, vouched...)); err != nil {
		return fmt.Errorf("recording the change: %w", err)
	}
	return nil
}

// change is the one way in which an existing task changes: under the person's
// lock it reads the task, lets edit alter a copy, and writes and records the
// difference. No difference, no change.
func (w *writer) change(ctx context.Context, id string, edit func(t *ent.Task) error) (*ent.Task, error) {
	at, err := w.take(ctx, false)
	if err != nil {
		return nil, err
	}
	before, err := w.tx.Task.Get(ctx, id)
	if ent.IsNotFound(err) {
		return nil, apperr.Missing("task")
	}
	if err != nil {
		return nil, fmt.Errorf("reading the task: %w", err)
	}
	after := *before
	if err := edit(&after); err != nil {
		return nil, err
	}
	fields := diff(before, &after)
	if len(fields) == 0 {
		return before, nil
	}
	after.Version++
	after.UpdatedAt = ids.Now()
	if err := w.save(ctx, &after); err != nil {
		return nil, err
	}
	return &after, w.record(ctx, at, &after, kindOf(before, &after, fields), fields)
}

// save writes every field that can change in one statement.
func (w *writer) save(ctx context.Context, t *ent.Task) error {
	u := w.tx.Task.Update().Where(task.ID(t.ID)).
		SetTitle(t.Title).SetDescription(t.Description).SetPriority(t.Priority).SetLabels(t.Labels).
		SetDueSort(dueSort(t)).SetVersion(t.Version).SetUpdatedAt(t.UpdatedAt)
	setOrClear(t.CompletedAt, u.SetCompletedAt, u.ClearCompletedAt)
	setOrClear(t.DueOn, u.SetDueOn, u.ClearDueOn)
	setOrClear(t.DueAt, u.SetDueAt, u.ClearDueAt)
	setOrClear(t.DeletedAt, u.SetDeletedAt, u.ClearDeletedAt)
	n, err := u.Save(ctx)
	if err != nil {
		return fmt.Errorf("writing the task: %w", err)
	}
	if n != 1 {
		return fmt.Errorf("writing task %s changed %d rows", t.ID, n)
	}
	return nil
}

func setOrClear[T any](v *T, set func(T) *ent.TaskUpdate, clear func() *ent.TaskUpdate) {
	if v == nil {
		clear()
		return
	}
	set(*v)
}
