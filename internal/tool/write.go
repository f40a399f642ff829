package tool

import (
	"context"
	"encoding/json"
	"fmt"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/apperr"
	"errand/internal/task"
)

// The argument schemas of the tools that change tasks. See offeredSchema for "offer".
const (
	titleSchema       = `"title":{"type":"string","minLength":1,"maxLength":200}`
	descriptionSchema = `"description":{"type":"string","minLength":1,"maxLength":10000}`
	prioritySchema    = `"priority":{"type":"string","enum":[` + priorityNames + `]}`
	dueSchema         = `"due":{"type":"string","minLength":1,"maxLength":200`
	dueOnSchema       = `"due_on":{"type":"string","pattern":"^\\d{4}-\\d{2}-\\d{2}$","offer":"never"},
		"due_at":{"type":"string","minLength":1,"maxLength":64,"offer":"never"}`
	labelItems = `"type":"array","minItems":1,"maxItems":20,"items":{"type":"string","minLength":1,"maxLength":50}`

	newTaskSchemas = titleSchema + `,` + descriptionSchema + `,` + prioritySchema + `,` + dueSchema

	targetSchemas = `"number":{"type":"integer","minimum":1,"offer":"full"},
		"task":{"type":"string","minLength":1,"maxLength":300,"offer":"never"},
		"tasks":{"type":"array","minItems":1,"maxItems":50,"description":"Numbers, or the user's words for a task.",
		"items":{"type":"string","minLength":1,"maxLength":300}}`

	createArgsSchema = `{"type":"object","additionalProperties":false,"properties":{` +
		newTaskSchemas + `,"description":"In the user's words: \"tomorrow 5pm\"."},
		"labels":{` + labelItems + `},` + dueOnSchema + `,
		"tasks":{"type":"array","minItems":1,"maxItems":50,"description":"Several, instead of title.",
		"items":{"type":"object","additionalProperties":false,"required":["title"],"properties":{` +
		titleSchema + `,` + descriptionOfItem + `,` + priorityOfItem + `,` + dueSchema + `},"labels":{` + labelItems +
		`,"offer":"full"}}}}}}`
	descriptionOfItem = `"description":{"type":"string","minLength":1,"maxLength":10000,"offer":"full"}`
	priorityOfItem    = `"priority":{"type":"string","enum":[` + priorityNames + `],"offer":"never"}`

	updateArgsSchema = `{"type":"object","additionalProperties":false,"properties":{` +
		targetSchemas + `,` + titleSchema + `,` + descriptionSchema + `,
		"append_description":{"type":"string","minLength":1,"maxLength":10000},` +
		prioritySchema + `,` + dueSchema + `},
		"shift_due":{"type":"string","minLength":1,"maxLength":100,"description":"\"2 days\", \"to friday\"."},` +
		dueOnSchema + `,
		"labels":{"description":"Replaces all.",` + labelItems + `,"offer":"full"},
		"add_labels":{` + labelItems + `},
		"remove_labels":{` + labelItems + `},
		"clear":{"type":"array","minItems":1,"maxItems":4,"description":"Fields to empty.",
		"items":{"type":"string","enum":["description","priority","due","labels"]}}}}`
	targetArgsSchema = `{"type":"object","additionalProperties":false,"properties":{` + targetSchemas + `}}`
)

func addTask() *Tool {
	return &Tool{
		Name:         "add_task",
		Title:        "Add tasks",
		Description:  "Adds one task, or up to 50.\nTitles do without the due date. Nothing repeats or notifies.",
		Schema:       json.RawMessage(createArgsSchema),
		OutputSchema: json.RawMessage(taskResultSchema),
		handle:       handleAdd,
		changedText:  "Added",
	}
}

func updateTask() *Tool {
	return &Tool{
		Name:  "update_task",
		Title: "Change tasks",
		Description: "Changes fields of tasks; omitted ones stay.\n" +
			"description and labels replace what is there, append_description and add_labels add to it.",
		Schema:        json.RawMessage(updateArgsSchema),
		OutputSchema:  json.RawMessage(changeResultSchema),
		Destructive:   true,
		handle:        changeTasks(anyTask, prepareUpdate, describeChange),
		changedText:   "Changed",
		unchangedText: "Unchanged:",
	}
}

func describeChange(v taskView, changed bool) any { return changeResult{Task: v, Changed: changed} }

func completeTask() *Tool {
	return &Tool{
		Name:          "complete_task",
		Title:         "Complete tasks",
		Description:   "Marks tasks as done.",
		Schema:        json.RawMessage(targetArgsSchema),
		OutputSchema:  json.RawMessage(changeResultSchema),
		Idempotent:    true,
		changedText:   "Completed",
		unchangedText: "Already completed:",
		handle:        changeTasks(openTask, withoutArgs(Tasks.CompleteTask), describeChange),
	}
}

func reopenTask() *Tool {
	return &Tool{
		Name:          "reopen_task",
		Title:         "Reopen tasks",
		Description:   "Marks done tasks as open again.",
		Schema:        json.RawMessage(targetArgsSchema),
		OutputSchema:  json.RawMessage(changeResultSchema),
		Idempotent:    true,
		changedText:   "Reopened",
		unchangedText: "Already open:",
		handle:        changeTasks(doneTask, withoutArgs(Tasks.ReopenTask), describeChange),
	}
}

func deleteTask() *Tool {
	return &Tool{
		Name:          "delete_task",
		Title:         "Delete tasks",
		Description:   "Moves tasks to the trash.",
		Schema:        json.RawMessage(targetArgsSchema),
		OutputSchema:  json.RawMessage(taskResultSchema),
		Destructive:   true,
		changedText:   "Deleted",
		unchangedText: "Already deleted:",
		handle: changeTasks(anyTask, withoutArgs(Tasks.DeleteTask), func(v taskView, _ bool) any {
			return taskResult{Task: v}
		}),
	}
}

