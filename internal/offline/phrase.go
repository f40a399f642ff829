package offline

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"errand/internal/offline/intent"
	"errand/internal/truncate"
)

// quote returns text in quotation marks, truncated when it is long.
func quote(s string) string {
	return "“" + truncate.Ellipsis(oneLine(s), 80) + "”"
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// sentence returns s with a full stop at its end, unless it has one.
func sentence(s string) string {
	last, _ := utf8.DecodeLastRuneInString(s)
	if strings.ContainsRune(".!?…", last) {
		return s
	}
	return s + "."
}

func trimStop(s string) string { return strings.TrimSuffix(s, ".") }

// reason returns the error message of a failed call.
func (r toolResult) reason() string {
	if r.Error == nil || r.Error.Message == "" {
		return "Something went wrong."
	}
	return sentence(oneLine(r.Error.Message))
}

// nameOf returns a task's number and title.
func nameOf(t task) string { return strconv.Itoa(t.Number) + ": " + oneLine(t.Title) }

// added returns the report of a new task with all stored values.
func added(t task, now time.Time) string {
	parts := append([]string{"Added task " + nameOf(t)}, traits(t, now, longDue, longPriority)...)
	if t.Description != "" {
		parts = append(parts, "with the note "+quote(t.Description))
	}
	return sentence(strings.Join(parts, ", "))
}

// traits returns due date, priority and labels in words.
func traits(t task, now time.Time, due func(task, time.Time) string, priority func(string) string) []string {
	var parts []string
	if d := due(t, now); d != "" {
		parts = append(parts, "due "+d)
	}
	if p := priority(t.Priority); p != "" {
		parts = append(parts, p)
	}
	for _, l := range t.Labels {
		parts = append(parts, "#"+oneLine(l))
	}
	return parts
}

func longPriority(p string) string {
	switch p {
	case "", "none":
		return ""
	case "urgent":
		return "urgent"
	}
	return p + " priority"
}

func shortPriority(p string) string {
	if p == "none" {
		return ""
	}
	return p
}

// longDue returns a due date like "tomorrow (Fri 27 Nov) at 17:00".
func longDue(t task, now time.Time) string {
	day, clock := dueParts(t, now)
	if day.IsZero() {
		return clock
	}
	s := calendarDay(day, now)
	if name := nearDay(day, now); name != "" {
		s = name + " (" + s + ")"
	}
	if clock != "" {
		s += " at " + clock
	}
	return s
}

// shortDue returns a due date like "tomorrow 17:00", for lists.
func shortDue(t task, now time.Time) string {
	day, clock := dueParts(t, now)
	if day.IsZero() {
		return clock
	}
	s := nearDay(day, now)
	if s == "" {
		s = calendarDay(day, now)
	}
	return strings.TrimSpace(s + " " + clock)
}

// dueParts returns the day (midnight UTC) and the time in the user's zone. Text that is not a date is returned
// unchanged.
func dueParts(t task, now time.Time) (day time.Time, clock string) {
	if at, err := time.Parse(time.RFC3339, t.DueAt); err == nil {
		if !now.IsZero() {
			at = at.In(now.Location())
		}
		y, m, d := at.Date()
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC), at.Format("15:04")
	}
	if on, err := time.Parse(time.DateOnly, t.DueOn); err == nil {
		return on, ""
	}
	return time.Time{}, oneLine(t.DueOn + t.DueAt)
}

func nearDay(day, now time.Time) string {
	if now.IsZero() {
		return ""
	}
	y, m, d := now.Date()
	switch int(day.Sub(time.Date(y, m, d, 0, 0, 0, 0, time.UTC)).Hours()) / 24 {
	case 0:
		if day.Day() == d {
			return "today"
		}
	case 1:
		return "tomorrow"
	case -1:
		return "yesterday"
	}
	return ""
}

func calendarDay(day, now time.Time) string {
	if day.Year() == now.Year() {
		return day.Format("Mon 2 Jan")
	}
	return day.Format("Mon 2 Jan 2006")
}

// row returns a line of a list: "3. Buy milk (due tomorrow 17:00, high)".
func row(t task, now time.Time, mark bool) string {
	parts := traits(t, now, shortDue, shortPriority)
	if mark && t.Completed {
		parts = append(parts, "done")
	}
	s := fmt.Sprintf("%d. %s", t.Number, oneLine(t.Title))
	if len(parts) > 0 {
		s += " (" + strings.Join(parts, ", ") + ")"
	}
	return s
}

func rows(ts []task, more int, now time.Time, mark bool) []string {
	var lines []string
	for _, t := range ts {
		lines = append(lines, row(t, now, mark))
	}
	if more > 0 {
		lines = append(lines, fmt.Sprintf("…and %d more.", more))
	}
	return lines
}

// details returns all values of a task.
func details(t task, now time.Time) string {
	state := "is not done yet"
	if t.Completed {
		state = "is done"
	}
	s := fmt.Sprintf("Task %s", nameOf(t))
	if parts := traits(t, now, longDue, longPriority); len(parts) > 0 {
		s += ", " + strings.Join(parts, ", ")
	}
	s = sentence(s) + " It " + state + "."
	if t.Description != "" {
		s += " Note: " + sentence(oneLine(t.Description))
	}
	return s
}

// changed returns the report of a change, and its task.
func changed(req intent.Request, number int, r toolResult, now time.Time) (string, *task) {
	if r.Error != nil || r.Task == nil {
		return fmt.Sprintf("I could not %s task %d: %s", verbs[req.Kind], number, r.reason()), nil
	}
	t := r.Task
	same := r.Changed != nil && !*r.Changed
	switch {
	case req.Kind == intent.Complete && same:
		return sentence("Task " + nameOf(*t) + " was already done"), t
	case req.Kind == intent.Complete:
		return sentence("Marked task " + nameOf(*t) + " as done"), t
	case req.Kind == intent.Reopen && same:
		return sentence("Task " + nameOf(*t) + " was already open"), t
	case req.Kind == intent.Reopen:
		return sentence("Reopened task " + nameOf(*t)), t
	case req.Kind == intent.Delete:
		return sentence("Deleted task " + nameOf(*t)), t
	}
	return updated(req.Fields, *t, same, now), t
}

var verbs = map[intent.Kind]string{
	intent.Complete: "complete", intent.Reopen: "reopen", intent.Delete: "delete", intent.Update: "change",
	intent.Show: "show", intent.Add: "add",
}

// updated returns the report of an update: the task's values and the cleared fields.
func updated(f intent.Fields, t task, same bool, now time.Time) string {
	lead := "Updated task "
	switch {
	case same:
		lead = "Nothing to change in task "
	case f.Title != "":
		lead = "Renamed task "
	}
	parts := append([]string{lead + nameOf(t)}, traits(t, now, longDue, longPriority)...)
	parts = append(parts, cleared(f, t)...)
	if f.Description != "" && t.Description != "" {
		parts = append(parts, "note: "+quote(t.Description))
	}
	return sentence(strings.Join(parts, ", "))
}

// cleared returns the names of the fields that a change cleared.
func cleared(f intent.Fields, t task) []string {
	var parts []string
	gone := func(wanted bool, value, words string) {
		if wanted && value == "" {
			parts = append(parts, words)
		}
	}
	gone(f.ClearDue, t.DueOn+t.DueAt, "no due date")
	gone(f.Priority == "none", shortPriority(t.Priority), "no priority")
	gone(f.ClearLabels || len(f.DropLabels) > 0, strings.Join(t.Labels, " "), "no labels")
	gone(f.ClearDescription, t.Description, "no note")
	return parts
}
