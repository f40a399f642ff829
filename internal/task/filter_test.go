package task_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/rule"
	enttask "errand/ent/task"
	"errand/internal/apperr"
	"errand/internal/page"
	"errand/internal/task"

	"github.com/stretchr/testify/require"
)

// filterZones are time zones with the days around a change of their clocks. Midnight is skipped in Beirut, Havana and
// São Paulo, repeated in Havana, and a whole day is skipped in Apia.
var filterZones = map[string][]string{
	"UTC":                 {"2026-03-01"},
	"Europe/Berlin":       {"2026-03-29", "2026-10-25"},
	"Asia/Beirut":         {"2026-03-29", "2026-10-25"},
	"America/Havana":      {"2026-03-08", "2026-11-01"},
	"America/Sao_Paulo":   {"2018-11-04", "2018-02-18"},
	"Pacific/Apia":        {"2011-12-30"},
	"Australia/Lord_Howe": {"2026-04-05", "2026-10-04"},
	"Pacific/Kiritimati":  {"2026-01-01"},
}

var filterLabels = []string{"home", "work", "Wörk, 2", `a"b\`, "home "}

// filterFixture is a user's tasks and the means to choose filters for them.
type filterFixture struct {
	*rand.Rand
	zone  *time.Location
	days  []string // around the changes of the zone's clocks, and around today
	tasks []*ent.Task
}

// TestListTasks_AnyFilter_SelectsWhatNaiveFilterSelects compares pages and totals of random filters with a filter in Go
// that compares each task's local days.
func TestListTasks_AnyFilter_SelectsWhatNaiveFilterSelects(t *testing.T) {
	forEachEngine(t, func(t *testing.T, ctx context.Context, e *environment) {
		for name, changes := range filterZones {
			zone, err := time.LoadLocation(name)
			require.NoError(t, err)
			f := &filterFixture{Rand: rand.New(rand.NewPCG(1, uint64(len(name)))), zone: zone} //nolint:gosec // a test's input
			for _, day := range append(changes, time.Now().In(zone).Format(time.DateOnly)) {
				date, err := time.Parse(time.DateOnly, day)
				require.NoError(t, err)
				for offset := -2; offset <= 2; offset++ {
					f.days = append(f.days, date.AddDate(0, 0, offset).Format(time.DateOnly))
				}
			}
			e.client.User.UpdateOneID(e.userID).SetTimeZone(name).ExecX(rule.System(ctx))
			f.createTasks(t, ctx, e)
			for range 150 {
				f.check(t, ctx, e, f.randomFilter())
			}
			e.client.Task.Delete().ExecX(rule.System(ctx))
		}
	})
}

func (f *filterFixture) createTasks(t *testing.T, ctx context.Context, e *environment) {
	t.Helper()
	f.tasks = nil
	for range 60 {
		in := task.CreateTaskInput{Title: "x"}
		switch f.IntN(3) {
		case 0:
			in.DueOn = f.day()
		case 1:
			in.DueAt = f.instant()
		}
		for _, label := range filterLabels {
			if f.IntN(3) == 0 {
				in.Labels = append(in.Labels, label)
			}
		}
		created, err := e.CreateTask(ctx, in)
		require.NoError(t, err)
		update := e.client.Task.UpdateOneID(created.ID)
		if f.IntN(2) == 0 {
			update.SetCompletedAt(*f.instant())
		}
		if f.IntN(5) == 0 {
			update.SetDeletedAt(time.Now())
		}
		f.tasks = append(f.tasks, update.SaveX(rule.System(ctx)))
	}
	slices.Reverse(f.tasks) // newest first
}

func (f *filterFixture) day() *string { return &f.days[f.IntN(len(f.days))] }

// instant returns an instant near a midnight, or at one.
func (f *filterFixture) instant() *time.Time {
	day, err := time.ParseInLocation(time.DateOnly, *f.day(), f.zone)
	if err != nil {
		panic(err)
	}
	offsets := []time.Duration{
		0,
		-time.Microsecond,
		time.Microsecond,
		-time.Hour,
		time.Hour,
		30 * time.Minute,
		12 * time.Hour,
	}
	at := day.Add(offsets[f.IntN(len(offsets))] + time.Duration(f.IntN(2))*-time.Minute)
	return &at
}

// randomFilter sets each condition in some of the cases.
func (f *filterFixture) randomFilter() *task.Filter {
	filter := &task.Filter{}
	day := func() *string {
		if f.IntN(5) > 0 {
			return nil
		}
		return f.day()
	}
	flag := func() *bool {
		if f.IntN(4) > 0 {
			return nil
		}
		value := f.IntN(2) == 0
		return &value
	}
	filter.DueFrom, filter.DueTo, filter.CompletedFrom, filter.CompletedTo = day(), day(), day(), day()
	filter.Overdue, filter.NoDue, filter.Trashed = flag(), flag(), flag()
	if f.IntN(4) == 0 {
		status := []enum.TaskStatus{enum.TaskAll, enum.TaskPending, enum.TaskCompleted}[f.IntN(3)]
		filter.Status = &status
	}
	if f.IntN(6) == 0 {
		filter.Label = &filterLabels[f.IntN(len(filterLabels))]
	}
	for range f.IntN(3) * f.IntN(2) {
		filter.Labels = append(filter.Labels, filterLabels[f.IntN(len(filterLabels))])
	}
	return filter
}

func (f *filterFixture) check(t *testing.T, ctx context.Context, e *environment, filter *task.Filter) {
	t.Helper()
	want := []int{}
	for _, candidate := range f.tasks {
		if f.selects(filter, candidate, time.Now()) {
			want = append(want, candidate.Number)
		}
	}
	size := page.MaxSize
	for _, order := range []*task.Order{nil, {Field: enum.OrderDue, Direction: enum.Ascending}} {
		found, err := e.ListTasks(ctx, page.Args{First: &size}, order, filter)
		require.NoError(t, err)
		got := []int{}
		for _, one := range found.Nodes() {
			got = append(got, one.Number)
		}
		if order != nil {
			slices.Sort(got)
			slices.Reverse(got)
		}
		require.Equal(t, want, got, "%s: %s", f.zone, describeFilter(filter))
		total, err := found.TotalCount(ctx)
		require.NoError(t, err)
		if describeFilter(filter) == "" {
			continue // the user's counters do not know of the changes that the fixture made
		}
		require.Equal(t, len(want), total, "%s: %s", f.zone, describeFilter(filter))
	}
}

// describeFilter lists the conditions other than the task's state.
func describeFilter(f *task.Filter) string {
	var out []string
	for name, day := range map[string]*string{
		"dueFrom":       f.DueFrom,
		"dueTo":         f.DueTo,
		"completedFrom": f.CompletedFrom,
		"completedTo":   f.CompletedTo,
		"label":         f.Label,
	} {
		if day != nil {
			out = append(out, name+"="+*day)
		}
	}
	for name, flag := range map[string]*bool{"overdue": f.Overdue, "noDue": f.NoDue} {
		if flag != nil {
			out = append(out, fmt.Sprint(name, "=", *flag))
		}
	}
	if len(f.Labels) > 0 {
		out = append(out, fmt.Sprint("labels=", f.Labels))
	}
	return strings.Join(out, " ")
}

// selects is the naive filter.
func (f *filterFixture) selects(filter *task.Filter, t *ent.Task, now time.Time) bool {
	local := func(at time.Time) string { return at.In(f.zone).Format(time.DateOnly) }
	within := func(from, to *string, day string) bool {
		return (from == nil || day != "" && day >= *from) && (to == nil || day != "" && day <= *to)
	}
	due, completed, isOverdue := "", "", false
	switch {
	case t.DueOn != nil:
		due = *t.DueOn
		isOverdue = t.CompletedAt == nil && due < local(now)
	case t.DueAt != nil:
		due = local(*t.DueAt)
		isOverdue = t.CompletedAt == nil && t.DueAt.Before(now)
	}
	if t.CompletedAt != nil {
		completed = local(*t.CompletedAt)
	}
	labels := slices.Clone(filter.Labels)
	if filter.Label != nil {
		labels = append(labels, *filter.Label)
	}
	for _, label := range labels {
		if !slices.Contains(t.Labels, strings.TrimSpace(label)) {
			return false
		}
	}
	status := enum.TaskAll
	if filter.Status != nil {
		status = *filter.Status
	}
	return (filter.Trashed != nil && *filter.Trashed) == (t.DeletedAt != nil) &&
		(status == enum.TaskAll || (status == enum.TaskCompleted) == (completed != "")) &&
		within(filter.DueFrom, filter.DueTo, due) &&
		within(filter.CompletedFrom, filter.CompletedTo, completed) &&
		(filter.Overdue == nil || *filter.Overdue == isOverdue) &&
		(filter.NoDue == nil || *filter.NoDue == (due == ""))
}

func TestListTasks_InvalidFilter_NamesField(t *testing.T) {
	forEachEngine(t, func(t *testing.T, ctx context.Context, e *environment) {
		bad, long := "2031-02-30", strings.Repeat("x", task.MaxLabel+1)
		for field, filter := range map[string]task.Filter{
			"dueFrom":       {DueFrom: &bad},
			"dueTo":         {DueTo: &bad},
			"completedFrom": {CompletedFrom: &bad},
			"completedTo":   {CompletedTo: &bad},
			"label":         {Label: &long},
			"labels":        {Labels: []string{"x", long}},
		} {
			_, err := e.ListTasks(ctx, page.Args{}, nil, &filter)
			require.Equal(t, field, apperr.From(err).Field)
		}
		_, err := e.ListTasks(ctx, page.Args{}, nil, &task.Filter{Labels: make([]string, task.MaxLabels+1)})
		require.Equal(t, "labels", apperr.From(err).Field)
	})
}

// TestListTasks_LastDay_IsADueDate creates a task on the last day that can be stored, whose sort key is that of a task
// without a due date.
func TestListTasks_LastDay_IsADueDate(t *testing.T) {
	forEachEngine(t, func(t *testing.T, ctx context.Context, e *environment) {
		last, no := "9999-12-31", false
		_, err := e.CreateTask(ctx, task.CreateTaskInput{Title: "x", DueOn: &last})
		require.NoError(t, err)
		require.Equal(t, enum.NeverDue, e.client.Task.Query().Where(enttask.Number(1)).OnlyX(ctx).DueSort)
		for _, filter := range []task.Filter{{NoDue: &no}, {DueFrom: &last}, {DueTo: &last}} {
			found, err := e.ListTasks(ctx, page.Args{}, nil, &filter)
			require.NoError(t, err)
			require.Len(t, found.Edges, 1)
		}
	})
}
