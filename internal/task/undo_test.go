package task_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/taskchange"
	"errand/internal/apperr"
	"errand/internal/ids"
	"errand/internal/quota"
	"errand/internal/task"
	"errand/internal/viewer"

	"github.com/stretchr/testify/require"
)

// inBatch returns ctx with a batch for its changes, as a reply has.
func (e *environment) inBatch(ctx context.Context) (context.Context, string) {
	id := ids.New(ids.Message)()
	return viewer.NewContext(ctx, viewer.Viewer{UserID: e.userID, Actor: viewer.ActorAgent, BatchID: id}), id
}

// state is what an undo restores: all rows, without versions, times of changes and times of deletion.
type state struct {
	Tasks map[int]ent.Task
	Terms []string
	Usage quota.Usage
}

func (e *environment) state(t *testing.T, ctx context.Context) state {
	t.Helper()
	s := state{Tasks: map[int]ent.Task{}}
	for _, row := range e.client.Task.Query().AllX(ctx) {
		require.Equal(t, row.Version, row.IndexedVersion)
		s.Tasks[row.Number] = ent.Task{
			Title: row.Title, Description: row.Description, Priority: row.Priority, DueOn: row.DueOn, DueAt: row.DueAt,
			DueSort: row.DueSort, Labels: row.Labels, CompletedAt: row.CompletedAt, TermCount: row.TermCount,
		}
		if row.DeletedAt != nil {
			trashed := s.Tasks[row.Number]
			trashed.Version = -1
			s.Tasks[row.Number] = trashed
		}
	}
	for _, term := range e.client.TaskTerm.Query().AllX(ctx) {
		s.Terms = append(s.Terms, fmt.Sprintf("%d %s", term.TaskNumber, term.Term))
	}
	slices.Sort(s.Terms)
	used, _, err := quota.Stored(ctx, e.client, e.userID)
	require.NoError(t, err)
	used.Bytes = 0 // the history grows
	s.Usage = used
	return s
}

// randomChange makes a random change to one of the tasks with the numbers up to 4, or creates a task.
func (e *environment) randomChange(t *testing.T, ctx context.Context, r *rand.Rand) {
	t.Helper()
	tasks := e.client.Task.Query().AllX(ctx)
	pick := tasks[r.IntN(len(tasks))]
	text := []string{"Buy milk", "Call the dentist, today", "Plan B", "Écrire à Zoë"}
	var err error
	switch r.IntN(8) {
	case 0:
		_, err = e.CreateTask(ctx, task.CreateTaskInput{Title: text[r.IntN(4)], Labels: []string{"a, b", "c"}[r.IntN(2):]})
	case 1:
		_, err = e.CompleteTask(ctx, pick.ID)
	case 2:
		_, err = e.ReopenTask(ctx, pick.ID)
	case 3:
		_, err = e.DeleteTask(ctx, pick.ID)
	case 4:
		_, err = e.RestoreTask(ctx, pick.ID)
	default:
		p := task.Patch{}
		if r.IntN(2) == 0 {
			p.Title = task.Some(text[r.IntN(4)])
		}
		if r.IntN(2) == 0 {
			p.Labels = task.Some([][]string{{}, {"a", "b"}, {"a, b"}, {"c"}}[r.IntN(4)])
		}
		switch r.IntN(4) {
		case 0:
			p.DueOn = task.Some(fmt.Sprintf("2027-01-1%d", r.IntN(3)))
		case 1:
			p.DueAt = task.Some(time.Date(2027, 1, 1, r.IntN(3), 0, 0, 1000, time.UTC))
		case 2:
			p.DueOn = task.Optional[string]{IsSet: true}
		}
		if r.IntN(3) == 0 {
			p.Priority = task.Some(enum.Priority(r.IntN(5)))
			p.Completed = task.Some(r.IntN(2) == 0)
			p.Description = task.Some(text[r.IntN(4)])
		}
		_, err = e.UpdateTask(ctx, pick.ID, p)
	}
	if apperr.CodeOf(err) != apperr.NotFound { // a task in the trash
		require.NoError(t, err)
	}
}

