package integration

import (
	"math"
	"testing"
	"time"

	enttask "errand/ent/task"
	"errand/internal/account"
	"errand/internal/approval"
	"errand/internal/testclient"
	"errand/internal/viewer"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// TestPurgeTrash_ExpiredTasks_LeaveNoTrace moves tasks to the trash, deletes the expired ones, and checks rows,
// history, counters, search, and what a stream reads that continues from before.
func TestPurgeTrash_ExpiredTasks_LeaveNoTrace(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		id := testclient.Run[struct{ Viewer struct{ ID string } }](t, c, `{ viewer { id } }`, nil).Viewer.ID
		as := viewer.NewContext(t.Context(), viewer.Viewer{UserID: id})
		client := b.DB.Client()

		old := harness.CreateTask(t, c, testclient.Vars{"title": "Old milk", "labels": []string{"a", "b"}})
		harness.ChangeTask(t, c, "deleteTask", old.ID)
		client.Task.UpdateOneID(old.ID).SetDeletedAt(time.Now().AddDate(0, 0, -31)).ExecX(as)
		recent := harness.CreateTask(t, c, testclient.Vars{"title": "Recent milk"})
		harness.ChangeTask(t, c, "deleteTask", recent.ID)
		kept := harness.CreateTask(t, c, testclient.Vars{"title": "Kept milk"})

		more, err := b.Services.Tasks.PurgeTrash(as, time.Now().AddDate(0, 0, -30))
		require.NoError(t, err)
		require.False(t, more)

		require.Equal(t, 2, client.Task.Query().CountX(as))
		require.Equal(t, 3, client.TaskChange.Query().CountX(as))
		for _, term := range client.TaskTerm.Query().AllX(as) {
			require.NotEqual(t, old.Number, term.TaskNumber)
		}
		report, err := account.CheckCounters(t.Context(), b.DB, math.MaxInt, false)
		require.NoError(t, err)
		require.Empty(t, report.Wrong)

		changes, err := b.Services.Tasks.ChangesAfter(as, 0, 100) // what taskStream(after:) reads
		require.NoError(t, err)
		require.Len(t, changes, 3)
		require.Equal(t, recent.ID, changes[0].TaskID)
		require.Equal(t, kept.ID, changes[2].TaskID)
		next := harness.CreateTask(t, c, testclient.Vars{"title": "Next"})
		require.Equal(t, kept.Number+1, next.Number)
	})
}

// TestPurging_Timer_RemovesExpiredRows waits for the server's own removal of expired rows, first and again.
func TestPurging_Timer_RemovesExpiredRows(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		as := viewer.NewContext(t.Context(), viewer.Viewer{UserID: harness.ViewerID(t, c)})
		recent := harness.CreateTask(t, c, testclient.Vars{"title": "Recent"})
		harness.ChangeTask(t, c, "deleteTask", recent.ID)
		_, calls, _ := proposeDeletions(t, c)
		expireApprovals(t, b)
		for range 2 {
			old := harness.CreateTask(t, c, testclient.Vars{"title": "Old"})
			harness.ChangeTask(t, c, "deleteTask", old.ID)
			b.DB.Client().Task.UpdateOneID(old.ID).SetDeletedAt(time.Now().AddDate(0, 0, -31)).ExecX(as)
			require.Eventually(t, func() bool {
				return b.DB.Client().Task.Query().Where(enttask.ID(old.ID)).CountX(as) == 0
			}, time.Minute, 20*time.Millisecond)
		}
		require.Equal(t, 1, b.DB.Client().Task.Query().Where(enttask.ID(recent.ID)).CountX(as))
		for _, id := range calls {
			stored := b.DB.Client().ToolCall.GetX(as, id)
			require.Equal(t, approval.Expired, approval.CodeOf(stored), "the approval has expired without a request")
		}
		requireExactCounters(t, b, c)
	}, harness.Settings{"PURGE_INTERVAL": "1s"})
}

// TestPurgeTrash_ManyTasks_DeletesInBatches checks that one call deletes a limited number of tasks.
func TestPurgeTrash_ManyTasks_DeletesInBatches(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		id := testclient.Run[struct{ Viewer struct{ ID string } }](t, c, `{ viewer { id } }`, nil).Viewer.ID
		as := viewer.NewContext(t.Context(), viewer.Viewer{UserID: id})
		for range 60 {
			harness.ChangeTask(t, c, "deleteTask", harness.CreateTask(t, c, testclient.Vars{"title": "Milk"}).ID)
		}
		left := []int{10, 0}
		for i, want := range left {
			more, err := b.Services.Tasks.PurgeTrash(as, time.Now().Add(time.Hour))
			require.NoError(t, err)
			require.Equal(t, i == 0, more)
			require.Equal(t, want, b.DB.Client().Task.Query().CountX(as))
		}
		report, err := account.CheckCounters(t.Context(), b.DB, math.MaxInt, false)
		require.NoError(t, err)
		require.Empty(t, report.Wrong)
	})
}
