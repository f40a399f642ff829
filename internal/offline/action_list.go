package offline

import (
	"time"

	"errand/internal/offline/intent"
)

// listAction shows tasks. It runs after all earlier actions, to show their effect.
type listAction struct {
	filter intent.Filter
	now    time.Time
	result *toolResult
}

func (a *listAction) exclusive() bool { return true }

func (a *listAction) nextCalls(*memory) []toolCall {
	if a.result != nil {
		return nil
	}
	return []toolCall{{name: listTasks, args: a.arguments(), onResult: func(r toolResult) { a.result = &r }}}
}

func (a *listAction) arguments() map[string]any {
	f := a.filter
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
		args["due_to"], args["limit"] = a.now.Format(time.DateOnly), longList
	case f.Undated:
		args["limit"] = longList
	case f.Dated && f.When == "":
		args["due_from"] = "1970-01-01" // any due date
	}
	return args
}

func (a *listAction) outcome() outcome {
	switch {
	case a.result == nil:
		return outcome{lines: []string{"I did not get to showing your tasks."}}
	case a.result.Error != nil:
		return outcome{lines: []string{"I could not look at your tasks: " + a.result.reason()}}
	}
	shown := a.shown()
	return outcome{lines: listing(a.filter, shown, a.now), touched: shown.Tasks, listed: true}
}

// shown applies the filters that the tool has no argument for: overdue excludes tasks due later today, and undated
// excludes tasks with a date.
func (a *listAction) shown() toolResult {
	r := *a.result
	if !a.filter.Overdue && !a.filter.Undated {
		return r
	}
	kept := toolResult{Error: r.Error}
	for _, t := range r.Tasks {
		if a.filter.Overdue && t.overdue(a.now) || a.filter.Undated && t.DueOn+t.DueAt == "" {
			kept.Tasks = append(kept.Tasks, t)
		}
	}
	kept.Total = len(kept.Tasks) + r.more()
	return kept
}
