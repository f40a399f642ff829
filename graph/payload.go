package graph

import (
	"context"
	"slices"

	"errand/ent"
	"errand/graph/model"
	"errand/internal/task"

	"github.com/99designs/gqlgen/graphql"
)

// payload returns the payload that wrap makes of a mutation's result. It returns err when the mutation failed.
func payload[T, P any](_ T, err error, wrap func() *P) (*P, error) {
	if err != nil {
		return nil, err
	}
	return wrap(), nil
}

// taskPayload returns the payload of a mutation that changed t.
func taskPayload(t *ent.Task, err error) (*model.TaskPayload, error) {
	return payload(t, err, func() *model.TaskPayload { return &model.TaskPayload{Task: t} })
}

// conversationPayload returns the payload of a mutation that changed c.
func conversationPayload(c *ent.Conversation, err error) (*model.ConversationPayload, error) {
	return payload(c, err, func() *model.ConversationPayload { return &model.ConversationPayload{Conversation: c} })
}

// withUndoSiblings registers the changes of an undo as siblings, and passes its results on.
func withUndoSiblings(ctx context.Context) func(*task.Undo, error) (*task.Undo, error) {
	return func(u *task.Undo, err error) (*task.Undo, error) {
		if err == nil {
			registerSiblings(ctx, func() []*ent.TaskChange {
				all := slices.Concat(u.Changes, u.Undone)
				for _, s := range u.Skipped {
					all = append(all, s.Change)
				}
				return all
			})
			registerSiblings(ctx, func() []*ent.Task { return u.Tasks })
		}
		return u, err
	}
}

// taskOperations converts the operations of applyTasks. Each has one field.
func taskOperations(in []*model.TaskOperation) []task.Operation {
	out := make([]task.Operation, len(in))
	for i, op := range in {
		out[i] = task.Operation{
			Create:   op.Create,
			Complete: op.Complete,
			Reopen:   op.Reopen,
			Delete:   op.Delete,
			Restore:  op.Restore,
		}
		if op.Update != nil {
			out[i].Update = &task.Update{ID: op.Update.ID, Patch: taskPatch(*op.Update)}
		}
	}
	return out
}

// taskPatch converts the input of updateTask. A field that is absent stays unchanged; null clears it.
func taskPatch(in model.UpdateTaskInput) task.Patch {
	p := task.Patch{
		Title:           patchField(in.Title),
		Description:     patchField(in.Description),
		Priority:        patchField(in.Priority),
		DueOn:           patchField(in.DueOn),
		DueAt:           patchField(in.DueAt),
		Completed:       patchField(in.Completed),
		ExpectedVersion: in.ExpectedVersion.Value(),
	}
	if labels, ok := in.Labels.ValueOK(); ok {
		p.Labels = task.Some(labels)
	}
	return p
}

func patchField[T any](o graphql.Omittable[*T]) task.Optional[T] {
	v, ok := o.ValueOK()
	return task.Optional[T]{IsSet: ok, Value: v}
}

// toolCallID returns the id of the tool call that made a change, or "".
func toolCallID(c *ent.TaskChange) string {
	if c.ToolCallID == nil {
		return ""
	}
	return *c.ToolCallID
}
