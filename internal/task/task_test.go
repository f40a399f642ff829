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
	"errand/internal/quota"
	"errand/internal/store"
	"errand/internal/task"
	"errand/internal/testdb"
	"errand/internal/viewer"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// environment is the service with one user.
type environment struct {
	*task.Service
	client *ent.Client
	sql    store.SQL
	userID string
	// notified counts the calls of the change function.
	notified atomic.Int32
}

// forEachEngine runs the test on SQLite and on PostgreSQL, with the user as viewer of ctx.
func forEachEngine(t *testing.T, test func(t *testing.T, ctx context.Context, e *environment)) {
	t.Helper()
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		e := &environment{client: db.Client(), sql: db.SQL()}
		e.Service = task.NewService(db.Client(), quota.Limits{}, func(userID string) {
			if userID == e.userID {
				e.notified.Add(1)
			}
		})
		u := db.Client().User.Create().SetSubject("alice").SetTimeZone("Europe/Berlin").SaveX(rule.System(t.Context()))
		e.userID = u.ID
		test(t, viewer.NewContext(t.Context(), viewer.Viewer{UserID: u.ID}), e)
	})
}

// createUser creates another user and returns its ID.
func (e *environment) createUser(t *testing.T, subject string) string {
	t.Helper()
	return e.client.User.Create().SetSubject(subject).SaveX(rule.System(t.Context())).ID
}

func (e *environment) create(t *testing.T, ctx context.Context, title string) *ent.Task {
	t.Helper()
	created, err := e.CreateTask(ctx, task.CreateTaskInput{Title: title})
	require.NoError(t, err)
	return created
}

// changeKinds returns the kinds of the user's changes, in order.
func (e *environment) changeKinds(t *testing.T, ctx context.Context) (kinds []enum.ChangeKind) {
	t.Helper()
	changes, err := e.ChangesAfter(ctx, 0, 100)
	require.NoError(t, err)
	for _, c := range changes {
		kinds = append(kinds, c.Kind)
	}
	return kinds
}

func TestChanges_EachEffectiveOne_IsRecordedAndNotified(t *testing.T) {
	forEachEngine(t, func(t *testing.T, ctx context.Context, e *environment) {
		created := e.create(t, ctx, "x")
		require.EqualValues(t, 1, e.notified.Load())
		for _, do := range []func(context.Context, string) (*ent.Task, error){
			e.CompleteTask, e.CompleteTask, e.ReopenTask, e.DeleteTask, e.DeleteTask, e.RestoreTask, e.RestoreTask,
		} {
			_, err := do(ctx, created.ID)
			require.NoError(t, err)
		}
		require.Equal(t, []enum.ChangeKind{
			enum.ChangeCreated, enum.ChangeCompleted, enum.ChangeReopened, enum.ChangeDeleted, enum.ChangeRestored,
		}, e.changeKinds(t, ctx), "calls without effect are not recorded")
		now, err := e.FindTask(ctx, created.ID)
		require.NoError(t, err)
		require.Equal(t, 5, now.Version)
		require.True(t, now.UpdatedAt.After(created.UpdatedAt))
	})
}

func TestUpdateTask_Rejected_ChangesNothing(t *testing.T) {
	forEachEngine(t, func(t *testing.T, ctx context.Context, e *environment) {
		created := e.create(t, ctx, "x")
		notified := e.notified.Load()
		_, err := e.UpdateTask(ctx, created.ID, task.Patch{Title: task.Some(""), Description: task.Some("more")})
		require.Equal(t, "title", apperr.From(err).Field)
		stale := 7
		_, err = e.UpdateTask(ctx, created.ID, task.Patch{Title: task.Some("y"), ExpectedVersion: &stale})
		require.Equal(t, apperr.Conflict, apperr.CodeOf(err))
		_, err = e.CompleteTask(ctx, "task_none")
		require.Equal(t, apperr.NotFound, apperr.CodeOf(err))
		now, err := e.FindTask(ctx, created.ID)
		require.NoError(t, err)
		require.Equal(t, created.Version, now.Version)
		require.Empty(t, now.Description)
		require.Len(t, e.changeKinds(t, ctx), 1)
		require.Equal(t, notified, e.notified.Load())
	})
}

