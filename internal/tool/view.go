package tool

import (
	"context"
	"strings"
	"time"

	"errand/ent"
	"errand/ent/enum"
)

// taskView is a task as models see it.
type taskView struct {
	Number      int      `json:"number"`
	Title       string   `json:"title"`
	Description string   `json:"description,omitempty"`
	Completed   bool     `json:"completed"`
	Priority    string   `json:"priority"`
	DueOn       string   `json:"due_on,omitempty"`
	DueAt       string   `json:"due_at,omitempty"`
	Labels      []string `json:"labels,omitempty"`
}

type oneTask struct {
	Task taskView `json:"task"`
}

type changedTask struct {
	Task    taskView `json:"task"`
	Changed bool     `json:"changed"`
}

type manyTasks struct {
	Tasks []taskView `json:"tasks"`
	Total int        `json:"total"`
}

// views shows tasks with their instants in the viewer's time zone.
func (r *Registry) views(ctx context.Context, found ...*ent.Task) ([]taskView, error) {
	zone := time.UTC
	for _, t := range found {
		if t.DueAt == nil {
			continue
		}
		var err error
		if zone, err = r.tasks.TimeZone(ctx); err != nil {
			return nil, err
		}
		break
	}
	out := make([]taskView, len(found))
	for i, t := range found {
		out[i] = view(t, zone)
	}
	return out, nil
}

func view(t *ent.Task, zone *time.Location) taskView {
	v := taskView{
		Number: t.Number, Title: t.Title, Description: t.Description, Completed: t.Completed(),
		Priority: strings.ToLower(t.Priority.String()), Labels: t.Labels,
	}
	if t.DueOn != nil {
		v.DueOn = *t.DueOn
	}
	if t.DueAt != nil {
		v.DueAt = t.DueAt.In(zone).Format(time.RFC3339)
	}
	return v
}

// priority is a priority as models write it.
type priority enum.Priority

// UnmarshalText reads a name; the schema has checked it.
func (p *priority) UnmarshalText(b []byte) error {
	v, err := enum.ParsePriority(string(b))
	*p = priority(v)
	return err
}
