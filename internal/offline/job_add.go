package offline

import (
	"time"

	"errand/internal/due"
	"errand/internal/offline/intent"
)

// addJob adds one task, or asks for its title.
type addJob struct {
	req    intent.Request
	now    time.Time
	result *result
}

func (j *addJob) alone() bool { return false }

func (j *addJob) want(*memory) []ask {
	if j.req.Fields.Title == "" || j.result != nil {
		return nil
	}
	return []ask{{name: addTask, args: j.arguments(), take: func(r result) { j.result = &r }}}
}

func (j *addJob) arguments() map[string]any {
	f := j.req.Fields
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

// setDue puts a day or an instant into arguments, never both.
func setDue(args map[string]any, d *due.Due) {
	switch {
	case d == nil:
	case d.Timed:
		args["due_at"] = d.At.Format(time.RFC3339)
	default:
		args["due_on"] = d.On()
	}
}

func (j *addJob) outcome() outcome {
	switch {
	case j.req.Fields.Title == "":
		return outcome{lines: []string{"What should the task be called?"}, question: &question{request: j.req, title: true}}
	case j.result == nil:
		return outcome{lines: []string{"I did not get to adding " + quote(j.req.Fields.Title) + "."}}
	case j.result.Error != nil || j.result.Task == nil:
		return outcome{lines: []string{"I could not add " + quote(j.req.Fields.Title) + ": " + j.result.reason()}}
	}
	return outcome{lines: []string{added(*j.result.Task, j.now)}, touched: []task{*j.result.Task}}
}