func TestUpdateTask_LabelsThatJoinToTheSameText_AreAChange(t *testing.T) {
	forEachEngine(t, func(t *testing.T, ctx context.Context, e *environment) {
		created, err := e.CreateTask(ctx, task.CreateTaskInput{Title: "x", Labels: []string{"a, b"}})
		require.NoError(t, err)
		changed, err := e.UpdateTask(ctx, created.ID, task.Patch{Labels: task.Some([]string{"a", "b"})})
		require.NoError(t, err)
		require.Equal(t, 2, changed.Version)
		now, err := e.FindTask(ctx, created.ID)
		require.NoError(t, err)
		require.Equal(t, []string{"a", "b"}, now.Labels)
	})
}

func TestIn_RolledBackTransaction_LeavesNoTaskNumberOrNotification(t *testing.T) {
	forEachEngine(t, func(t *testing.T, ctx context.Context, e *environment) {
		rollback := errors.New("roll back")
		err := store.WithTx(ctx, e.client, func(tx *ent.Tx) error {
			tasks := e.In(tx)
			created, err := tasks.CreateTask(ctx, task.CreateTaskInput{Title: "never"})
			require.NoError(t, err)
			found, err := tasks.FindTaskByNumber(ctx, created.Number)
			require.NoError(t, err)
			require.Equal(t, "never", found.Title, "the transaction reads its own writes")
			return rollback
		})
		require.ErrorIs(t, err, rollback)
		require.Zero(t, e.notified.Load())
		require.Empty(t, e.changeKinds(t, ctx))
		require.Equal(t, 1, e.create(t, ctx, "first").Number)
	})
}

func TestListTasks_DueDays_AreInTheViewersTimeZone(t *testing.T) {
	forEachEngine(t, func(t *testing.T, ctx context.Context, e *environment) {
		midnight := time.Date(2031, 6, 2, 0, 0, 0, 0, time.FixedZone("", 2*3600)) // in Berlin, in summer
		for _, at := range []time.Time{midnight.Add(-time.Microsecond), midnight} {
			_, err := e.CreateTask(ctx, task.CreateTaskInput{Title: at.Format(time.RFC3339Nano), DueAt: &at})
			require.NoError(t, err)
		}
		day := "2031-06-02"
		before := "2031-06-01"
		for _, one := range []struct {
			filter task.Filter
			want   []int
		}{
			{task.Filter{DueFrom: &day}, []int{2}},
			{task.Filter{DueTo: &before}, []int{1}},
			{task.Filter{DueFrom: &day, DueTo: &day}, []int{2}},
		} {
			found, err := e.ListTasks(ctx, page.Args{}, nil, &one.filter)
			require.NoError(t, err)
			var numbers []int
			for _, t := range found.Nodes() {
				numbers = append(numbers, t.Number)
			}
			require.Equal(t, one.want, numbers)
		}
		bad := "2031-02-30"
		for field, filter := range map[string]task.Filter{"dueFrom": {DueFrom: &bad}, "dueTo": {DueTo: &bad}} {
			_, err := e.ListTasks(ctx, page.Args{}, nil, &filter)
			require.Equal(t, field, apperr.From(err).Field)
		}
	})
}

func TestOperations_NoViewerOrDeletedAccount_AreUnauthenticated(t *testing.T) {
	forEachEngine(t, func(t *testing.T, ctx context.Context, e *environment) {
		created := e.create(t, ctx, "x")
		anonymous := context.Background()
		_, err := e.CreateTask(anonymous, task.CreateTaskInput{Title: "x"})
		require.Equal(t, apperr.Unauthenticated, apperr.CodeOf(err))
		_, err = e.CompleteTask(anonymous, created.ID)
		require.Equal(t, apperr.Unauthenticated, apperr.CodeOf(err))
		_, err = e.ListTasks(anonymous, page.Args{}, nil, nil)
		require.Equal(t, apperr.Unauthenticated, apperr.CodeOf(err))
		deleted := viewer.NewContext(anonymous, viewer.Viewer{UserID: "user_gone"})
		_, err = e.CreateTask(deleted, task.CreateTaskInput{Title: "x"})
		require.Equal(t, apperr.Unauthenticated, apperr.CodeOf(err), "a token stays valid after its account was deleted")
	})
}