// TestUndoTurn_RandomBatches_RestoresStateBefore undoes random batches directly after them, and undoes the undos.
func TestUndoTurn_RandomBatches_RestoresStateBefore(t *testing.T) {
	forEachEngine(t, func(t *testing.T, ctx context.Context, e *environment) {
		r := rand.New(rand.NewPCG(1, 2))
		e.create(t, ctx, "first")
		for range 40 {
			e.randomChange(t, ctx, r)
			before := e.state(t, ctx)
			batch, id := e.inBatch(ctx)
			for range 1 + r.IntN(6) {
				e.randomChange(t, batch, r)
			}
			made := e.client.TaskChange.Query().Where(taskchange.BatchID(id)).CountX(ctx)
			if made == 0 {
				continue
			}
			created := e.client.TaskChange.Query().
				Where(taskchange.BatchID(id), taskchange.KindEQ(enum.ChangeCreated)).AllX(ctx)
			after := e.state(t, ctx)

			undo, err := e.UndoTurn(ctx, id)
			require.NoError(t, err)
			require.Empty(t, undo.Skipped)
			require.Len(t, undo.Undone, made)
			undone := e.state(t, ctx)
			for _, c := range created { // created tasks are in the trash instead of absent
				row := e.client.Task.GetX(ctx, c.TaskID)
				require.NotNil(t, row.DeletedAt)
				delete(undone.Tasks, row.Number)
				undone.Usage.TrashedTasks--
				undone.Terms = slices.DeleteFunc(undone.Terms, func(term string) bool {
					var number int
					_, err := fmt.Sscan(term, &number)
					require.NoError(t, err)
					return number == row.Number
				})
			}
			require.Equal(t, before, undone)

			again, err := e.UndoTurn(ctx, id)
			require.NoError(t, err)
			require.Equal(t, undo.BatchID, again.BatchID)
			require.Len(t, again.Changes, made)

			redo, err := e.UndoChange(ctx, *undo.BatchID)
			require.NoError(t, err)
			require.Empty(t, redo.Skipped)
			require.Equal(t, after, e.state(t, ctx))
		}
		measured, err := quota.Measure(ctx, e.client, e.sql, e.userID)
		require.NoError(t, err)
		stored, _, err := quota.Stored(ctx, e.client, e.userID)
		require.NoError(t, err)
		require.Equal(t, measured, stored)
	})
}

func TestUndoTurn_FieldEditedSince_IsSkippedAndReported(t *testing.T) {
	forEachEngine(t, func(t *testing.T, ctx context.Context, e *environment) {
		milk := e.create(t, ctx, "milk")
		batch, id := e.inBatch(ctx)
		_, err := e.UpdateTask(batch, milk.ID, task.Patch{
			Title: task.Some("bread"), Labels: task.Some([]string{"shop"}), DueOn: task.Some("2027-01-01"),
		})
		require.NoError(t, err)
		rolls, err := e.CreateTask(batch, task.CreateTaskInput{Title: "rolls"})
		require.NoError(t, err)
		_, err = e.UpdateTask(ctx, milk.ID, task.Patch{
			Title: task.Some("brown bread"), DueAt: task.Some(time.Date(2027, 1, 2, 0, 0, 0, 0, time.UTC)),
		})
		require.NoError(t, err)
		_, err = e.CompleteTask(ctx, rolls.ID)
		require.NoError(t, err)

		undo, err := e.UndoTurn(ctx, id)
		require.NoError(t, err)
		require.Len(t, undo.Skipped, 2)
		require.Equal(t, []string{"completedAt"}, undo.Skipped[0].Fields)
		require.Equal(t, []string{"title", "dueOn"}, undo.Skipped[1].Fields)
		require.Equal(t, "Changed since: title, dueOn.", undo.Skipped[1].Reason)
		milk, err = e.FindTask(ctx, milk.ID)
		require.NoError(t, err)
		require.Equal(t, "brown bread", milk.Title)
		require.Empty(t, milk.Labels)
		require.NotNil(t, milk.DueAt)
		require.Nil(t, milk.DueOn)
		rolls, err = e.FindTask(ctx, rolls.ID)
		require.NoError(t, err)
		require.Nil(t, rolls.DeletedAt)

		again, err := e.UndoTurn(ctx, id)
		require.NoError(t, err)
		require.Equal(t, undo.BatchID, again.BatchID)
		require.Equal(t, undo.Skipped[1].Fields, again.Skipped[1].Fields)
	})
}

func TestUndoChange_SameChangeAtOnce_IsUndoneOnce(t *testing.T) {
	forEachEngine(t, func(t *testing.T, ctx context.Context, e *environment) {
		milk := e.create(t, ctx, "milk")
		_, err := e.CompleteTask(ctx, milk.ID)
		require.NoError(t, err)
		completed := e.client.TaskChange.Query().Where(taskchange.KindEQ(enum.ChangeCompleted)).OnlyX(ctx)
		var wg sync.WaitGroup
		results := make([]*task.Undo, 4)
		for i := range results {
			wg.Go(func() {
				undo, err := e.UndoChange(ctx, completed.ID)
				if err == nil {
					results[i] = undo
				}
			})
		}
		wg.Wait()
		for _, undo := range results {
			require.NotNil(t, undo)
			require.Equal(t, results[0].BatchID, undo.BatchID)
		}
		require.Equal(t, 3, e.client.TaskChange.Query().CountX(ctx))
		undone, err := e.UndoneChanges(ctx, []*ent.TaskChange{completed})
		require.NoError(t, err)
		require.True(t, undone[completed.ID])
	})
}

