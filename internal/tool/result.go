package tool

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/apperr"
)

// The JSON Schemas of results: what taskView, taskResult, changeResult and listResult marshal to.
const (
	taskSchema = `{"type":"object","additionalProperties":false,
		"required":["number","title","completed","priority"],"properties":{
		"number":{"type":"integer","minimum":1},
		"title":{"type":"string"},
		"description":{"type":"string"},
		"completed":{"type":"boolean"},
		"priority":{"type":"string","enum":[` + priorityNames + `]},
		"due_on":{"type":"string","description":"The day it is due, YYYY-MM-DD."},
		"due_at":{"type":"string","description":"The instant it is due, RFC 3339."},
		"labels":{"type":"array","items":{"type":"string"}}}}`
	taskResultSchema = `{"type":"object","additionalProperties":false,"required":["task"],"properties":{
		"task":` + taskSchema + `}}`
	changeResultSchema = `{"type":"object","additionalProperties":false,"required":["task","changed"],"properties":{
		"task":` + taskSchema + `,
		"changed":{"type":"boolean","description":"False when there was nothing to do."}}}`
	listResultSchema = `{"type":"object","additionalProperties":false,"required":["tasks","total"],"properties":{
		"tasks":{"type":"array","items":` + taskSchema + `},
		"total":{"type":"integer","minimum":0,"description":"How many match in all; 10000 can also mean more."}}}`

	priorityNames = `"none","low","medium","high","urgent"`
)

// taskView is a task in a result.
type taskView struct {
	Number      int      `json:"number"`
	Title       string   `json:"title"`
	Description string   `json:"description,omitempty"`
	Completed   bool     `json:"completed"`
	Priority    string   `json:"priority"`
	DueOn       string   `json:"due_on,omitempty"`
	DueAt       string   `json:"due_at,omitempty"`
	Labels      []string `json:"labels,omitempty"`
}

type taskResult struct {
	Task taskView `json:"task"`
}

type changeResult struct {
	Task    taskView `json:"task"`
	Changed bool     `json:"changed"`
}

type listResult struct {
	Tasks []taskView `json:"tasks"`
	Total int        `json:"total"`
}

// DescribeTask returns one of the viewer's tasks as tool results show it: {"task":…}.
func DescribeTask(ctx context.Context, tasks Tasks, t *ent.Task) (any, error) {
	views, err := taskViews(ctx, tasks, t)
	if err != nil {
		return nil, err
	}
	return taskResult{Task: views[0]}, nil
}

// describeChange returns the result of a change from before to after, or err.
func describeChange(ctx context.Context, tasks Tasks, before, after *ent.Task, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	views, err := taskViews(ctx, tasks, after)
	if err != nil {
		return nil, err
	}
	return changeResult{Task: views[0], Changed: after.Version != before.Version}, nil
}

// taskViews converts tasks, with instants in the viewer's time zone. It reads the time
// zone only when one of the tasks has an instant.
func taskViews(ctx context.Context, tasks Tasks, found ...*ent.Task) ([]taskView, error) {
	zone := time.UTC
	for _, t := range found {
		if t.DueAt == nil {
			continue
		}
		var err error
		if zone, err = tasks.TimeZone(ctx); err != nil {
			return nil, err
		}
		break
	}
	out := make([]taskView, len(found))
	for i, t := range found {
		out[i] = newTaskView(t, zone)
	}
	return out, nil
}

func newTaskView(t *ent.Task, zone *time.Location) taskView {
	v := taskView{
		Number:      t.Number,
		Title:       t.Title,
		Description: t.Description,
		Completed:   t.Completed(),
		Priority:    strings.ToLower(t.Priority.String()),
		Labels:      t.Labels,
	}
	if t.DueOn != nil {
		v.DueOn = *t.DueOn
	}
	if t.DueAt != nil {
		v.DueAt = t.DueAt.In(zone).Format(time.RFC3339)
	}
	return v
}

// priority decodes a priority's name in arguments.
type priority enum.Priority

// UnmarshalText implements encoding.TextUnmarshaler. The schema has checked the name.
func (p *priority) UnmarshalText(b []byte) error {
	v, err := enum.ParsePriority(string(b))
	*p = priority(v)
	return err
}

// resultOf returns a failed result for faults of the caller, and err for faults of the server.
func resultOf(err error) (Result, error) {
	e := apperr.From(err)
	switch e.Code {
	case apperr.BadUserInput, apperr.NotFound, apperr.Conflict, apperr.RateLimited, apperr.Forbidden:
		return FailedResult(e), nil
	default:
		return Result{}, err
	}
}

// FailedResult returns the failed result that reports e to the model.
func FailedResult(e *apperr.Error) Result {
	type errorView struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Field   string `json:"field,omitempty"`
		Limit   string `json:"limit,omitempty"`
		Max     int64  `json:"max,omitempty"`
	}
	view := errorView{
		Code:    string(e.Code),
		Message: e.Message,
		Field:   snakeCase(e.Field),
		Limit:   e.Limit,
		Max:     e.Max,
	}
	b, _ := json.Marshal(map[string]any{"error": view}) // strings always marshal
	return Result{
		JSON:   string(b),
		Text:   e.Message,
		Failed: true,
		Code:   e.Code,
	}
}

// snakeCase converts the name of an API field to that of a tool argument.
func snakeCase(name string) string {
	var b strings.Builder
	for _, r := range name {
		if r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}
