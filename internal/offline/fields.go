package offline

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"errand/internal/due"
	"errand/internal/offline/intent"
)

// arguments returns the arguments of an update. invalid is a sentence that states why there are none.
func (c *change) arguments() (args map[string]any, invalid string) {
	if c.req.Kind != intent.Update {
		return nil, ""
	}
	f := c.req.Fields
	note := "description"
	if f.AppendNote {
		note = "append_description"
	}
	args = withoutEmpty(map[string]any{
		"title": f.Title, "priority": f.Priority, note: f.Description,
		"add_labels": f.Labels, "remove_labels": f.DropLabels, "clear": f.Clear,
		"shift_due": f.Shift,
	})
	if f.Shift == "" {
		setDue(args, f.Due)
	}
	if f.OldText != "" {
		title, ok := c.replaced()
		if args["title"] = title; !ok {
			return nil, c.words.Say("no-old-text", quote(f.OldText))
		}
	}
	return args, ""
}

// tooLong returns a sentence that states why a task cannot have the fields, "" if it can.
func tooLong(f intent.Fields) string {
	switch {
	case utf8.RuneCountInString(f.Title) > 200:
		return "A title can have 200 characters at most."
	case utf8.RuneCountInString(f.Description) > 10000:
		return "A description can have 10000 characters at most."
	case len(f.Labels) > 20:
		return "A task can have 20 labels at most."
	case slices.ContainsFunc(f.Labels, func(l string) bool { return utf8.RuneCountInString(l) > 50 }):
		return "A label can have 50 characters at most."
	}
	return ""
}

// withoutEmpty removes empty values from arguments.
func withoutEmpty(args map[string]any) map[string]any {
	for name, value := range args {
		switch v := value.(type) {
		case string:
			if v == "" {
				delete(args, name)
			}
		case []string:
			if len(v) == 0 {
				delete(args, name)
			}
		}
	}
	return args
}

// replaced returns the title of the only target with a part replaced.
func (c *change) replaced() (title string, ok bool) {
	if len(c.targets) != 1 || c.targets[0].task == nil {
		return "", false
	}
	title, old := c.targets[0].task.Title, c.req.Fields.OldText
	at := strings.Index(strings.ToLower(title), strings.ToLower(old))
	if at < 0 || at+len(old) > len(title) {
		return "", false
	}
	return title[:at] + c.req.Fields.NewText + title[at+len(old):], true
}

// setDue sets the due date of a new task, or replaces that of another.
func setDue(args map[string]any, d *due.Date) {
	switch {
	case d == nil:
	case d.Timed:
		args["due"] = d.At.Format(time.RFC3339)
	default:
		args["due"] = d.On()
	}
}

// newTask returns the arguments for one task to add.
func newTask(f intent.Fields) map[string]any {
	args := withoutEmpty(map[string]any{"description": f.Description, "priority": f.Priority, "labels": f.Labels})
	args["title"] = f.Title
	setDue(args, f.Due)
	return args
}

// filterArgs returns the arguments of list_tasks, with a limit if it is not 0.
func filterArgs(f intent.Filter, limit int) map[string]any {
	var labels []string
	if l := cmp.Or(f.Label, f.Word); l != "" {
		labels = []string{l}
	}
	args := withoutEmpty(map[string]any{
		"status": f.Status, "search": f.Search, "sort": f.Sort, "labels": labels, "priority": f.Priorities,
	})
	days := func(from, to string) {
		if !f.Days.From.IsZero() {
			args[from] = f.Days.From.Format(time.DateOnly)
		}
		if !f.Days.To.IsZero() {
			args[to] = f.Days.To.Format(time.DateOnly)
		}
	}
	switch {
	case f.ByCompletion:
		days("completed_from", "completed_to")
	case f.Due == "overdue":
		args["overdue"] = true
	case f.Due == "none":
		args["no_due"] = true
	case f.Due == "any" && f.When == "":
		args["due_from"] = "1970-01-01" // any due date
	default:
		days("due_from", "due_to")
	}
	if f.Trashed {
		delete(args, "status")
		args["trashed"] = true
	}
	switch {
	case limit > 0:
		args["limit"] = limit
	case f.At != "":
		args["limit"] = longList
	case f.Limit > 0:
		args["limit"] = min(f.Limit, longList)
	}
	return args
}
