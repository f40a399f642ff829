package offline

import (
	"encoding/json"
	"math"
	"time"
)

// Names of the tools that the model can call.
const (
	addTask      = "add_task"
	listTasks    = "list_tasks"
	completeTask = "complete_task"
	reopenTask   = "reopen_task"
	updateTask   = "update_task"
	deleteTask   = "delete_task"
)

// longList is the largest limit of list_tasks.
const longList = 100

// maxNumber bounds task numbers in arguments.
const maxNumber = math.MaxInt32

// task is a task in the tools' results.
type task struct {
	Number      int      `json:"number"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	Completed   bool     `json:"completed"`
	Priority    string   `json:"priority"`
	DueOn       string   `json:"due_on"`
	DueAt       string   `json:"due_at"`
	Labels      []string `json:"labels"`
}

// toolResult is the result of a tool call: an error, a task, or a list.
type toolResult struct {
	Task    *task      `json:"task"`
	Changed *bool      `json:"changed"`
	Tasks   []task     `json:"tasks"`
	Total   int        `json:"total"`
	Error   *toolError `json:"error"`
}

type toolError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func failure(message string) toolResult { return toolResult{Error: &toolError{Message: message}} }

func parseResult(content string) toolResult {
	var r toolResult
	if err := json.Unmarshal([]byte(content), &r); err != nil {
		return failure("The answer could not be read.")
	}
	return r
}

// more returns the number of matching tasks beyond the returned ones.
func (r toolResult) more() int { return max(0, r.Total-len(r.Tasks)) }

// find returns the task with a number.
func (r toolResult) find(number int) (task, bool) {
	for _, t := range r.Tasks {
		if t.Number == number {
			return t, true
		}
	}
	return task{}, false
}

// overdue reports whether a pending task's time has passed.
func (t task) overdue(now time.Time) bool {
	if t.DueAt != "" {
		at, err := time.Parse(time.RFC3339, t.DueAt)
		return err == nil && at.Before(now)
	}
	return t.DueOn != "" && t.DueOn < now.Format(time.DateOnly)
}

// toolCall is a tool call of an action and the handler of its result.
type toolCall struct {
	name     string
	args     map[string]any
	onResult func(toolResult)
}

func (a toolCall) isRead() bool { return a.name == listTasks }

// arguments returns the arguments as JSON. Map keys are sorted, so that the result is deterministic.
func (a toolCall) arguments() string {
	b, err := json.Marshal(a.args)
	if err != nil {
		return "{}" // a map of strings, numbers and lists of strings always marshals
	}
	return string(b)
}
