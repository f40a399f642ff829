package task_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/rule"
	"errand/internal/apperr"
	"errand/internal/page"
	"errand/internal/store"
	"errand/internal/task"
	"errand/internal/testdb"
	"errand/internal/viewer"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// desk is the service with one person at it.
type desk struct {
	*task.Service
	client *ent.Client
	userID string
	// told counts the announcements.
	told atomic.Int32
}

func each(t *testing.T, test func(t *testing.T, ctx context.Context, d *desk)) {
	t.Helper()
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		d := &desk{client: db.Client()}
		d.Service = task.NewService(db.Client(), func(userID string) {
			if userID == d.userID {
				d.told.Add(1)
			}
		})
		u := db.Client().User.Create().SetSubject("alice").SetTimeZone("Europe/Berlin").SaveX(rule.System(t.Context()))
		d.userID = u.ID
		test(t, viewer.NewContext(t.Context(), viewer.Viewer{UserID: u.ID}), d)
	})
}

func (d *desk) add(t *testing.T, ctx context.Context, title string) *ent.Task {
	t.Helper()
	made, err := d.CreateTask(ctx, task.CreateTaskInput{Title: title})
	require.NoError(t, err)
	return made
}

// log are the kinds of a person's changes, in order.
func (d *desk) log(t *testing.T, ctx context.Context) (kinds []enum.ChangeKind) {
	t.Helper()
	changes, err := d.ChangesAfter(ctx, 0, 100)
	require.NoError(t, err)
	for _, c := range changes {
		kinds = append(kinds, c.Kind)
	}
	return kinds
}

func TestEachChangeIsRecordedAndAnnounced(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, d *desk) {
		made := d.add(t, ctx, "x")
		require.EqualValues(t, 1, d.told.Load())
		for _, do := range []func(context.Context, string) (*ent.Task, error){d.CompleteTask, d.CompleteTask, d.ReopenTask, d.DeleteTask, d.DeleteTask, d.RestoreTask, d.RestoreTask} {
			_, err := do(ctx, made.ID)
			require.NoError(t, err)
		}
		require.Equal(t, []enum.ChangeKind{
			enum.ChangeCreated, enum.ChangeCompleted, enum.ChangeReopened, enum.ChangeDeleted, enum.ChangeRestored,
		}, d.log(t, ctx), "what changes nothing is no change")
		now, err := d.FindTask(ctx, made.ID)
		require.NoError(t, err)
		require.Equal(t, 5, now.Version)
		require.True(t, now.UpdatedAt.After(made.UpdatedAt))
	})
}

func TestARefusedChangeLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, d *desk) {
		made := d.add(t, ctx, "x")
		told := d.told.Load()
		_, err := d.UpdateTask(ctx, made.ID, task.Patch{Title: task.Some(""), Description: task.Some("more")})
		require.Equal(t, "title", apperr.From(err).Field)
		stale := 7
		_, err = d.UpdateTask(ctx, made.ID, task.Patch{Title: task.Some("y"), ExpectedVersion: &stale})
		require.Equal(t, apperr.Conflict, apperr.CodeOf(err))
		_, err = d.CompleteTask(ctx, "task_none")
		require.Equal(t, apperr.NotFound, apperr.CodeOf(err))
		now, err := d.FindTask(ctx, made.ID)
		require.NoError(t, err)
		require.Equal(t, made.Version, now.Version)
		require.Empty(t, now.Description)
		require.Len(t, d.log(t, ctx), 1)
		require.Equal(t, told, d.told.Load())
	})
}

func TestLabelsWithCommasAreToldApart(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, d *desk) {
		made, err := d.CreateTask(ctx, task.CreateTaskInput{Title: "x", Labels: []string{"a, b"}})
		require.NoError(t, err)
		changed, err := d.UpdateTask(ctx, made.ID, task.Patch{Labels: task.Some([]string{"a", "b"})})
		require.NoError(t, err)
		require.Equal(t, 2, changed.Version)
		now, err := d.FindTask(ctx, made.ID)
		require.NoError(t, err)
		require.Equal(t, []string{"a", "b"}, now.Labels)
	})
}

// TestWorkInACallersTransactionIsTheCallers: nothing is announced, and a rollback undoes
// task, number and record alike.
func TestWorkInACallersTransactionIsTheCallers(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, d *desk) {
		undo := errors.New("undo")
		err := store.WithTx(ctx, d.client, func(tx *ent.Tx) error {
			within := ent.NewTxContext(ctx, tx)
			made := d.add(t, within, "never")
			found, err := d.FindTaskByNumber(within, made.Number)
			require.NoError(t, err)
			require.Equal(t, "never", found.Title, "it sees what it has written")
			return undo
		})
		require.ErrorIs(t, err, undo)
		require.Zero(t, d.told.Load())
		require.Empty(t, d.log(t, ctx))
		require.Equal(t, 1, d.add(t, ctx, "first").Number)
	})
}

func TestADayIsMeantInThePersonsZone(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, d *desk) {
		midnight := time.Date(2031, 6, 2, 0, 0, 0, 0, time.FixedZone("", 2*3600)) // in Berlin, in summer
		for _, at := range []time.Time{midnight.Add(-time.Microsecond), midnight} {
			_, err := d.CreateTask(ctx, task.CreateTaskInput{Title: at.Format(time.RFC3339Nano), DueAt: &at})
			require.NoError(t, err)
		}
		day := "2031-06-02"
		before := "2031-06-01"
		for _, one := range []struct {
			filter task.Filter
			want   []int
		}{{task.Filter{DueFrom: &day}, []int{2}}, {task.Filter{DueTo: &before}, []int{1}}, {task.Filter{DueFrom: &day, DueTo: &day}, []int{2}}} {
			found, err := d.ListTasks(ctx, page.Args{}, nil, &one.filter)
			require.NoError(t, err)
			var numbers []int
			for _, made := range found.Nodes() {
				numbers = append(numbers, made.Number)
			}
			require.Equal(t, one.want, numbers)
		}
		bad := "2031-02-30"
		for field, filter := range map[string]task.Filter{"dueFrom": {DueFrom: &bad}, "dueTo": {DueTo: &bad}} {
			_, err := d.ListTasks(ctx, page.Args{}, nil, &filter)
			require.Equal(t, field, apperr.From(err).Field)
		}
	})
}

func TestWithoutAViewerNothingGoes(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, d *desk) {
		made := d.add(t, ctx, "x")
		nobody := context.Background()
		_, err := d.CreateTask(nobody, task.CreateTaskInput{Title: "x"})
		require.Equal(t, apperr.Unauthenticated, apperr.CodeOf(err))
		_, err = d.CompleteTask(nobody, made.ID)
		require.Equal(t, apperr.Unauthenticated, apperr.CodeOf(err))
		_, err = d.ListTasks(nobody, page.Args{}, nil, nil)
		require.Equal(t, apperr.Unauthenticated, apperr.CodeOf(err))
		gone := viewer.NewContext(nobody, viewer.Viewer{UserID: "user_gone"})
		_, err = d.CreateTask(gone, task.CreateTaskInput{Title: "x"})
		require.Equal(t, apperr.Unauthenticated, apperr.CodeOf(err), "a token may outlive its account")
	})
}
