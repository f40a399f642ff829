package tool

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/apperr"
	"errand/internal/task"
)

// The argument schemas of the tools that change tasks.
const (
	titleSchema = `"title":{"type":"string","minLength":1,"maxLength":200,
		"description":"What is to be done, one line."}`
	numberSchema = `"number":{"type":"integer","minimum":1,"description":"The task's number."}`
	fieldSchemas = `
		"description":{"type":"string","minLength":1,"maxLength":10000,"description":"Further details."},
		"priority":{"type":"string","enum":[` + priorityNames + `]},
		"due_on":{"type":"string","pattern":"^\\d{4}-\\d{2}-\\d{2}$",
			"description":"The day it is due, YYYY-MM-DD, when no time of day matters. Not together with due_at."},
		"due_at":{"type":"string","minLength":1,"maxLength":64,
			"description":"The instant it is due, RFC 3339 with offset, such as 2026-11-25T17:00:00+01:00. ` +
		`Not together with due_on."},
		"labels":{"type":"array","minItems":1,"maxItems":20,"items":{"type":"string","minLength":1,"maxLength":50}}`

	clearSchema = `"clear":{"type":"array","minItems":1,"maxItems":4,"description":"Fields to empty.",
		"items":{"type":"string","enum":["description","priority","due","labels"]}}`

	createArgsSchema = `{"type":"object","additionalProperties":false,"required":["title"],"properties":{` +
		titleSchema + `,` + fieldSchemas + `}}`
	updateArgsSchema = `{"type":"object","additionalProperties":false,"required":["number"],"properties":{` +
		numberSchema + `,` + titleSchema + `,` + fieldSchemas + `,` + clearSchema + `}}`
	numberArgsSchema = `{"type":"object","additionalProperties":false,"required":["number"],"properties":{` +
		numberSchema + `}}`
)

func addTask() *Tool {
	return &Tool{
		Name:         "add_task",
		Title:        "Add a task",
		Description:  "Adds a task to the user's list and gives it a number.",
		Schema:       json.RawMessage(createArgsSchema),
		OutputSchema: json.RawMessage(taskResultSchema),
		handle:       handleAdd,
		changedText:  "Added",
	}
}

func updateTask() *Tool {
	return &Tool{
		Name:          "update_task",
		Title:         "Change a task",
		Description:   "Changes fields of a task. Omitted and null fields stay; \"clear\" empties fields.",
		Schema:        json.RawMessage(updateArgsSchema),
		OutputSchema:  json.RawMessage(changeResultSchema),
		Destructive:   true,
		Idempotent:    true,
		handle:        handleUpdate,
		changedText:   "Changed",
		unchangedText: "Unchanged:",
	}
}

// changeTask returns a handler that changes the task and returns the change.
func changeTask(
	change func(tasks Tasks, ctx context.Context, id string) (*ent.Task, error),
) func(context.Context, Tasks, *ent.Task) (any, error) {
	return func(ctx context.Context, tasks Tasks, before *ent.Task) (any, error) {
		after, err := change(tasks, ctx, before.ID)
		return describeChange(ctx, tasks, before, after, err)
	}
}

func completeTask() *Tool {
	return &Tool{
		Name:          "complete_task",
		Title:         "Complete a task",
		Description:   "Marks a task as done. \"changed\" is false when it already was.",
		Schema:        json.RawMessage(numberArgsSchema),
		OutputSchema:  json.RawMessage(changeResultSchema),
		Idempotent:    true,
		changedText:   "Completed",
		unchangedText: "Already completed:",
		handle:        withTask(changeTask(Tasks.CompleteTask)),
	}
}

func reopenTask() *Tool {
	return &Tool{
		Name:          "reopen_task",
		Title:         "Reopen a task",
		Description:   "Marks a task as not done. \"changed\" is false when it was not done.",
		Schema:        json.RawMessage(numberArgsSchema),
		OutputSchema:  json.RawMessage(changeResultSchema),
		Idempotent:    true,
		changedText:   "Reopened",
		unchangedText: "Already open:",
		handle:        withTask(changeTask(Tasks.ReopenTask)),
	}
}

func deleteTask() *Tool {
	return &Tool{
		Name:  "delete_task",
		Title: "Delete a task",
		Description: "Deletes a task. Look it up first when the user described it in words, " +
			"and ask when several match.",
		Schema:       json.RawMessage(numberArgsSchema),
		OutputSchema: json.RawMessage(taskResultSchema),
		Destructive:  true,
		changedText:  "Deleted",
		handle: withTask(func(ctx context.Context, tasks Tasks, t *ent.Task) (any, error) {
			deleted, err := tasks.DeleteTask(ctx, t.ID)
			if err != nil {
				return nil, err
			}
			return DescribeTask(ctx, tasks, deleted)
		}),
	}
}

// fieldArgs are the arguments that add_task and update_task have in common.
type fieldArgs struct {
	Description task.Optional[string]   `json:"description"`
	Priority    task.Optional[priority] `json:"priority"`
	DueOn       task.Optional[string]   `json:"due_on"`
	DueAt       task.Optional[string]   `json:"due_at"`
	Labels      task.Optional[[]string] `json:"labels"`
}

