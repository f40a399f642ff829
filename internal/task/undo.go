package task

import (
	"context"
	"errors"
	"fmt"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/predicate"
	"errand/ent/taskchange"
	"errand/internal/apperr"
	"errand/internal/ids"
	"errand/internal/quota"
	"errand/internal/viewer"

	"entgo.io/ent/dialect/sql"
)

// MaxUndo is the largest number of changes that one undo takes back. Of a larger batch it takes back the newest, and
// the same undo again takes back more.
const MaxUndo = 1000

// Undo is the result of an undo.
type Undo struct {
	// BatchID is the batch of Changes, which UndoChange takes back (redo); nil when there are none.
	BatchID *string
	// Changes are the changes that undo others, oldest first. Undone are the changes that they undo, in the same order.
	// They include those of earlier undos of the same changes, so that a repeated undo has the same result.
	Changes, Undone []*ent.TaskChange
	// Skipped are the changes that were not undone, or not in all fields.
	Skipped []SkippedChange
	// Tasks are the tasks of Undone after the undo, each once.
	Tasks []*ent.Task
}

// SkippedChange is a change that an undo left as it is, in whole or in part.
type SkippedChange struct {
	Change *ent.TaskChange
	// Fields are the fields that were not put back.
	Fields []string
	// Reason is a sentence for users.
	Reason string
}

// UndoChange takes back a change, or all changes of a batch, newest first. A field is put back if its present value is
// the one that the change left; otherwise it is skipped. Undoing the creation or the restoration of a task moves it to
// the trash. An undo is a change itself, so that undoing it is a redo. An unknown id is NOT_FOUND.
func (o operations) UndoChange(ctx context.Context, id string) (*Undo, error) {
	if ids.Is(id, ids.Change) {
		return o.undo(ctx, taskchange.ID(id), "change")
	}
	return o.undo(ctx, taskchange.BatchID(id), "change")
}

// UndoTurn is UndoChange for the changes of a reply. It works after the deletion of the conversation too. A reply
// without changes is NOT_FOUND.
func (o operations) UndoTurn(ctx context.Context, messageID string) (*Undo, error) {
	if _, err := viewer.Require(ctx, viewer.TasksWrite); err != nil {
		return nil, err
	}
	if !ids.Is(messageID, ids.Message) {
		return nil, apperr.Missing("change of this reply")
	}
	return o.undo(ctx, taskchange.BatchID(messageID), "change of this reply")
}

func (o operations) undo(ctx context.Context, which predicate.TaskChange, what string) (result *Undo, err error) {
	_, err = o.write(ctx, func(ctx context.Context, w *changeWriter) (*ent.Task, error) {
		result, err = w.undoChanges(ctx, which, what)
		return nil, err
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

// undoChanges takes back the changes that match which. It counts as one change for the rate limit.
func (w *changeWriter) undoChanges(ctx context.Context, which predicate.TaskChange, what string) (*Undo, error) {
	if err := w.limits.AllowMutation(ctx, w.tx); err != nil {
		return nil, err
	}
	undoing := *w
	undoing.limits.MutationsPerMinute = 0
	if undoing.viewer.BatchID == "" {
		undoing.viewer.BatchID = newBatchID()
	}
	// Under the lock no other undo of the same changes runs.
	if err := quota.Lock(ctx, w.tx, w.viewer.UserID); err != nil {
		return nil, err
	}
	found, log, err := undoing.readUndo(ctx, which)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, apperr.Missing(what)
	}
	u := &Undo{}
	tasks := map[string]*ent.Task{}
	for _, c := range found {
		t, err := undoing.undoChange(ctx, c, log, u)
		if err != nil {
			return nil, err
		}
		if tasks[c.TaskID] == nil {
			u.Tasks = append(u.Tasks, t)
		}
		tasks[c.TaskID] = t
	}
	for i, t := range u.Tasks {
		u.Tasks[i] = tasks[t.ID]
	}
	if n := len(u.Changes); n > 0 {
		u.BatchID = u.Changes[n-1].BatchID
	}
	return u, nil
}

var newBatchID = ids.New(ids.Batch)

// readUndo returns the changes that match which, newest first, and the log of the undos of their tasks. Of more than
// MaxUndo changes it leaves out those that are undone.
func (w *changeWriter) readUndo(ctx context.Context, which predicate.TaskChange) ([]*ent.TaskChange, undoLog, error) {
	matching := w.tx.TaskChange.Query().Where(which).Order(taskchange.BySeq(sql.OrderDesc()))
	found, err := matching.Clone().Select(taskchange.FieldID, taskchange.FieldTaskID).All(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the changes to undo: %w", err)
	}
	log, err := readUndoLog(ctx, w.tx.Client(), found)
	if err != nil || len(found) == 0 {
		return nil, nil, err
	}
	var chosen []string
	for _, c := range found {
		if len(found) <= MaxUndo || log.undoOf(c.ID) == nil {
			chosen = append(chosen, c.ID)
		}
	}
	if len(chosen) > MaxUndo {
		chosen = chosen[:MaxUndo]
	}
	found, err = matching.Where(taskchange.IDIn(chosen...)).All(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the changes to undo: %w", err)
	}
	return found, log, nil
}

// undoChange takes back c, unless it is undone already, and adds the outcome to u. It returns the task.
func (w *changeWriter) undoChange(ctx context.Context, c *ent.TaskChange, log undoLog, u *Undo) (*ent.Task, error) {
	if earlier := log.undoOf(c.ID); earlier != nil {
		full, err := w.tx.TaskChange.Get(ctx, earlier.ID)
		if err != nil {
			return nil, fmt.Errorf("reading the earlier undo: %w", err)
		}
		u.add(c, full, fieldsNotUndone(c, full))
		return w.tx.Task.Get(ctx, c.TaskID)
	}
	made := c
	if redo := log.redoOf(c.ID); redo != nil && c.Kind == enum.ChangeDeleted {
		// The redo has put the task into the trash at another time, which is the present value.
		full, err := w.tx.TaskChange.Get(ctx, redo.ID)
		if err != nil {
			return nil, fmt.Errorf("reading the redo: %w", err)
		}
		made = full
	}
	var left leftFields
	w.undoes, w.recorded = c.ID, nil
	t, err := w.updateTask(ctx, c.TaskID, func(t *ent.Task) (err error) {
		left, err = takeBack(made, t)
		return err
	})
	w.undoes = ""
	// A quota refuses before anything is written.
	if e, ok := errors.AsType[*apperr.Error](err); ok && e.Code == apperr.Forbidden && e.Limit != "" {
		left = leftFields{fields: fieldNames(c), reason: e.Message}
		t, err = w.tx.Task.Get(ctx, c.TaskID)
	}
	if err != nil {
		return nil, err
	}
	u.add(c, w.recorded, left)
	if w.recorded != nil {
		log.add(w.recorded)
	}
	return t, nil
}

// add adds the outcome of the undo of c: the change that undoes it, nil if there is none, and the fields left.
func (u *Undo) add(c, undo *ent.TaskChange, left leftFields) {
	if undo != nil {
		u.Changes, u.Undone = append(u.Changes, undo), append(u.Undone, c)
	}
	if len(left.fields) > 0 {
		u.Skipped = append(u.Skipped, SkippedChange{Change: c, Fields: left.fields, Reason: left.reason})
	}
}
