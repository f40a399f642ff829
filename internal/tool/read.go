package tool

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/page"
	"errand/internal/task"
)

// Parts of the argument schemas of the tools that read.
const (
	daySchema = `{"type":"string","pattern":"^\\d{4}-\\d{2}-\\d{2}$"`

	listArgsSchema = `{"type":"object","additionalProperties":false,"properties":{
		"status":{"type":"string","enum":["pending","completed","all"]},
		"search":{"type":"string","minLength":1,"maxLength":200,"description":"Words, or their beginnings."},
		"labels":{"type":"array","minItems":1,"maxItems":20,"items":{"type":"string","minLength":1,"maxLength":50}},
		"priority":{"type":"array","minItems":1,"maxItems":5,"items":{"type":"string","enum":[` + priorityNames + `]}},
		"due_from":` + daySchema + `,"description":"YYYY-MM-DD."},
		"due_to":` + daySchema + `},
		"overdue":{"type":"boolean"},
		"no_due":{"type":"boolean"},
		"completed_from":` + daySchema + `,"offer":"full"},
		"completed_to":` + daySchema + `,"offer":"full"},
		"trashed":{"type":"boolean"},
		"sort":{"type":"string","enum":["due","priority","number","title","updated"],"offer":"full"},
		"limit":{"type":"integer","minimum":1,"maximum":100,"offer":"full"},
		"after":{"type":"integer","minimum":0,"description":"Number of the last task seen."}}}`
	getArgsSchema = `{"type":"object","additionalProperties":false,"properties":{
		"number":{"type":"integer","minimum":1,"offer":"full"},
		"task":{"type":"string","minLength":1,"maxLength":300,"description":"Or words."}}}`
)

func listTasks() *Tool {
	return &Tool{
		Name:  "list_tasks",
		Title: "List tasks",
		Description: "Lists tasks: by default the pending ones, the earliest due first.\n" +
			"All conditions hold together. \"total\" counts the matches; \"after\" reads on.",
		Schema:       json.RawMessage(listArgsSchema),
		OutputSchema: json.RawMessage(listResultSchema),
		ReadOnly:     true,
		Idempotent:   true,
		handle:       handleList,
	}
}

func getTask() *Tool {
	return &Tool{
		Name:         "get_task",
		Title:        "Show a task",
		Description:  "Shows one task with its description and times.",
		Schema:       json.RawMessage(getArgsSchema),
		OutputSchema: json.RawMessage(taskOnlySchema),
		ReadOnly:     true,
		Idempotent:   true,
		changedText:  "This is",
		handle:       handleGet,
	}
}

func handleGet(ctx context.Context, tasks Tasks, raw json.RawMessage) (any, error) {
	var args targetArgs
	if err := json.Unmarshal(raw, &args); err != nil {
		return nil, fmt.Errorf("decoding arguments: %w", err)
	}
	refs, _, err := args.references()
	if err != nil {
		return nil, err
	}
	found, err := target{byNumber: Tasks.FindTaskByNumber}.find(ctx, tasks, refs[0])
	if err != nil {
		return nil, err
	}
	views, err := taskViews(ctx, tasks, found)
	if err != nil {
		return nil, err
	}
	views[0].addTimes(found)
	return taskResult{Task: views[0]}, nil
}

type listArgs struct {
	Status        string     `json:"status"`
	Search        *string    `json:"search"`
	Labels        []string   `json:"labels"`
	Priority      []priority `json:"priority"`
	DueFrom       *string    `json:"due_from"`
	DueTo         *string    `json:"due_to"`
	Overdue       *bool      `json:"overdue"`
	NoDue         *bool      `json:"no_due"`
	CompletedFrom *string    `json:"completed_from"`
	CompletedTo   *string    `json:"completed_to"`
	Trashed       bool       `json:"trashed"`
	Sort          string     `json:"sort"`
	Limit         int        `json:"limit"`
	After         int        `json:"after"`
}

// status returns the state of the listed tasks. Conditions on the completion time select completed tasks.
func (a listArgs) status() enum.TaskStatus {
	switch {
	case a.Status != "":
		return enum.TaskStatus(strings.ToUpper(a.Status))
	case a.Trashed:
		return enum.TaskAll
	case a.CompletedFrom != nil || a.CompletedTo != nil:
		return enum.TaskCompleted
	default:
		return enum.TaskPending
	}
}