func TestUndoChange_UnknownOrForeign_ReturnsNotFound(t *testing.T) {
	forEachEngine(t, func(t *testing.T, ctx context.Context, e *environment) {
		e.create(t, ctx, "milk")
		created := e.client.TaskChange.Query().OnlyX(ctx)
		other := viewer.NewContext(t.Context(), viewer.Viewer{UserID: e.createUser(t, "bob")})
		for _, id := range []string{"", "chg_", created.ID, ids.New(ids.Batch)()} {
			_, err := e.UndoChange(other, id)
			require.Equal(t, apperr.NotFound, apperr.CodeOf(err), id)
		}
		_, err := e.UndoTurn(ctx, created.ID)
		require.Equal(t, apperr.NotFound, apperr.CodeOf(err))
		_, err = e.UndoChange(viewer.NewContext(t.Context(),
			viewer.Viewer{UserID: e.userID, Scopes: viewer.Scopes(viewer.TasksRead)}), created.ID)
		require.Equal(t, apperr.Forbidden, apperr.CodeOf(err))
	})
}

func TestUndoChange_LabelsOfEarlierRelease_AreSkippedIfAmbiguous(t *testing.T) {
	forEachEngine(t, func(t *testing.T, ctx context.Context, e *environment) {
		for _, labels := range [][]string{{"a", "b"}, {"c"}} {
			created, err := e.CreateTask(ctx, task.CreateTaskInput{Title: "milk", Labels: labels})
			require.NoError(t, err)
			_, err = e.UpdateTask(ctx, created.ID, task.Patch{Labels: task.Some([]string{})})
			require.NoError(t, err)
			update := e.client.TaskChange.Query().
				Where(taskchange.TaskID(created.ID), taskchange.KindEQ(enum.ChangeUpdated)).OnlyX(ctx)
			update.Fields[0].FromLabels = nil
			e.client.TaskChange.DeleteOne(update).ExecX(ctx)
			update = e.client.TaskChange.Create().SetID(update.ID).SetTaskID(created.ID).SetSeq(update.Seq).
				SetKind(update.Kind).SetActor(update.Actor).SetTaskVersion(2).SetFields(update.Fields).SaveX(ctx)
			undo, err := e.UndoChange(ctx, update.ID)
			require.NoError(t, err)
			if len(labels) == 1 {
				require.Empty(t, undo.Skipped)
				require.Equal(t, labels, undo.Tasks[0].Labels)
				continue
			}
			require.Empty(t, undo.Changes)
			require.Nil(t, undo.BatchID)
			require.Equal(t, []string{"labels"}, undo.Skipped[0].Fields)
			require.Contains(t, undo.Skipped[0].Reason, "earlier version")
		}
	})
}

func TestUndoChange_RateLimit_CountsOnce(t *testing.T) {
	forEachEngine(t, func(t *testing.T, ctx context.Context, e *environment) {
		batch, id := e.inBatch(ctx)
		for range 5 {
			e.create(t, batch, "milk")
		}
		limited := task.NewService(e.client, quota.Limits{MutationsPerMinute: 1}, func(string) {})
		undo, err := limited.UndoTurn(ctx, id)
		require.NoError(t, err)
		require.Len(t, undo.Changes, 5)
		_, err = limited.UndoTurn(ctx, id)
		require.Equal(t, apperr.RateLimited, apperr.CodeOf(err))
	})
}

func TestUndoLastCall_Repeated_GoesBackFurther(t *testing.T) {
	forEachEngine(t, func(t *testing.T, ctx context.Context, e *environment) {
		call := func(client string) context.Context {
			return viewer.NewContext(ctx, viewer.Viewer{
				UserID: e.userID, Actor: viewer.ActorMCP, Client: client, BatchID: ids.New(ids.Batch)(),
			})
		}
		milk := e.create(t, call("a"), "milk")
		bread := e.create(t, call("a"), "bread")
		e.create(t, call("b"), "other client")
		for _, want := range []*ent.Task{bread, milk} {
			undo, err := e.UndoLastCall(call("a"))
			require.NoError(t, err)
			require.Len(t, undo.Tasks, 1)
			require.Equal(t, want.ID, undo.Tasks[0].ID)
		}
		_, err := e.UndoLastCall(call("a"))
		require.Equal(t, apperr.NotFound, apperr.CodeOf(err))
		recent, err := e.RecentChanges(ctx, time.Now().Add(-time.Hour), 2)
		require.NoError(t, err)
		require.Len(t, recent, 2)
		require.Equal(t, milk.ID, recent[0].Edges.Task.ID)
		recent, err = e.RecentChanges(ctx, time.Now().Add(time.Hour), 2)
		require.NoError(t, err)
		require.Empty(t, recent)
	})
}
