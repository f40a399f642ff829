package tool

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/apperr"
)

// The JSON Schemas of results: what taskView, taskResult, changeResult and listResult marshal to.
const (
	taskSchema   = taskMembers + `}}`
	listedSchema = taskMembers + `,
		"created_at":{"type":"string"},
		"completed_at":{"type":"string"}}}`
	taskMembers = `{"type":"object","additionalProperties":false,
		"required":["number","title","completed","priority"],"properties":{
		"number":{"type":"integer","minimum":1},
		"title":{"type":"string"},
		"description":{"type":"string"},
		"completed":{"type":"boolean"},
		"priority":{"type":"string","enum":[` + priorityNames + `]},
		"due_on":{"type":"string","description":"The day it is due, YYYY-MM-DD."},
		"due_at":{"type":"string","description":"The instant it is due, RFC 3339."},
		"labels":{"type":"array","items":{"type":"string"}}`
	choicesSchema = `"choices":{"type":"array","items":{"type":"object","additionalProperties":false,
		"required":["number","title"],"properties":{"number":{"type":"integer"},"title":{"type":"string"}}}}`
	resultsSchema = `"results":{"type":"array","description":"For several tasks: the result of each, in order.",
		"items":{"type":"object","additionalProperties":false,"required":["reference"],"properties":{
		"reference":{"type":"string"},"task":{"type":"object"},"changed":{"type":"boolean"},` + choicesSchema + `,
		"error":{"type":"object"}}}}`
	taskOnlySchema = `{"type":"object","additionalProperties":false,"required":["task"],"properties":{
		"task":` + listedSchema + `}}`
	taskResultSchema = `{"type":"object","additionalProperties":false,"properties":{
		"task":` + taskSchema + `,` + resultsSchema + `}}`
	changeResultSchema = `{"type":"object","additionalProperties":false,"properties":{
		"task":` + taskSchema + `,` + resultsSchema + `,
		"changed":{"type":"boolean","description":"False when there was nothing to do."}}}`
	listResultSchema = `{"type":"object","additionalProperties":false,"required":["tasks","total"],"properties":{
		"tasks":{"type":"array","items":` + listedSchema + `},
		"near":{"type":"array","description":"Tasks that resemble the search, when none matches it.",
		"items":` + listedSchema + `},
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
	CreatedAt   string   `json:"created_at,omitempty"`
	CompletedAt string   `json:"completed_at,omitempty"`

	// due is the due date with its weekday, for texts.
	due string
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
	Near  []taskView `json:"near,omitempty"`
}

// DescribeTask returns one of the viewer's tasks as tool results show it: {"task":…}.
func DescribeTask(ctx context.Context, tasks Tasks, t *ent.Task) (any, error) {
	views, err := taskViews(ctx, tasks, t)
	if err != nil {
		return nil, err
	}
	return taskResult{Task: views[0]}, nil
}

// addTimes adds when the task was created and completed.
func (v *taskView) addTimes(t *ent.Task) {
	v.CreatedAt = t.CreatedAt.UTC().Format(time.RFC3339)
	if t.CompletedAt != nil {
		v.CompletedAt = t.CompletedAt.UTC().Format(time.RFC3339)
	}
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
		v.DueOn, v.due = *t.DueOn, *t.DueOn
		if day, err := time.Parse(time.DateOnly, *t.DueOn); err == nil {
			v.due = day.Format("Mon 2 Jan 2006")
		}
	}
	if t.DueAt != nil {
		at := t.DueAt.In(zone)
		v.DueAt, v.due = at.Format(time.RFC3339), at.Format("Mon 2 Jan 2006, 15:04")
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
	if !e.Code.IsOfCaller() {
		return Result{}, err
	}
	unsure, ok := errors.AsType[*uncertainError](err)
	if !ok {
		return FailedResult(e), nil
	}
	views := choiceViews(unsure.choice.Candidates)
	r := failedResult(e, map[string]any{"reference": unsure.choice.Reference, "choices": views})
	r.Text += choicesText(views)
	r.Choices = []enum.TaskChoice{unsure.choice}
	return r, nil
}

// ignoreCallerFault returns err unless it is reported to the model.
func ignoreCallerFault(err error) error {
	if apperr.CodeOf(err).IsOfCaller() {
		return nil
	}
	return err
}

// FailedResult returns the failed result that reports e to the model.
func FailedResult(e *apperr.Error) Result { return failedResult(e, map[string]any{}) }

// failedResult returns a failed result with the given members beside the error.
func failedResult(e *apperr.Error, members map[string]any) Result {
	members["error"] = newErrorView(e)
	b, _ := json.Marshal(members) // strings and numbers always marshal
	return Result{
		JSON:   string(b),
		Text:   e.Message,
		Failed: true,
		Code:   e.Code,
	}
}

// errorView is an error in a result.
type errorView struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Field   string `json:"field,omitempty"`
	Limit   string `json:"limit,omitempty"`
	Max     int64  `json:"max,omitempty"`
}

func newErrorView(e *apperr.Error) *errorView {
	return &errorView{
		Code:    string(e.Code),
		Message: e.Message,
		Field:   snakeCase(e.Field),
		Limit:   e.Limit,
		Max:     e.Max,
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
