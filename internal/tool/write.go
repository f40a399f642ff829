package tool

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/apperr"
	"errand/internal/task"
)

const (
	fieldSchemas = `
		"description":{"type":["string","null"],"maxLength":10000,"description":"More about it."},
		"priority":{"type":"string","enum":[` + priorityNames + `]},
		"due_on":{"type":["string","null"],"description":"The day it is due, YYYY-MM-DD, when no time of day matters. Not together with due_at."},
		"due_at":{"type":["string","null"],"description":"The instant it is due, RFC 3339 with offset, such as 2026-11-25T17:00:00+01:00. Not together with due_on."},
		"labels":{"type":["array","null"],"maxItems":20,"items":{"type":"string","minLength":1,"maxLength":50}}`
	titleSchema  = `"title":{"type":"string","minLength":1,"maxLength":200,"description":"What is to be done, one line."}`
	numberSchema = `"number":{"type":"integer","minimum":1,"description":"The task's number."}`
	onlyNumber   = `{"type":"object","additionalProperties":false,"required":["number"],"properties":{` + numberSchema + `}}`
)

func (r *Registry) addTask() *Tool {
	return &Tool{
		Name: "add_task", Title: "Add a task",
		Description: "Adds a task to the person's list and gives it a number.",
		Schema: json.RawMessage(`{"type":"object","additionalProperties":false,"required":["title"],"properties":{` +
			titleSchema + `,` + fieldSchemas + `}}`),
		OutputSchema: json.RawMessage(oneTaskSchema),
		handle:       r.add, done: "Added",
	}
}

func (r *Registry) updateTask() *Tool {
	return &Tool{
		Name: "update_task", Title: "Change a task",
		Description: "Changes fields of a task. What is left out stays; null clears description, due date or labels.",
		Schema: json.RawMessage(`{"type":"object","additionalProperties":false,"required":["number"],"properties":{` +
			numberSchema + `,` + titleSchema + `,` + fieldSchemas + `}}`),
		OutputSchema: json.RawMessage(changedTaskSchema),
		Destructive:  true, Idempotent: true,
		handle: r.update, done: "Changed", same: "Already so:",
	}
}

func (r *Registry) completeTask() *Tool {
	return &Tool{
		Name: "complete_task", Title: "Complete a task",
		Description: "Marks a task as done. \"changed\" is false when it already was.",
		Schema:      json.RawMessage(onlyNumber), OutputSchema: json.RawMessage(changedTaskSchema), Idempotent: true,
		done: "Completed", same: "Already completed:",
		handle: r.byNumber(func(ctx context.Context, t *ent.Task) (any, error) {
			return r.changed(ctx, t)(r.tasks.CompleteTask(ctx, t.ID))
		}),
	}
}

func (r *Registry) reopenTask() *Tool {
	return &Tool{
		Name: "reopen_task", Title: "Reopen a task",
		Description: "Marks a task as not done. \"changed\" is false when it was not done.",
		Schema:      json.RawMessage(onlyNumber), OutputSchema: json.RawMessage(changedTaskSchema), Idempotent: true,
		done: "Reopened", same: "Already open:",
		handle: r.byNumber(func(ctx context.Context, t *ent.Task) (any, error) {
			return r.changed(ctx, t)(r.tasks.ReopenTask(ctx, t.ID))
		}),
	}
}

func (r *Registry) deleteTask() *Tool {
	return &Tool{
		Name: "delete_task", Title: "Delete a task",
		Description: "Deletes a task. Look it up first when the person described it in words, and ask when several match.",
		Schema:      json.RawMessage(onlyNumber), OutputSchema: json.RawMessage(oneTaskSchema), Destructive: true,
		done: "Deleted",
		handle: r.byNumber(func(ctx context.Context, t *ent.Task) (any, error) {
			deleted, err := r.tasks.DeleteTask(ctx, t.ID)
			if err != nil {
				return nil, err
			}
			return r.one(ctx, deleted)
		}),
	}
}

// fields are what add_task and update_task share.
type fields struct {
	Description task.Optional[string]   `json:"description"`
	Priority    task.Optional[priority] `json:"priority"`
	DueOn       task.Optional[string]   `json:"due_on"`
	DueAt       task.Optional[string]   `json:"due_at"`
	Labels      task.Optional[[]string] `json:"labels"`
}

