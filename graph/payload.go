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

// patch tells fields that were left out from those that were given as null.
func patch(in model.UpdateTaskInput) task.Patch {
	p := task.Patch{
		Title: set(in.Title), Description: set(in.Description), Priority: set(in.Priority),
		DueOn: set(in.DueOn), DueAt: set(in.DueAt), Completed: set(in.Completed),
		ExpectedVersion: in.ExpectedVersion.Value(),
	}
	if labels, ok := in.Labels.ValueOK(); ok {
		p.Labels = task.Some(labels)
	}
	return p
}

func set[T any](o graphql.Omittable[*T]) task.Optional[T] {
	v, ok := o.ValueOK()
	return task.Optional[T]{IsSet: ok, Value: v}
}
