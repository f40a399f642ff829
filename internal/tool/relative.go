package tool

import (
	"context"
	"slices"
	"strings"

	"errand/ent"
	"errand/internal/apperr"
	"errand/internal/task"
)

// isRelative reports whether the new values depend on the present ones.
func (a updateArgs) isRelative() bool {
	return a.AppendDescription != "" || a.ShiftDue != "" || len(a.AddLabels)+len(a.RemoveLabels) > 0
}

// maxRelativeTries is how often a change that depends on the present values is tried, when the task changes meanwhile.
const maxRelativeTries = 5

// updateRelative applies patch and the changes that depend on the task's present values. It changes the version of the
// task that it has read only, so that no concurrent change is lost.
func (a updateArgs) updateRelative(
	ctx context.Context,
	tasks Tasks,
	t *ent.Task,
	patch task.Patch,
) (after *ent.Task, err error) {
	for range maxRelativeTries {
		p := patch
		if err := a.addTo(ctx, tasks, &p, t); err != nil {
			return nil, err
		}
		p.ExpectedVersion = &t.Version
		after, err = tasks.UpdateTask(ctx, t.ID, p)
		if apperr.CodeOf(err) != apperr.Conflict {
			return after, err
		}
		number := t.Number
		if t, err = tasks.FindTaskToChange(ctx, number); err != nil {
			return nil, err
		}
		if t == nil {
			return nil, noTask("number", "There is no task %d.", number)
		}
	}
	return nil, err
}

// addTo sets the fields of the patch that depend on the task.
func (a updateArgs) addTo(ctx context.Context, tasks Tasks, p *task.Patch, t *ent.Task) error {
	if a.AppendDescription != "" {
		text := a.AppendDescription
		if t.Description != "" && !p.Description.IsSet {
			text = t.Description + "\n" + text
		}
		p.Description = task.Some(text)
	}
	if len(a.AddLabels)+len(a.RemoveLabels) > 0 {
		p.Labels = task.Some(a.labels(t.Labels))
	}
	if a.ShiftDue == "" {
		return nil
	}
	c, err := tasks.Calendar(ctx)
	if err != nil {
		return err
	}
	on, at, err := shifted(t, a.ShiftDue, c)
	if err != nil {
		return err
	}
	p.DueOn.IsSet, p.DueOn.Value, p.DueAt.IsSet, p.DueAt.Value = on != nil, on, at != nil, at
	return nil
}

// labels returns the labels after the change. Labels are compared without case; a new one is added as it is written.
func (a updateArgs) labels(present []string) []string {
	has := func(labels []string, label string) bool {
		return slices.ContainsFunc(
			labels,
			func(l string) bool { return strings.EqualFold(strings.TrimSpace(l), strings.TrimSpace(label)) },
		)
	}
	out := []string{}
	for _, label := range present {
		if !has(a.RemoveLabels, label) {
			out = append(out, label)
		}
	}
	for _, label := range a.AddLabels {
		if !has(out, label) {
			out = append(out, label)
		}
	}
	return out
}
