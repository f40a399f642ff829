package offline

import (
	"time"

	"errand/internal/due"
	"errand/internal/offline/intent"
)

// addAction adds a task, or asks the user for a missing title.
type addAction struct {
	req    intent.Request
	now    time.Time
	result *toolResult
}

func (a *addAction) exclusive() bool { return false }

func (a *addAction) nextCalls(*memory) []toolCall {
	if a.req.Fields.Title == "" || a.result != nil {
		return nil
	}
	return []toolCall{{name: addTask, args: a.arguments(), onResult: func(r toolResult) { a.result = &r }}}
}

func (a *addAction) arguments() map[string]any {
	f := a.req.Fields
	args := map[string]any{"title": f.Title}
	if f.Description != "" {
		args["description"] = f.Description
	}
	if f.Priority != "" {
		args["priority"] = f.Priority
	}
	if len(f.AddLabels) > 0 {
		args["labels"] = f.AddLabels
	}
	setDue(args, f.Due)
	return args
}

// setDue sets due_on or due_at in args, never both.
func setDue(args map[string]any, d *due.Date) {
	switch {
	case d == nil:
	case d.Timed:
		args["due_at"] = d.At.Format(time.RFC3339)
	default:
		args["due_on"] = d.On()
	}
}

func (a *addAction) outcome() outcome {
	switch {
	case a.req.Fields.Title == "":
		return outcome{lines: []string{"What should the task be called?"}, question: &question{request: a.req, title: true}}
	case a.result == nil:
		return outcome{lines: []string{"I did not get to adding " + quote(a.req.Fields.Title) + "."}}
	case a.result.Error != nil || a.result.Task == nil:
		return outcome{lines: []string{"I could not add " + quote(a.req.Fields.Title) + ": " + a.result.reason()}}
	}
	return outcome{lines: []string{added(*a.result.Task, a.now)}, touched: []task{*a.result.Task}}
}
