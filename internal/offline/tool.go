package offline

import (
	"encoding/json"
	"math"
	"time"
)

// The tools that the model knows, by the names of the registry.
const (
	addTask      = "add_task"
	listTasks    = "list_tasks"
	completeTask = "complete_task"
	reopenTask   = "reopen_task"
	updateTask   = "update_task"
	deleteTask   = "delete_task"
)

// longList is the most that list_tasks returns at once.
const longList = 100

// maxNumber bounds task numbers in arguments.
const maxNumber = math.MaxInt32

// task is a task as tools show it.
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

// result is what a tool returned: an error, one task, or a list.
type result struct {
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

func failure(message string) result { return result{Error: &toolError{Message: message}} }

func parseResult(content string) result {
	var r result
	if err := json.Unmarshal([]byte(content), &r); err != nil {
		return failure("The answer could not be read.")
	}
	return r
}

// more is how many tasks of a list were left out.
func (r result) more() int { return max(0, r.Total-len(r.Tasks)) }

// find looks a task up by number.
func (r result) find(number int) (task, bool) {
	for _, t := range r.Tasks {
		if t.Number == number {
			return t, true
		}
	}
	return task{}, false
}

// overdue tells whether a pending task's time has passed.
func (t task) overdue(now time.Time) bool {
	if t.DueAt != "" {
		at, err := time.Parse(time.RFC3339, t.DueAt)
		return err == nil && at.Before(now)
	}
	return t.DueOn != "" && t.DueOn < now.Format(time.DateOnly)
}

// ask is a tool call that a job wants, and what to do with its result.
type ask struct {
	name string
	args map[string]any
	take func(result)
}

func (a ask) reads() bool { return a.name == listTasks }

// arguments is the call's JSON; map keys come out sorted, so it is deterministic.
func (a ask) arguments() string {
	b, err := json.Marshal(a.args)
	if err != nil {
		return "{}" // a map of strings, numbers and lists of strings always marshals
	}
	return string(b)
}
