package tool

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"errand/ent"
)

// text says a result in words.
func (t *Tool) text(result any) string {
	switch v := result.(type) {
	case oneTask:
		return t.done + " " + v.Task.sentence()
	case changedTask:
		if !v.Changed {
			return t.same + " " + v.Task.sentence()
		}
		return t.done + " " + v.Task.sentence()
	case manyTasks:
		return v.text()
	default:
		return ""
	}
}

// sentence is one task in a running text. What a person wrote stands in quotes.
func (v taskView) sentence() string {
	s := fmt.Sprintf("task %d: %s%s.", v.Number, strconv.Quote(v.Title), v.facts())
	if v.Description != "" {
		s += "\n" + indent(v.Description)
	}
	return s
}

// facts are the task's other fields, in brackets.
func (v taskView) facts() string {
	var facts []string
	if v.Completed {
		facts = append(facts, "completed")
	}
	if v.Priority != "none" {
		facts = append(facts, v.Priority+" priority")
	}
	if due := v.DueOn + v.DueAt; due != "" {
		facts = append(facts, "due "+due)
	}
	for _, label := range v.Labels {
		facts = append(facts, "label "+strconv.Quote(label))
	}
	if len(facts) == 0 {
		return ""
	}
	return " (" + strings.Join(facts, "; ") + ")"
}

func (m manyTasks) text() string {
	if len(m.Tasks) == 0 {
		return "No tasks."
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d tasks:", len(m.Tasks), m.Total)
	for _, v := range m.Tasks {
		fmt.Fprintf(&b, "\n%d. %s%s", v.Number, strconv.Quote(v.Title), v.facts())
		if v.Description != "" {
			b.WriteString("\n" + indent(v.Description))
		}
	}
	return b.String()
}

func indent(s string) string { return "   " + strings.ReplaceAll(s, "\n", "\n   ") }

// DescribeTask shows one of the viewer's tasks as the tools do: {"task":…}.
func (r *Registry) DescribeTask(ctx context.Context, t *ent.Task) (any, error) { return r.one(ctx, t) }