func handleAdd(ctx context.Context, tasks Tasks, raw json.RawMessage) (any, error) {
	var args struct {
		Title string `json:"title"`
		fieldArgs
	}
	if err := json.Unmarshal(raw, &args); err != nil {
		return nil, fmt.Errorf("decoding arguments: %w", err)
	}
	dueAt, err := parseInstant(ctx, tasks, args.DueAt)
	if err != nil {
		return nil, err
	}
	in := task.CreateTaskInput{
		Title:       args.Title,
		Description: args.Description.Value,
		Priority:    (*enum.Priority)(args.Priority.Value),
		DueOn:       args.DueOn.Value,
		DueAt:       dueAt.Value,
	}
	if args.Labels.Value != nil {
		in.Labels = *args.Labels.Value
	}
	created, err := tasks.CreateTask(ctx, in)
	if err != nil {
		return nil, err
	}
	return DescribeTask(ctx, tasks, created)
}

func handleUpdate(ctx context.Context, tasks Tasks, raw json.RawMessage) (any, error) {
	var args struct {
		Number int                   `json:"number"`
		Title  task.Optional[string] `json:"title"`
		Clear  []string              `json:"clear"`
		fieldArgs
	}
	if err := json.Unmarshal(raw, &args); err != nil {
		return nil, fmt.Errorf("decoding arguments: %w", err)
	}
	dueAt, err := parseInstant(ctx, tasks, args.DueAt)
	if err != nil {
		return nil, err
	}
	before, err := requireTask(ctx, tasks, args.Number)
	if err != nil {
		return nil, err
	}
	patch := task.Patch{
		Title:       args.Title,
		Description: args.Description,
		Priority:    task.Optional[enum.Priority]{IsSet: args.Priority.IsSet, Value: (*enum.Priority)(args.Priority.Value)},
		DueOn:       args.DueOn,
		DueAt:       dueAt,
		Labels:      args.Labels,
	}
	if err := clearFields(&patch, args.Clear); err != nil {
		return nil, err
	}
	after, err := tasks.UpdateTask(ctx, before.ID, patch)
	return describeChange(ctx, tasks, before, after, err)
}

// clearFields lets a patch empty the fields. A field that the patch also sets is an error.
func clearFields(p *task.Patch, fields []string) error {
	for _, name := range fields {
		var set bool
		switch name {
		case "description":
			set, p.Description.IsSet = p.Description.IsSet, true
		case "priority":
			set, p.Priority.IsSet = p.Priority.IsSet, true
		case "labels":
			set, p.Labels.IsSet = p.Labels.IsSet, true
		case "due":
			set, p.DueOn.IsSet = p.DueOn.IsSet || p.DueAt.IsSet, true
		}
		if set {
			return apperr.Invalid("clear", "The argument clear names %s twice, or another argument sets it.", name)
		}
	}
	return nil
}

// parseInstant parses an instant. One without an offset is in the viewer's time zone.
func parseInstant(ctx context.Context, tasks Tasks, s task.Optional[string]) (task.Optional[time.Time], error) {
	out := task.Optional[time.Time]{IsSet: s.IsSet}
	if s.Value == nil {
		return out, nil
	}
	text := strings.ToUpper(strings.TrimSpace(*s.Value))
	if day, clock, ok := strings.Cut(text, " "); ok {
		text = day + "T" + strings.ReplaceAll(clock, " ", "")
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00"} {
		if at, err := time.Parse(layout, text); err == nil {
			out.Value = &at
			return out, nil
		}
	}
	zone, err := tasks.TimeZone(ctx)
	if err != nil {
		return out, err
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04"} {
		if at, err := time.ParseInLocation(layout, text, zone); err == nil {
			out.Value = &at
			return out, nil
		}
	}
	return out, apperr.Invalid("due_at", "due_at must be an instant in RFC 3339, such as 2026-11-25T17:00:00+01:00.")
}

// requireTask returns the viewer's task with the number, or a NOT_FOUND error.
func requireTask(ctx context.Context, tasks Tasks, number int) (*ent.Task, error) {
	t, err := tasks.FindTaskToChange(ctx, number)
	if err == nil && t == nil {
		notFound := apperr.New(apperr.NotFound, "There is no task %d.", number)
		notFound.Field = "number"
		return nil, notFound
	}
	return t, err
}

// withTask returns the handler of a tool whose only argument is the number of an existing task.
func withTask(fn func(ctx context.Context, tasks Tasks, t *ent.Task) (any, error)) handler {
	return func(ctx context.Context, tasks Tasks, raw json.RawMessage) (any, error) {
		var args struct {
			Number int `json:"number"`
		}
		if err := json.Unmarshal(raw, &args); err != nil {
			return nil, fmt.Errorf("decoding arguments: %w", err)
		}
		t, err := requireTask(ctx, tasks, args.Number)
		if err != nil {
			return nil, err
		}
		return fn(ctx, tasks, t)
	}
}
