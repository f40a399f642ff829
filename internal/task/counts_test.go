package task_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"errand/ent/rule"
	"errand/internal/apperr"
	"errand/internal/page"
	"errand/internal/task"
	"errand/internal/viewer"

	"github.com/stretchr/testify/require"
)

// TestCountTasks_EachChange_CountsStates compares the counts with the rows after random changes.
func TestCountTasks_EachChange_CountsStates(t *testing.T) {
	forEachEngine(t, func(t *testing.T, ctx context.Context, e *environment) {
		random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test's input
		change := []func(context.Context, string) error{
			func(ctx context.Context, id string) error { _, err := e.CompleteTask(ctx, id); return err },
			func(ctx context.Context, id string) error { _, err := e.ReopenTask(ctx, id); return err },
			func(ctx context.Context, id string) error { _, err := e.DeleteTask(ctx, id); return err },
			func(ctx context.Context, id string) error { _, err := e.RestoreTask(ctx, id); return err },
		}
		day := func(days int) *string { return new(time.Now().AddDate(0, 0, days).Format(time.DateOnly)) }
		var ids []string
		for i := range 12 {
			in := task.CreateTaskInput{Title: "x"}
			switch i % 4 {
			case 0:
				in.DueOn = day(-3)
			case 1:
				in.DueAt = new(time.Now().Add(-time.Minute))
			case 2:
				in.DueOn = day(3)
			}
			created, err := e.CreateTask(ctx, in)
			require.NoError(t, err)
			ids = append(ids, created.ID)
			for range 4 {
				// Changes without an effect, such as deleting a task in the trash, count too.
				_ = change[random.IntN(len(change))](ctx, ids[random.IntN(len(ids))])
				e.requireCounts(t, ctx)
			}
		}
	})
}

// requireCounts compares the counts with the user's rows.
func (e *environment) requireCounts(t *testing.T, ctx context.Context) {
	t.Helper()
	var pending, completed, trashed, overdue int
	for _, row := range e.client.Task.Query().AllX(ctx) {
		switch {
		case row.DeletedAt != nil:
			trashed++
		case row.CompletedAt != nil:
			completed++
		default:
			pending++
			if row.DueSort < time.Now().UnixMilli() {
				overdue++
			}
		}
	}
	counts, err := e.CountTasks(ctx)
	require.NoError(t, err)
	n, err := counts.Overdue(ctx)
	require.NoError(t, err)
	require.Equal(t, []int{pending, completed, trashed, overdue},
		[]int{counts.Pending, counts.Completed, counts.Trashed, n})
}

// TestCountTasks_Overdue_UsesTimeZone counts a task of the viewer's yesterday in zones 26 hours apart: in one of them
// the UTC date is another day.
func TestCountTasks_Overdue_UsesTimeZone(t *testing.T) {
	forEachEngine(t, func(t *testing.T, ctx context.Context, e *environment) {
		for i, name := range []string{"Etc/GMT+12", "Pacific/Kiritimati"} {
			zone, err := time.LoadLocation(name)
			require.NoError(t, err)
			e.client.User.UpdateOneID(e.userID).SetTimeZone(name).ExecX(rule.System(ctx))
			e.client.Task.Delete().ExecX(rule.System(ctx))
			today := time.Now().In(zone)
			for _, day := range []time.Time{today.AddDate(0, 0, -1), today.AddDate(0, 0, 1)} {
				_, err := e.CreateTask(ctx, task.CreateTaskInput{Title: "x", DueOn: new(day.Format(time.DateOnly))})
				require.NoError(t, err)
			}
			counts, err := e.CountTasks(ctx)
			require.NoError(t, err)
			n, err := counts.Overdue(ctx)
			require.NoError(t, err)
			require.Equal(t, 1, n, "%s, %d", name, i)
		}
	})
}