// filter returns the conditions. Labels are matched without case.
func (a listArgs) filter(ctx context.Context, tasks Tasks) (*task.Filter, error) {
	status := a.status()
	f := &task.Filter{
		Status:        &status,
		Search:        a.Search,
		DueFrom:       a.DueFrom,
		DueTo:         a.DueTo,
		Overdue:       a.Overdue,
		NoDue:         a.NoDue,
		CompletedFrom: a.CompletedFrom,
		CompletedTo:   a.CompletedTo,
	}
	if a.NoDue != nil && !*a.NoDue {
		f.NoDue = nil // models send false for "does not matter"
	}
	if a.Overdue != nil && !*a.Overdue {
		f.Overdue = nil
	}
	if a.Trashed {
		f.Trashed = &a.Trashed
	}
	for _, p := range a.Priority {
		f.Priority = append(f.Priority, enum.Priority(p))
	}
	if len(a.Labels) == 0 {
		return f, nil
	}
	used, err := tasks.ListLabels(ctx, nil)
	if err != nil {
		return nil, err
	}
	for _, label := range a.Labels {
		spellings := []string{label}
		for _, u := range used {
			if u.Name != label && strings.EqualFold(u.Name, strings.TrimSpace(label)) {
				spellings = append(spellings, u.Name)
			}
		}
		f.LabelSpellings = append(f.LabelSpellings, spellings)
	}
	return f, nil
}

// order returns the order of the list: by default that of due dates; for done and deleted
// tasks that of the newest change.
func (a listArgs) order() task.Order {
	sort := a.Sort
	if sort == "" {
		sort = "due"
		if a.Trashed || a.status() == enum.TaskCompleted {
			sort = "updated"
		}
	}
	switch sort {
	case "priority":
		return task.Order{Field: enum.OrderPriority, Direction: enum.Descending}
	case "number":
		return task.Order{Field: enum.OrderNumber, Direction: enum.Ascending}
	case "title":
		return task.Order{Field: enum.OrderTitle, Direction: enum.Ascending}
	case "updated":
		return task.Order{Field: enum.OrderUpdatedAt, Direction: enum.Descending}
	default:
		return task.Order{Field: enum.OrderDue, Direction: enum.Ascending, PriorityFirst: true}
	}
}

func handleList(ctx context.Context, tasks Tasks, raw json.RawMessage) (any, error) {
	args := listArgs{Limit: 50}
	if err := json.Unmarshal(raw, &args); err != nil {
		return nil, fmt.Errorf("decoding arguments: %w", err)
	}
	filter, err := args.filter(ctx, tasks)
	if err != nil {
		return nil, err
	}
	order := args.order()
	window := page.Args{First: &args.Limit}
	if args.After > 0 {
		after, err := tasks.AfterTask(ctx, args.After, order)
		if err != nil {
			return nil, err
		}
		window.After = &after
	}
	found, err := tasks.ListTasks(ctx, window, &order, filter)
	if err != nil {
		return nil, err
	}
	total := len(found.Edges)
	if found.PageInfo.HasNextPage || args.After > 0 {
		if total, err = found.TotalCount(ctx); err != nil {
			return nil, err
		}
	}
	near, err := args.near(ctx, tasks, total)
	if err != nil {
		return nil, err
	}
	views, err := taskViews(ctx, tasks, append(found.Nodes(), near...)...)
	if err != nil {
		return nil, err
	}
	for i, t := range append(found.Nodes(), near...) {
		views[i].addTimes(t)
	}
	n := len(found.Edges)
	return listResult{Tasks: limitSize(views[:n]), Total: total, Near: limitSize(views[n:])}, nil
}

// maxNear is how many tasks that resemble a search are listed.
const maxNear = 5

// near returns tasks whose titles resemble the search, in any state, when no task matches it.
func (a listArgs) near(ctx context.Context, tasks Tasks, total int) ([]*ent.Task, error) {
	if total > 0 || a.Search == nil || strings.TrimSpace(*a.Search) == "" {
		return nil, nil
	}
	scope := task.Scope{}
	if a.Trashed {
		scope.Trashed = &a.Trashed
	}
	match, err := tasks.FindTaskByReference(ctx, *a.Search, scope)
	if err != nil {
		return nil, ignoreCallerFault(err)
	}
	var near []*ent.Task
	if match.Certain != nil {
		near = append(near, match.Certain)
	}
	for _, c := range match.Candidates {
		near = append(near, c.Task)
	}
	return near[:min(len(near), maxNear)], nil
}

// maxListBytes bounds the JSON of a list, so that long descriptions do not fill a model's context window.
const maxListBytes = 32 << 10

// limitSize returns the longest prefix of views within maxListBytes, at least one task. Tasks are
// never cut: a model that sees half a description might write it back.
func limitSize(views []taskView) []taskView {
	size := 0
	for i, v := range views {
		b, err := json.Marshal(v)
		if size += len(b); i > 0 && (err != nil || size > maxListBytes) {
			return views[:i]
		}
	}
	return views
}
