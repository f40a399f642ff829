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
	"errand/internal/quota"
	"errand/internal/store"
	"errand/internal/viewer"
)

// changeWriter writes tasks and their history records in one transaction.
type changeWriter struct {
	tx     *ent.Tx
	viewer viewer.Viewer
	limits quota.Limits
	// changes, when set, collects the changes.
	changes *[]enum.ProposedChange
	// undoes is the change that w takes back, "" for none.
	undoes string
	// recorded is the history record that w has stored last.
	recorded *ent.TaskChange
	// queued is the client of queue, nil before its first use.
	queued *ent.Client
}

// queue returns the client that writes what follows the update of the counters. That update holds the lock of the
// user's row, under which all of the user's tasks change.
func (w *changeWriter) queue() *ent.Client {
	if w.queued == nil {
		w.queued = store.Queue(w.tx)
	}
	return w.queued
}

// count changes the user's counters by d for one task change, and assigns the change's position. The update locks the
// user's row until the transaction ends, so the user's changes commit in the order of their positions. On error it has
// changed nothing, so the caller's transaction may continue.
func (w *changeWriter) count(ctx context.Context, d quota.Delta) (quota.Sequence, error) {
	d.TaskChanges = 1
	return w.limits.Apply(ctx, w.tx, w.viewer, d)
}

// recordChange stores the history record of a task that w has just written.
func (w *changeWriter) recordChange(
	ctx context.Context,
	seq quota.Sequence,
	t *ent.Task,
	kind enum.ChangeKind,
	fields []enum.FieldChange,
) error {
	create := w.queue().TaskChange.Create().
		SetTaskID(t.ID).
		SetSeq(seq.TaskChange).
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
	if w.viewer.BatchID != "" {
		create.SetBatchID(w.viewer.BatchID)
	}
	if w.undoes != "" { // read by this transaction
		create.SetUndoes(w.undoes)
		ownIDs = append(ownIDs, w.undoes)
	}
	recorded, err := create.Save(rule.SkipEdgeCheck(ctx, ownIDs...))
	if err != nil {
		return fmt.Errorf("recording the change: %w", err)
	}
	w.recorded = recorded
	return nil
}

// updateTask is the only code that changes an existing task. Under the user's lock
// it reads the task, lets edit change a copy, and stores and records the
// difference. Without a difference it writes nothing.
func (w *changeWriter) updateTask(ctx context.Context, id string, edit func(t *ent.Task) error) (*ent.Task, error) {
	if err := quota.QueueLock(ctx, w.tx, w.viewer.UserID); err != nil {
		return nil, err
	}
	before, err := w.tx.Task.Get(ctx, id)
	if ent.IsNotFound(err) {
		if err := quota.Lock(ctx, w.tx, w.viewer.UserID); err != nil { // the account was deleted
			return nil, err
		}
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
	index := w.planIndex(before, &after)
	d := updateDelta(before, &after, fields)
	if w.undoes != "" && d.BytesCheck == quota.WithinLimit {
		d.BytesCheck = quota.WithinReserve // a user at the limit can still take back a change
	}
	seq, err := w.count(ctx, d)
	if err != nil {
		return nil, err
	}
	after.Version++
	after.IndexedVersion = after.Version
	after.UpdatedAt = ids.Now()
	if err := w.saveTask(ctx, &after); err != nil {
		return nil, err
	}
	if err := index(ctx); err != nil {
		return nil, err
	}
	kind := changeKind(before, &after, fields)
	w.collect(before, before.Version, kind, fields)
	return &after, w.recordChange(ctx, seq, &after, kind, fields)
}

// collect adds a change of a task to w.changes. version is that before the change.
func (w *changeWriter) collect(t *ent.Task, version int, kind enum.ChangeKind, fields []enum.FieldChange) {
	if w.changes == nil {
		return
	}
	*w.changes = append(*w.changes, enum.ProposedChange{
		TaskID:  t.ID,
		Number:  t.Number,
		Title:   t.Title,
		Version: version,
		Kind:    kind,
		Fields:  fields,
		Undoes:  w.undoes,
	})
}

// updateDelta returns the change of the user's counters when a task changes. A change of the state, the priority or the
// due date adds no text.
func updateDelta(before, after *ent.Task, fields []enum.FieldChange) quota.Delta {
	d := quota.Delta{
		Bytes:      quota.TaskBytes(after) - quota.TaskBytes(before) + quota.ChangeBytes(fields),
		BytesCheck: quota.WithinReserve,
	}
	*taskCount(&d, before)--
	*taskCount(&d, after)++
	for _, f := range fields {
		if f.Name == "title" || f.Name == "description" || f.Name == "labels" {
			d.BytesCheck = quota.WithinLimit
		}
	}
	if before.DeletedAt == nil && after.DeletedAt != nil {
		d.BytesCheck = quota.Unchecked
	}
	return d
}

// taskCount returns the member of d that counts tasks in the state of t.
func taskCount(d *quota.Delta, t *ent.Task) *int {
	switch {
	case t.DeletedAt != nil:
		return &d.Trashed
	case t.Completed():
		return &d.Completed
	default:
		return &d.Open
	}
}

// saveTask writes every mutable field of a task that w has read under the lock of the user's row.
func (w *changeWriter) saveTask(ctx context.Context, t *ent.Task) error {
	u := w.queue().Task.Update().Where(task.ID(t.ID)).
		SetTitle(t.Title).
		SetDescription(t.Description).
		SetPriority(t.Priority).
		SetLabels(t.Labels).
		SetDueSort(dueSort(t)).
		SetVersion(t.Version).
		SetIndexedVersion(t.IndexedVersion).
		SetTermCount(t.TermCount).
		SetUpdatedAt(t.UpdatedAt)
	setOrClear(t.CompletedAt, u.SetCompletedAt, u.ClearCompletedAt)
	setOrClear(t.DueOn, u.SetDueOn, u.ClearDueOn)
	setOrClear(t.DueAt, u.SetDueAt, u.ClearDueAt)
	setOrClear(t.DeletedAt, u.SetDeletedAt, u.ClearDeletedAt)
	if err := u.Exec(ctx); err != nil {
		return fmt.Errorf("writing the task: %w", err)
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
