package tool

import (
	"fmt"
	"strconv"
	"strings"
)

// text returns a result in English.
func (t *Tool) text(result any) string {
	switch v := result.(type) {
	case taskResult:
		return t.changedText + " " + v.Task.sentence()
	case changeResult:
		if !v.Changed {
			return t.unchangedText + " " + v.Task.sentence()
		}
		return t.changedText + " " + v.Task.sentence()
	case batchResult:
		return v.text(t)
	case interface{ text() string }:
		return v.text()
	default:
		return ""
	}
}

// sentence describes one task. Text that users wrote is quoted.
func (v taskView) sentence() string {
	s := fmt.Sprintf("task %d: %s%s.", v.Number, strconv.Quote(v.Title), v.details())
	if v.Description != "" {
		s += "\n" + indent(v.Description)
	}
	return s
}

// details returns the task's other fields in parentheses, or "".
func (v taskView) details() string {
	var details []string
	if v.Completed {
		details = append(details, "completed")
	}
	if v.Priority != "none" {
		details = append(details, v.Priority+" priority")
	}
	if v.due != "" {
		details = append(details, "due "+v.due)
	}
	for _, label := range v.Labels {
		details = append(details, "label "+strconv.Quote(label))
	}
	if len(details) == 0 {
		return ""
	}
	return " (" + strings.Join(details, "; ") + ")"
}

func (l listResult) text() string {
	var b strings.Builder
	shown := l.Tasks
	switch {
	case len(l.Tasks) > 0:
		fmt.Fprintf(&b, "%d of %d tasks:", len(l.Tasks), l.Total)
	case len(l.Near) > 0:
		b.WriteString("No tasks. These resemble the search:")
		shown = l.Near
	default:
		return "No tasks."
	}
	for _, v := range shown {
		fmt.Fprintf(&b, "\n%d. %s%s", v.Number, strconv.Quote(v.Title), v.details())
		if v.Description != "" {
			b.WriteString("\n" + indent(v.Description))
		}
	}
	return b.String()
}

func indent(s string) string { return "   " + strings.ReplaceAll(s, "\n", "\n   ") }
