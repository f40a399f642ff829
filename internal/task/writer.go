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

// changeWriter writes tasks and their history records in one transaction.
type changeWriter struct {
	tx     *ent.Tx
	viewer viewer.Viewer
}

// sequence holds the user's counters after an increment.
type sequence struct {
	// change is the sequence number of the change about to be recorded.
	change int
	// taskNumber is the user's highest task number.
	taskNumber int
}

// nextSequence increments the user's change counter, and with newTask the task
// counter. The update locks the user's row until the transaction ends, so the
// user's changes commit in the order of their sequence numbers.
func (w *changeWriter) nextSequence(ctx context.Context, newTask bool) (sequence, error) {
	const q = `UPDATE users SET last_change = last_change + 1, last_task_number = last_task_number + $1
		WHERE id = $2 RETURNING last_change, last_task_number`
	increment := 0
	if newTask {
		increment = 1
	}
	rows, err := w.tx.QueryContext(ctx, q, increment, w.viewer.UserID)
	if err != nil {
		return sequence{}, fmt.Errorf("locking the user: %w", err)
	}
	defer rows.Close()
	var seq sequence
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return seq, fmt.Errorf("locking the user: %w", err)
		}
		return seq, viewer.ErrAccountDeleted()
	}
	if err := rows.Scan(&seq.change, &seq.taskNumber); err != nil {
		return seq, fmt.Errorf("locking the user: %w", err)
	}
	return seq, rows.Err()
}

// recordChange stores the history record of a task that w has just written.
func (w *changeWriter) recordChange(
	ctx context.Context,
	seq sequence,
	t *ent.Task,
	kind enum.ChangeKind,
	fields []enum.FieldChange,
) error {
	create := w.tx.TaskChange.Create().
		SetTaskID(t.ID).
		SetSeq(seq.change).
		SetKind(kind).
		SetTaskVersion(t.Version).
		SetFields(fields).
		SetActor(enum.ActorKind(w.viewer.Actor)).
		SetClient(w.viewer.Client)
	// This transaction wrote the task, and the agent's transaction holds the tool
	// call's row: both are known to be the viewer's, so their edges need no query.
	ownIDs := []string{t.ID}
	if w.viewer.ToolCallID != "" {
		create.SetToolCallID(w.viewer.ToolCallID)
		ownIDs = append(ownIDs, w.viewer.ToolCallID)
	}
	if err := create.Exec(rule.SkipEdgeCheck(ctx, ownIDs...)); err != nil {
		return fmt.Errorf("recording the change: %w", err)
	}
	return nil
}

// updateTask is the only code that changes an existing task. Under the user's lock
// it reads the task, lets edit change a copy, and stores and records the
// difference. Without a difference it writes nothing.
func (w *changeWriter) updateTask(ctx context.Context, id string, edit func(t *ent.Task) error) (*ent.Task, error) {
	seq, err := w.nextSequence(ctx, false)
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
	if err := w.saveTask(ctx, &after); err != nil {
		return nil, err
	}
	return &after, w.recordChange(ctx, seq, &after, changeKind(before, &after, fields), fields)
}

// saveTask writes every mutable field in one statement.
func (w *changeWriter) saveTask(ctx context.Context, t *ent.Task) error {
	u := w.tx.Task.Update().Where(task.ID(t.ID)).
		SetTitle(t.Title).
		SetDescription(t.Description).
		SetPriority(t.Priority).
		SetLabels(t.Labels).
		SetDueSort(dueSort(t)).
		SetVersion(t.Version).
		SetUpdatedAt(t.UpdatedAt)
	setOrClear(t.CompletedAt, u.SetCompletedAt, u.ClearCompletedAt)
	setOrClear(t.DueOn, u.SetDueOn, u.ClearDueOn)
	setOrClear(t.DueAt, u.SetDueAt, u.ClearDueAt)
	setOrClear(t.DeletedAt, u.SetDeletedAt, u.ClearDeletedAt)
	n, err := u.Save(ctx)
	if err != nil {
		return fmt.Errorf("writing the task: %w", err)
	}
	if n != 1 {
		return fmt.Errorf("writing task %s: updated %d rows, want 1", t.ID, n)
	}
	return nil
}

func setOrClear[T any](v *T, set func(T) *ent.TaskUpdate, unset func() *ent.TaskUpdate) {
	if v == nil {
		unset()
		return
	}
	set(*v)
}
