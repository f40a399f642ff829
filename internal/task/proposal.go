package task

import (
	"context"
	"fmt"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/apperr"
	"errand/internal/quota"
	"errand/internal/viewer"
)

// ProposalResult is what became of a proposed change.
type ProposalResult struct {
	Proposed enum.ProposedChange
	// Task is the task after the change; nil if Err is set.
	Task *ent.Task
	// Err is a fault that concerns this change alone, such as CONFLICT when the task has changed since.
	Err error
}

// ApplyProposal makes proposed changes in order. A change is made only if its task still has the version for which the
// change was proposed, or has been changed since by x alone. The error is a fault of the server, after which the
// transaction must not commit.
func (x Tx) ApplyProposal(ctx context.Context, tx *ent.Tx, proposal []enum.ProposedChange) ([]ProposalResult, error) {
	v, err := viewer.Require(ctx, viewer.TasksWrite)
	if err != nil {
		return nil, err
	}
	if err := quota.Lock(ctx, tx, v.UserID); err != nil {
		return nil, err
	}
	results := make([]ProposalResult, 0, len(proposal))
	for _, c := range proposal {
		t, err := x.applyProposed(ctx, c)
		if err != nil && !apperr.CodeOf(err).IsOfCaller() {
			return nil, err
		}
		results = append(results, ProposalResult{Proposed: c, Task: t, Err: err})
	}
	return results, nil
}

func (x Tx) applyProposed(ctx context.Context, c enum.ProposedChange) (*ent.Task, error) {
	before, err := x.client.Task.Get(ctx, c.TaskID)
	if ent.IsNotFound(err) {
		return nil, apperr.Missing("task")
	}
	if err != nil {
		return nil, fmt.Errorf("reading the task: %w", err)
	}
	if before.Version != c.Version && x.firstVersion(c.TaskID) != c.Version {
		return nil, apperr.New(apperr.Conflict, "The task has changed since: it is at version %d, not %d.",
			before.Version, c.Version)
	}
	if c.Undoes != "" {
		return x.undoProposed(ctx, c)
	}
	switch c.Kind {
	case enum.ChangeCompleted:
		return x.CompleteTask(ctx, c.TaskID)
	case enum.ChangeReopened:
		return x.ReopenTask(ctx, c.TaskID)
	case enum.ChangeDeleted:
		return x.DeleteTask(ctx, c.TaskID)
	case enum.ChangeRestored:
		return x.RestoreTask(ctx, c.TaskID)
	}
	patch, err := patchTo(c.Fields)
	if err != nil {
		return nil, err
	}
	return x.UpdateTask(ctx, c.TaskID, patch)
}

// undoProposed takes back a change of a task that has the version for which that was proposed, and so with the result
// that was proposed.
func (x Tx) undoProposed(ctx context.Context, c enum.ProposedChange) (*ent.Task, error) {
	undo, err := x.UndoChange(ctx, c.Undoes)
	if err != nil {
		return nil, err
	}
	if len(undo.Changes) == 0 {
		return nil, apperr.New(apperr.Conflict, "The change cannot be undone any more.")
	}
	return undo.Tasks[0], nil
}

// firstVersion returns the version of a task before the changes made through x, 0 without one.
func (x Tx) firstVersion(taskID string) int {
	for _, c := range *x.changes {
		if c.TaskID == taskID {
			return c.Version
		}
	}
	return 0
}

// patchTo returns the patch that sets fields to their values after the change.
func patchTo(fields []enum.FieldChange) (p Patch, err error) {
	for _, f := range fields {
		switch f.Name {
		case "title":
			p.Title = Optional[string]{IsSet: true, Value: f.To}
		case "description":
			p.Description = Optional[string]{IsSet: true, Value: f.To}
		case "priority":
			p.Priority.IsSet = true
			if f.To != nil {
				priority, err := enum.ParsePriority(*f.To)
				if err != nil {
					return p, err
				}
				p.Priority.Value = &priority
			}
		case "dueOn":
			p.DueOn = Optional[string]{IsSet: true, Value: f.To}
		case "dueAt":
			p.DueAt.IsSet = true
			if f.To != nil {
				at, err := time.Parse(time.RFC3339Nano, *f.To)
				if err != nil {
					return p, fmt.Errorf("reading the proposed due date: %w", err)
				}
				p.DueAt.Value = &at
			}
		case "labels":
			p.Labels = Some(f.ToLabels)
		case "completedAt":
			p.Completed = Some(f.To != nil)
		}
	}
	return p, nil
}