// TestListLabels_AnyTasks_CountsEachLabel compares the labels with those of the rows, and each count with the total of
// the filter by that label.
func TestListLabels_AnyTasks_CountsEachLabel(t *testing.T) {
	forEachEngine(t, func(t *testing.T, ctx context.Context, e *environment) {
		none, err := e.ListLabels(ctx, nil)
		require.NoError(t, err)
		require.Equal(t, []*task.LabelCount{}, none)

		names := []string{
			"home", "Home", "work", "Wörk, 2", `a"b\`, "Z", "é", "日本", "🦊", "\ufb01", "null", "[]", "1", "'--", "%",
		}
		random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test's input
		want := map[string]int{}
		for range 40 {
			in := task.CreateTaskInput{Title: "x"}
			for _, name := range names {
				if random.IntN(4) == 0 {
					in.Labels = append(in.Labels, name, " "+name)
				}
			}
			created, err := e.CreateTask(ctx, in)
			require.NoError(t, err)
			switch random.IntN(4) {
			case 0:
				_, err = e.DeleteTask(ctx, created.ID)
				require.NoError(t, err)
				continue
			case 1:
				_, err = e.CompleteTask(ctx, created.ID)
				require.NoError(t, err)
			}
			for _, label := range created.Labels {
				want[label]++
			}
		}
		var expected []*task.LabelCount
		for name, count := range want {
			expected = append(expected, &task.LabelCount{Name: name, Count: count})
		}
		slices.SortFunc(expected, func(a, b *task.LabelCount) int {
			if a.Count != b.Count {
				return b.Count - a.Count
			}
			return strings.Compare(a.Name, b.Name)
		})
		for _, first := range []int{1, 3, page.MaxSize} {
			found, err := e.ListLabels(ctx, &first)
			require.NoError(t, err)
			require.Equal(t, expected[:min(first, len(expected))], found)
		}
		for _, label := range expected {
			found, err := e.ListTasks(ctx, page.Args{}, nil, &task.Filter{Label: &label.Name})
			require.NoError(t, err)
			total, err := found.TotalCount(ctx)
			require.NoError(t, err)
			require.Equal(t, label.Count, total, label.Name)
		}
	})
}

// TestListLabels_NullLabels_CountsTheOthers stores labels that are no array, as old releases may have done.
func TestListLabels_NullLabels_CountsTheOthers(t *testing.T) {
	forEachEngine(t, func(t *testing.T, ctx context.Context, e *environment) {
		e.create(t, ctx, "x")
		_, err := e.client.ExecContext(rule.System(ctx), `UPDATE tasks SET labels = 'null'`)
		require.NoError(t, err)
		_, err = e.CreateTask(ctx, task.CreateTaskInput{Title: "x", Labels: []string{"home"}})
		require.NoError(t, err)
		found, err := e.ListLabels(ctx, nil)
		require.NoError(t, err)
		require.Equal(t, []*task.LabelCount{{Name: "home", Count: 1}}, found)
	})
}

func TestListLabels_ManyLabels_IsBounded(t *testing.T) {
	forEachEngine(t, func(t *testing.T, ctx context.Context, e *environment) {
		for i := range 8 {
			in := task.CreateTaskInput{Title: "x"}
			for j := range task.MaxLabels {
				in.Labels = append(in.Labels, fmt.Sprintf("label %03d", i*task.MaxLabels+j))
			}
			_, err := e.CreateTask(ctx, in)
			require.NoError(t, err)
		}
		found, err := e.ListLabels(ctx, nil)
		require.NoError(t, err)
		require.Len(t, found, page.MaxSize)
		require.Equal(t, &task.LabelCount{Name: "label 099", Count: 1}, found[99])
		for _, first := range []int{-1, 0, page.MaxSize + 1} {
			_, err := e.ListLabels(ctx, &first)
			require.Equal(t, "first", apperr.From(err).Field, first)
		}
	})
}

func TestCounts_OtherUser_SeesOwnTasksOnly(t *testing.T) {
	forEachEngine(t, func(t *testing.T, ctx context.Context, e *environment) {
		yesterday := time.Now().AddDate(0, 0, -2).Format(time.DateOnly)
		_, err := e.CreateTask(ctx, task.CreateTaskInput{Title: "x", Labels: []string{"home"}, DueOn: &yesterday})
		require.NoError(t, err)
		bob := e.client.User.Create().SetSubject("bob").SaveX(rule.System(ctx))
		as := viewer.NewContext(ctx, viewer.Viewer{UserID: bob.ID})
		counts, err := e.CountTasks(as)
		require.NoError(t, err)
		n, err := counts.Overdue(as)
		require.NoError(t, err)
		require.Zero(t, counts.Pending+n)
		labels, err := e.ListLabels(as, nil)
		require.NoError(t, err)
		require.Empty(t, labels)
	})
}

// TestListLabels_ManyTasks_CountsNewest has 5,010 tasks, of which the newest 5,000 are counted.
func TestListLabels_ManyTasks_CountsNewest(t *testing.T) {
	forEachEngine(t, func(t *testing.T, ctx context.Context, e *environment) {
		_, err := e.client.ExecContext(ctx, `WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < 5010)
			INSERT INTO tasks (id, created_at, updated_at, user_id, number, title, description, priority, due_sort, labels,
				version, indexed_version)
			SELECT 'task_' || n, '2026-01-01 00:00:00+00:00', '2026-01-01 00:00:00+00:00', '`+e.userID+`', n, 'x', '', 0, 0,
				'["a"]', 1, 1 FROM g`)
		require.NoError(t, err)
		e.client.User.UpdateOneID(e.userID).SetOpenTasks(5010).ExecX(rule.System(ctx))
		labels, err := e.ListLabels(ctx, nil)
		require.NoError(t, err)
		require.Equal(t, []*task.LabelCount{{Name: "a", Count: 5000}}, labels)
	})
}
