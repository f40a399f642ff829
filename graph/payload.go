package graph

import (
	"errand/ent"
	"errand/graph/model"
	"errand/internal/task"

	"github.com/99designs/gqlgen/graphql"
)

// payload wraps what a mutation gives, unless it failed.
func payload[T, P any](_ T, err error, wrap func() *P) (*P, error) {
	if err != nil {
		return nil, err
	}
	return wrap(), nil
}

func taskPayload(t *ent.Task, err error) (*model.TaskPayload, error) {
	return payload(t, err, func() *model.TaskPayload { return &model.TaskPayload{Task: t} })
}

// taskPatch tells fields that were left out from those that were given as null.
func taskPatch(in model.UpdateTaskInput) task.Patch {
	p := task.Patch{
		Title: taskField(in.Title), Description: taskField(in.Description), Priority: taskField(in.Priority),
		DueOn: taskField(in.DueOn), DueAt: taskField(in.DueAt), Completed: taskField(in.Completed),
		ExpectedVersion: in.ExpectedVersion.Value(),
	}
	if labels, ok := in.Labels.ValueOK(); ok {
		p.Labels = task.Some(labels)
	}
	return p
}

func taskField[T any](o graphql.Omittable[*T]) task.Optional[T] {
	v, ok := o.ValueOK()
	return task.Optional[T]{IsSet: ok, Value: v}
}