func (r *Registry) add(ctx context.Context, raw json.RawMessage) (any, error) {
	var args struct {
		Title string `json:"title"`
		fields
	}
	if err := json.Unmarshal(raw, &args); err != nil {
		return nil, fmt.Errorf("reading arguments: %w", err)
	}
	in := task.CreateTaskInput{Title: args.Title, Description: args.Description.Value, DueOn: args.DueOn.Value}
	in.Priority = (*enum.Priority)(args.Priority.Value)
	if args.Labels.Value != nil {
		in.Labels = *args.Labels.Value
	}
	at, err := r.instant(ctx, args.DueAt)
	if err != nil {
		return nil, err
	}
	in.DueAt = at.Value
	made, err := r.tasks.CreateTask(ctx, in)
	if err != nil {
		return nil, err
	}
	return r.one(ctx, made)
}

func (r *Registry) update(ctx context.Context, raw json.RawMessage) (any, error) {
	var args struct {
		Number int              `json:"number"`
		Title  task.Optional[string] `json:"title"`
		fields
	}
	if err := json.Unmarshal(raw, &args); err != nil {
		return nil, fmt.Errorf("reading arguments: %w", err)
	}
	at, err := r.instant(ctx, args.DueAt)
	if err != nil {
		return nil, err
	}
	before, err := r.find(ctx, args.Number)
	if err != nil {
		return nil, err
	}
	return r.changed(ctx, before)(r.tasks.UpdateTask(ctx, before.ID, task.Patch{
		Title: args.Title, Description: args.Description, DueOn: args.DueOn, DueAt: at, Labels: args.Labels,
		Priority: task.Optional[enum.Priority]{IsSet: args.Priority.IsSet, Value: (*enum.Priority)(args.Priority.Value)},
	}))
}

// instant reads an instant; one without an offset is meant in the viewer's time zone.
func (r *Registry) instant(ctx context.Context, s task.Optional[string]) (task.Optional[time.Time], error) {
	out := task.Optional[time.Time]{IsSet: s.IsSet}
	if s.Value == nil {
		return out, nil
	}
	if at, err := time.Parse(time.RFC3339, *s.Value); err == nil {
		out.Value = &at
		return out, nil
	}
	zone, err := r.tasks.TimeZone(ctx)
	if err != nil {
		return out, err
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04"} {
		if at, err := time.ParseInLocation(layout, *s.Value, zone); err == nil {
			out.Value = &at
			return out, nil
		}
	}
	return out, apperr.Invalid("due_at", "Not an instant: write it as 2026-11-25T17:00:00+01:00.")
}

func (r *Registry) find(ctx context.Context, number int) (*ent.Task, error) {
	t, err := r.tasks.FindTaskByNumber(ctx, number)
	if err == nil && t == nil {
		missing := apperr.New(apperr.NotFound, "There is no task %d.", number)
		missing.Field = "number"
		return nil, missing
	}
	return t, err
}

func (r *Registry) byNumber(do func(ctx context.Context, t *ent.Task) (any, error)) handler {
	return func(ctx context.Context, raw json.RawMessage) (any, error) {
		var args struct {
			Number int `json:"number"`
		}
		if err := json.Unmarshal(raw, &args); err != nil {
			return nil, fmt.Errorf("reading arguments: %w", err)
		}
		t, err := r.find(ctx, args.Number)
		if err != nil {
			return nil, err
		}
		return do(ctx, t)
	}
}

func (r *Registry) one(ctx context.Context, t *ent.Task) (any, error) {
	views, err := r.views(ctx, t)
	if err != nil {
		return nil, err
	}
	return oneTask{Task: views[0]}, nil
}

// changed shows a task after a change that may have found nothing to do.
func (r *Registry) changed(ctx context.Context, before *ent.Task) func(*ent.Task, error) (any, error) {
	return func(after *ent.Task, err error) (any, error) {
		if err != nil {
			return nil, err
		}
		views, err := r.views(ctx, after)
		if err != nil {
			return nil, err
		}
		return changedTask{Task: views[0], Changed: after.Version != before.Version}, nil
	}
}
