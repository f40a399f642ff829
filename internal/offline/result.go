package offline

import (
	"encoding/json"
	"time"

	"errand/internal/due"
)

// Names of the tools that the model calls.
const (
	addTask       = "add_task"
	listTasks     = "list_tasks"
	getTask       = "get_task"
	completeTask  = "complete_task"
	reopenTask    = "reopen_task"
	updateTask    = "update_task"
	deleteTask    = "delete_task"
	restoreTask   = "restore_task"
	recentChanges = "recent_changes"
	undoChanges   = "undo"
)

// Limits of the tools.
const (
	longList = 100 // tasks of one list_tasks
	batch    = 50  // tasks of one call that changes tasks
)

// toolCall is a call of a tool.
type toolCall struct {
	name string
	args map[string]any
}

func (c toolCall) isRead() bool {
	return c.name == listTasks || c.name == getTask || c.name == recentChanges
}

// arguments returns the arguments as JSON. Map keys are sorted, so that the result is deterministic.
func (c toolCall) arguments() string {
	b, err := json.Marshal(c.args)
	if err != nil {
		return "{}" // maps of strings, numbers and lists of strings always marshal
	}
	return string(b)
}

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

// toolResult is the result of a call. Which members it has depends on the tool.
type toolResult struct {
	item
	Results []item         `json:"results"`
	Tasks   []task         `json:"tasks"`
	Near    []task         `json:"near"`
	Total   int            `json:"total"`
	Changes []loggedChange `json:"changes"`
	// Omitted is the number of tasks that the record of an earlier turn leaves out.
	Omitted int `json:"omitted"`
	// Undone and Skipped are changes that undo took back, Count of them, and those that it left.
	Undone  []loggedChange `json:"undone"`
	Skipped []loggedChange `json:"skipped"`
	Count   int            `json:"count"`
	// Batch is the change that undo made.
	Batch string `json:"batch"`
}

// item is the result for one task.
type item struct {
	Reference string     `json:"reference"`
	Task      *task      `json:"task"`
	Changed   *bool      `json:"changed"`
	Error     *toolError `json:"error"`
	// Choices are the tasks that an uncertain reference may name.
	Choices []task `json:"choices"`
}

type toolError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// loggedChange is an entry of recent_changes or undo.
type loggedChange struct {
	At     string `json:"at"`
	Kind   string `json:"kind"`
	Number int    `json:"number"`
	Title  string `json:"title"`
	Reason string `json:"reason"`
	Fields []struct {
		Name, From, To string
	} `json:"fields"`
}

func failure(message string) toolResult {
	return toolResult{item: item{Error: &toolError{Message: message}}}
}

func parseResult(content string) toolResult {
	var r toolResult
	if err := json.Unmarshal([]byte(content), &r); err != nil {
		return failure("The answer could not be read.")
	}
	return r
}

// items returns the results for each task of a call; name stands for the task of a result that does not name it.
func (r toolResult) items(name string) []item {
	if len(r.Results) > 0 {
		return r.Results
	}
	one := r.item
	if one.Reference == "" {
		one.Reference = name
	}
	return []item{one}
}

// more returns the number of matching tasks beyond the returned ones.
func (r toolResult) more() int { return max(0, r.Total-len(r.Tasks)) }

// unchanged reports that there was nothing to do.
func (i item) unchanged() bool { return i.Changed != nil && !*i.Changed }

// awaits reports that the call waits for the user's approval, or that it ended without one.
func (e *toolError) awaits() bool {
	return e != nil && (e.Code == "AWAITING_APPROVAL" || e.Code == "REJECTED" || e.Code == "EXPIRED")
}

// due returns the due date in the user's zone, the zero Date if there is none.
func (t task) due(now due.Now) due.Date {
	if at, err := time.Parse(time.RFC3339, t.DueAt); err == nil {
		return due.Of("", &at, now.Location())
	}
	return due.Of(t.DueOn, nil, now.Location())
}

func find(ts []task, number int) (task, bool) {
	for _, t := range ts {
		if t.Number == number {
			return t, true
		}
	}
	return task{}, false
}
