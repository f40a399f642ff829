package tool

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"errand/ent/enum"
	"errand/internal/page"
	"errand/internal/task"
)

func listTasks() *Tool {
	return &Tool{
		Name:  "list_tasks",
		Title: "List tasks",
		Description: "Lists the user's tasks in the order of their numbers. Use it to find a task before changing one " +
			"that the user described in words. \"total\" counts all that match, \"tasks\" holds at most \"limit\" of them.",
		Schema: json.RawMessage(`{"type":"object","additionalProperties":false,"properties":{
			"status":{"type":"string","enum":["all","pending","completed"],"description":"Filter by state; all by default."},
			"search":{"type":"string","minLength":1,"maxLength":200,
				"description":"Beginnings of words that the title or the description contains."},
			"label":{"type":"string","minLength":1,"maxLength":50,"description":"A label that the tasks have."},
			"priority":{"type":"string","enum":[` + priorityNames + `]},
			"due_from":{"type":"string","pattern":"^\\d{4}-\\d{2}-\\d{2}$",
				"description":"Due on this day or later, YYYY-MM-DD."},
			"due_to":{"type":"string","pattern":"^\\d{4}-\\d{2}-\\d{2}$",
				"description":"Due on this day or earlier, YYYY-MM-DD."},
			"limit":{"type":"integer","minimum":1,"maximum":100,"description":"At most this many; 50 by default."},
			"after":{"type":"integer","minimum":0,"description":"Only tasks with a greater number. ` +
			`To read the next part of a long list, pass the last number seen."}}}`),
		OutputSchema: json.RawMessage(listResultSchema),
		ReadOnly:     true,
		Idempotent:   true,
		handle:       handleList,
	}
}

type listArgs struct {
	Status   string    `json:"status"`
	Search   *string   `json:"search"`
	Label    *string   `json:"label"`
	Priority *priority `json:"priority"`
	DueFrom  *string   `json:"due_from"`
	DueTo    *string   `json:"due_to"`
	Limit    int       `json:"limit"`
	After    int       `json:"after"`
}

func (a listArgs) filter() *task.Filter {
	f := &task.Filter{
		Search:  a.Search,
		Label:   a.Label,
		DueFrom: a.DueFrom,
		DueTo:   a.DueTo,
	}
	if a.Status != "" {
		status := enum.TaskStatus(strings.ToUpper(a.Status))
		f.Status = &status
	}
	if a.Priority != nil {
		f.Priority = []enum.Priority{enum.Priority(*a.Priority)}
	}
	return f
}

func handleList(ctx context.Context, tasks Tasks, raw json.RawMessage) (any, error) {
	args := listArgs{Limit: 50}
	if err := json.Unmarshal(raw, &args); err != nil {
		return nil, fmt.Errorf("decoding arguments: %w", err)
	}
	byNumber := &task.Order{Field: enum.OrderNumber, Direction: enum.Ascending}
	window := page.Args{First: &args.Limit}
	if args.After > 0 {
		after := task.AfterNumber(args.After)
		window.After = &after
	}
	found, err := tasks.ListTasks(ctx, window, byNumber, args.filter())
	if err != nil {
		return nil, err
	}
	total := len(found.Edges)
	if found.PageInfo.HasNextPage || args.After > 0 {
		if total, err = found.TotalCount(ctx); err != nil {
			return nil, err
		}
	}
	views, err := taskViews(ctx, tasks, found.Nodes()...)
	if err != nil {
		return nil, err
	}
	return listResult{Tasks: limitSize(views), Total: total}, nil
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
