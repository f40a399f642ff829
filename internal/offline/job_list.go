package offline

import (
	"time"

	"errand/internal/offline/intent"
)

// listJob shows tasks. It waits for everything asked before it, to show what came of that.
type listJob struct {
	filter intent.Filter
	now    time.Time
	result *result
}

func (j *listJob) alone() bool { return true }

func (j *listJob) want(*memory) []ask {
	if j.result != nil {
		return nil
	}
	return []ask{{name: listTasks, args: j.arguments(), take: func(r result) { j.result = &r }}}
}

func (j *listJob) arguments() map[string]any {
	f := j.filter
	args := map[string]any{"status": f.Status}
	set := func(name, value string) {
		if value != "" {
			args[name] = value
		}
	}
	set("search", f.Search)
	set("label", f.Label)
	set("priority", f.Priority)
	if !f.Days.From.IsZero() {
		args["due_from"] = f.Days.From.Format(time.DateOnly)
	}
	if !f.Days.To.IsZero() {
		args["due_to"] = f.Days.To.Format(time.DateOnly)
	}
	switch {
	case f.Overdue:
		args["due_to"], args["limit"] = j.now.Format(time.DateOnly), longList
	case f.Undated:
		args["limit"] = longList
	case f.Dated && f.When == "":
		args["due_from"] = "1970-01-01" // any due date
	}
	return args
}

func (j *listJob) outcome() outcome {
	switch {
	case j.result == nil:
		return outcome{lines: []string{"I did not get to showing your tasks."}}
	case j.result.Error != nil:
		return outcome{lines: []string{"I could not look at your tasks: " + j.result.reason()}}
	}
	shown := j.shown()
	return outcome{lines: listing(j.filter, shown, j.now), touched: shown.Tasks, listed: true}
}

// shown is the result without the tasks that no argument of the tool could leave out: those
// due later today when overdue ones were asked for, and dated ones when undated were.
func (j *listJob) shown() result {
	r := *j.result
	if !j.filter.Overdue && !j.filter.Undated {
		return r
	}
	kept := result{Error: r.Error}
	for _, t := range r.Tasks {
		if j.filter.Overdue && t.overdue(j.now) || j.filter.Undated && t.DueOn+t.DueAt == "" {
			kept.Tasks = append(kept.Tasks, t)
		}
	}
	kept.Total = len(kept.Tasks) + r.more()
	return kept
}