func restoreTask() *Tool {
	return &Tool{
		Name:          "restore_task",
		Title:         "Restore tasks",
		Description:   "Brings tasks back from the trash.",
		Schema:        json.RawMessage(targetArgsSchema),
		OutputSchema:  json.RawMessage(changeResultSchema),
		Idempotent:    true,
		changedText:   "Restored",
		unchangedText: "Not in the trash:",
		handle:        changeTasks(trashedTask, withoutArgs(Tasks.RestoreTask), describeChange),
	}
}

// newTaskArgs are the arguments of a new task.
type newTaskArgs struct {
	Title       string    `json:"title"`
	Description string    `json:"description"`
	Priority    *priority `json:"priority"`
	Labels      []string  `json:"labels"`
	dueArgs
}

// withDefaults returns the arguments with the fields that they lack from d, except the title.
func (a newTaskArgs) withDefaults(d newTaskArgs) newTaskArgs {
	if a.Description == "" {
		a.Description = d.Description
	}
	if a.Priority == nil {
		a.Priority = d.Priority
	}
	if a.Labels == nil {
		a.Labels = d.Labels
	}
	if a.dueArgs == (dueArgs{}) {
		a.dueArgs = d.dueArgs
	}
	return a
}

func (a newTaskArgs) create(ctx context.Context, tasks Tasks) (taskView, error) {
	on, at, err := a.dueFields(ctx, tasks)
	if err != nil {
		return taskView{}, err
	}
	in := task.CreateTaskInput{
		Title:    a.Title,
		Priority: (*enum.Priority)(a.Priority),
		DueOn:    on.Value,
		DueAt:    at.Value,
		Labels:   a.Labels,
	}
	if a.Description != "" {
		in.Description = &a.Description
	}
	created, err := tasks.CreateTask(ctx, in)
	if err != nil {
		return taskView{}, err
	}
	views, err := taskViews(ctx, tasks, created)
	if err != nil {
		return taskView{}, err
	}
	return views[0], nil
}

func handleAdd(ctx context.Context, tasks Tasks, raw json.RawMessage) (any, error) {
	var args struct {
		newTaskArgs
		Tasks []newTaskArgs `json:"tasks"`
	}
	if err := json.Unmarshal(raw, &args); err != nil {
		return nil, fmt.Errorf("decoding arguments: %w", err)
	}
	switch {
	case args.Title == "" && len(args.Tasks) == 0:
		return nil, apperr.Invalid("title", "The argument title is missing; send it, such as %s.", example("title"))
	case args.Title != "" && len(args.Tasks) > 0:
		return nil, apperr.Invalid("tasks", "Send either title or tasks, such as %s.", example("title"))
	case args.Title != "":
		v, err := args.create(ctx, tasks)
		if err != nil {
			return nil, err
		}
		return taskResult{Task: v}, nil
	}
	var out batchResult
	for _, one := range args.Tasks {
		v, err := one.withDefaults(args.newTaskArgs).create(ctx, tasks)
		if err := out.add(one.Title, v, true, err); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// updateArgs are the arguments of update_task beside the tasks.
type updateArgs struct {
	Title             task.Optional[string]   `json:"title"`
	Description       task.Optional[string]   `json:"description"`
	AppendDescription string                  `json:"append_description"`
	Priority          task.Optional[priority] `json:"priority"`
	ShiftDue          string                  `json:"shift_due"`
	Labels            task.Optional[[]string] `json:"labels"`
	AddLabels         []string                `json:"add_labels"`
	RemoveLabels      []string                `json:"remove_labels"`
	Clear             []string                `json:"clear"`
	dueArgs
}

// prepareUpdate decodes the arguments of update_task and checks all that does not depend on a task.
func prepareUpdate(ctx context.Context, tasks Tasks, raw json.RawMessage) (change, error) {
	var args updateArgs
	if err := json.Unmarshal(raw, &args); err != nil {
		return nil, fmt.Errorf("decoding arguments: %w", err)
	}
	if err := args.check(); err != nil {
		return nil, err
	}
	on, at, err := args.dueFields(ctx, tasks)
	if err != nil {
		return nil, err
	}
	patch := task.Patch{
		Title:       args.Title,
		Description: args.Description,
		Priority:    task.Optional[enum.Priority]{IsSet: args.Priority.IsSet, Value: (*enum.Priority)(args.Priority.Value)},
		DueOn:       on,
		DueAt:       at,
		Labels:      args.Labels,
	}
	if err := clearFields(&patch, args.Clear); err != nil {
		return nil, err
	}
	if !args.isRelative() {
		return func(ctx context.Context, tasks Tasks, before *ent.Task) (*ent.Task, error) {
			return tasks.UpdateTask(ctx, before.ID, patch)
		}, nil
	}
	return func(ctx context.Context, tasks Tasks, before *ent.Task) (*ent.Task, error) {
		return args.updateRelative(ctx, tasks, before, patch)
	}, nil
}

// check rejects arguments that change the same field twice.
func (a updateArgs) check() error {
	conflict := ""
	switch {
	case a.Description.IsSet && a.AppendDescription != "":
		conflict = "description and append_description"
	case a.Labels.IsSet && len(a.AddLabels)+len(a.RemoveLabels) > 0:
		conflict = "labels and add_labels or remove_labels"
	case a.ShiftDue != "" && a.dueArgs != (dueArgs{}):
		conflict = "due and shift_due"
	}
	if conflict == "" {
		return nil
	}
	return apperr.Invalid("arguments", "The arguments %s change the same field; send one of them, such as %s.",
		conflict, example("add_labels"))
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
