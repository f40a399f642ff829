package integration

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"errand/ent/taskchange"
	"errand/internal/testclient"
	"errand/internal/viewer"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

const applyTasksDoc = `mutation ($ops: [TaskOperation!]!, $atomic: Boolean! = true, $key: String) {
	applyTasks(operations: $ops, atomic: $atomic, idempotencyKey: $key) {
		applied batchId
		results { task { id number title completed deletedAt version } taskEdge { cursor node { id } }
			error { code message field retryAfterMs } } } }`

// applied is a result of applyTasks.
type applied struct {
	Applied bool
	BatchID *string
	Results []struct {
		Task     *testclient.Task
		TaskEdge *struct{ Cursor string }
		Error    *struct {
			Code, Message, Field string
			RetryAfterMs         int
		}
	}
}

func applyTasks(t *testing.T, c *testclient.Client, vars testclient.Vars) applied {
	t.Helper()
	return testclient.Run[struct{ ApplyTasks applied }](t, c, applyTasksDoc, vars).ApplyTasks
}

// codes returns the error codes, with the fields, or "ok" or "-" for operations without an error.
func (a applied) codes() (out []string) {
	for _, r := range a.Results {
		switch {
		case r.Error != nil:
			out = append(out, strings.TrimSpace(r.Error.Code+" "+r.Error.Field))
		case r.Task != nil && r.TaskEdge != nil:
			out = append(out, "ok")
		default:
			out = append(out, "-")
		}
	}
	return out
}

// creates returns operations that create tasks.
func creates(titles ...string) (out []testclient.Vars) {
	for _, title := range titles {
		out = append(out, testclient.Vars{"create": testclient.Vars{"title": title}})
	}
	return out
}

// batches returns the batches of the user's changes.
func batches(t *testing.T, b *harness.Env, c *testclient.Client) []string {
	t.Helper()
	ctx := viewer.NewContext(context.Background(), viewer.Viewer{UserID: harness.ViewerID(t, c)})
	changes, err := b.DB.Client().TaskChange.Query().Order(taskchange.BySeq()).All(ctx)
	require.NoError(t, err)
	var out []string
	for _, change := range changes {
		if change.BatchID == nil {
			out = append(out, "")
			continue
		}
		out = append(out, *change.BatchID)
	}
	return out
}

func TestApplyTasks_EachOperation_AppliesInOrderAsOneBatch(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		one := harness.CreateTask(t, c, testclient.Vars{"title": "One"}).ID
		two := harness.CreateTask(t, c, testclient.Vars{"title": "Two"}).ID
		got := applyTasks(t, c, testclient.Vars{"ops": []testclient.Vars{
			{"create": testclient.Vars{"title": "Three", "labels": []string{"x"}}},
			{"update": testclient.Vars{"id": one, "title": "First", "expectedVersion": 1}},
			{"complete": one},
			{"reopen": one},
			{"delete": two},
			{"restore": two},
			{"complete": two},
			{"complete": two},
		}})
		require.Equal(t, []string{"ok", "ok", "ok", "ok", "ok", "ok", "ok", "ok"}, got.codes())
		require.True(t, got.Applied)
		require.Equal(t, "Three", got.Results[0].Task.Title)
		require.Equal(t, 3, got.Results[0].Task.Number)
		require.True(t, got.Results[2].Task.Completed)
		require.False(t, got.Results[3].Task.Completed)
		require.Equal(t, 4, got.Results[7].Task.Version, "the last operation has no effect")
		require.Equal(t, []string{"First", "Two", "Three"}, harness.Titles(harness.AllTasks(t, c)))
		require.NotNil(t, got.BatchID)
		require.Equal(t, append([]string{"", ""}, repeated(*got.BatchID, 7)...), batches(t, b, c))
		requireExactCounters(t, b, c)

		got = applyTasks(t, c, testclient.Vars{"ops": []testclient.Vars{{"complete": two}}})
		require.Nil(t, got.BatchID, "nothing changed")
		require.True(t, got.Applied)
		require.Empty(t, applyTasks(t, c, testclient.Vars{"ops": []testclient.Vars{}}).Results)
	})
}

func repeated(text string, n int) (out []string) {
	for range n {
		out = append(out, text)
	}
	return out
}

func TestApplyTasks_Failures_AtomicLeavesNothingElseTheOthersApply(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		mine := harness.CreateTask(t, c, testclient.Vars{"title": "Mine"}).ID
		theirs := harness.CreateTask(t, b.Client(t, "bob"), testclient.Vars{"title": "Theirs"}).ID
		ops := append(creates("New", " "), []testclient.Vars{
			{"complete": theirs},
			{"delete": "no id\x00"},
			{"update": testclient.Vars{"id": mine, "title": "Other", "expectedVersion": 7}},
			{"update": testclient.Vars{"id": mine, "title": nil}},
			{"update": testclient.Vars{"id": mine, "dueOn": "2026-01-01", "dueAt": "2026-01-01T00:00:00Z"}},
			{"complete": mine},
		}...)
		faults := []string{
			"BAD_USER_INPUT title", "NOT_FOUND", "NOT_FOUND", "CONFLICT", "BAD_USER_INPUT title", "BAD_USER_INPUT dueAt",
		}
		got := applyTasks(t, c, testclient.Vars{"ops": ops})
		require.False(t, got.Applied)
		require.Nil(t, got.BatchID)
		require.Equal(t, append(append([]string{"-"}, faults...), "-"), got.codes())
		require.Equal(t, []string{""}, batches(t, b, c))
		require.Equal(t, 1, harness.AllTasks(t, c)[0].Version)
		requireExactCounters(t, b, c)

		got = applyTasks(t, c, testclient.Vars{"ops": ops, "atomic": false})
		require.True(t, got.Applied)
		require.Equal(t, append(append([]string{"ok"}, faults...), "ok"), got.codes())
		require.Equal(t, []string{"Mine", "New"}, harness.Titles(harness.AllTasks(t, c)))
		require.Equal(t, 2, got.Results[0].Task.Number, "the failed request has used no number")
		require.Equal(t, []string{"", *got.BatchID, *got.BatchID}, batches(t, b, c))
		requireExactCounters(t, b, c)
	})
}

func TestApplyTasks_InvalidOperations_AreRefused(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		id := harness.CreateTask(t, c, testclient.Vars{"title": "Mine"}).ID
		many := make([]string, 51)
		for i := range many {
			many[i] = fmt.Sprint(i)
		}
		harness.RequireErrorCode(t, "BAD_USER_INPUT operations",
			c.Try(t, applyTasksDoc, testclient.Vars{"ops": creates(many...)}))
		for _, op := range []testclient.Vars{{}, {"complete": id, "delete": id}, {"complete": nil}, {"explode": id}} {
			response := c.Try(t, applyTasksDoc, testclient.Vars{"ops": []testclient.Vars{op}})
			require.NotEmpty(t, response.Errors, "%v", op)
			require.Contains(t, response.ErrorCode(), "BAD_USER_INPUT", "%v: %s", op, response.Raw)
		}
		harness.RequireErrorCode(t, "BAD_USER_INPUT idempotencyKey",
			c.Try(t, applyTasksDoc, testclient.Vars{"ops": creates("x"), "key": ""}))
		require.Len(t, harness.AllTasks(t, c), 1)
	})
}

func TestApplyTasks_QuotaInTheMiddle_FailsTheRest(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		got := applyTasks(t, c, testclient.Vars{"ops": creates("a", "b", "c", "d", "e")})
		require.Equal(t, []string{"-", "-", "-", "FORBIDDEN", "FORBIDDEN"}, got.codes())
		require.Empty(t, harness.AllTasks(t, c))
		got = applyTasks(t, c, testclient.Vars{"ops": creates("a", "b", "c", "d", "e"), "atomic": false})
		require.Equal(t, []string{"ok", "ok", "ok", "FORBIDDEN", "FORBIDDEN"}, got.codes())
		requireExactCounters(t, b, c)
	}, harness.Settings{"MAX_TASKS_PER_USER": "3"})
}

func TestApplyTasks_RateLimit_CountsEachOperation(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		got := applyTasks(t, c, testclient.Vars{"ops": creates("a", "b", "c", "d"), "atomic": false})
		require.Equal(t, []string{"ok", "ok", "ok", "RATE_LIMITED"}, got.codes())
		require.Positive(t, got.Results[3].Error.RetryAfterMs)
	}, harness.Settings{"MUTATIONS_PER_MINUTE": "3"})
}

func TestApplyTasks_SameKey_ReturnsSameResults(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		vars := testclient.Vars{"ops": creates("a", "", "b"), "atomic": false, "key": "k"}
		first := applyTasks(t, c, vars)
		require.Equal(t, []string{"ok", "BAD_USER_INPUT title", "ok"}, first.codes())
		require.Equal(t, first, applyTasks(t, c, vars))
		harness.ChangeTask(t, c, "completeTask", first.Results[0].Task.ID)
		again := applyTasks(t, c, vars)
		require.True(t, again.Results[0].Task.Completed, "the present state")
		require.Equal(t, first.BatchID, again.BatchID)
		for _, other := range []testclient.Vars{
			{"ops": creates("a", "", "c"), "atomic": false, "key": "k"}, {"ops": vars["ops"], "atomic": true, "key": "k"},
		} {
			harness.RequireErrorCode(t, "CONFLICT", c.Try(t, applyTasksDoc, other))
		}
		require.Len(t, harness.AllTasks(t, c), 2)

		failed := testclient.Vars{"ops": creates("x", ""), "key": "unused"}
		require.False(t, applyTasks(t, c, failed).Applied)
		require.True(t, applyTasks(t, c, testclient.Vars{"ops": creates("x"), "key": "unused"}).Applied)

		results := make([]applied, 6)
		for _, err := range harness.Concurrently(len(results), func(i int) error {
			results[i] = applyTasks(t, c, testclient.Vars{"ops": creates("y", "z"), "key": "same"})
			return nil
		}) {
			require.NoError(t, err)
		}
		for _, r := range results {
			require.Equal(t, results[0], r)
		}
		require.Len(t, harness.AllTasks(t, c), 5)

		inner := []testclient.Vars{{"create": testclient.Vars{"title": "once", "idempotencyKey": "inner"}}}
		created := applyTasks(t, c, testclient.Vars{"ops": inner}).Results[0].Task.ID
		require.Equal(t, created, applyTasks(t, c, testclient.Vars{"ops": inner}).Results[0].Task.ID)
	})
}

// TestApplyTasks_ConcurrentOppositeOrders_AllApply runs batches that change the same tasks in opposite orders.
func TestApplyTasks_ConcurrentOppositeOrders_AllApply(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		one := harness.CreateTask(t, c, testclient.Vars{"title": "One"}).ID
		two := harness.CreateTask(t, c, testclient.Vars{"title": "Two"}).ID
		for _, err := range harness.Concurrently(4, func(worker int) error {
			first, second := one, two
			if worker%2 == 0 {
				first, second = two, one
			}
			for range 10 {
				got := applyTasks(t, c, testclient.Vars{"ops": []testclient.Vars{
					{"complete": first}, {"reopen": second}, {"reopen": first}, {"complete": second},
				}})
				if !got.Applied {
					return fmt.Errorf("not applied: %v", got.codes())
				}
			}
			return nil
		}) {
			require.NoError(t, err)
		}
		requireExactCounters(t, b, c)
	})
}

func TestApplyTasks_Cost_GrowsWithOperations(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		titles := make([]string, 50)
		for i := range titles {
			titles[i] = fmt.Sprint(i)
		}
		got := applyTasks(t, c, testclient.Vars{"ops": creates(titles...)})
		require.True(t, got.Applied)
		require.Len(t, got.Results, 50)
		document := `mutation ($ops: [TaskOperation!]!) { ` +
			aliasedFields(10, `applyTasks(operations: $ops) { applied }`) + ` }`
		harness.RequireErrorCode(t, "COMPLEXITY_LIMIT_EXCEEDED",
			c.Try(t, document, testclient.Vars{"ops": creates(titles...)}))
		require.Empty(t, c.Try(t, document, testclient.Vars{"ops": creates("a")}).Errors)
	})
}

// TestApplyTasks_Undo_TakesBackTheBatchAndRedoesIt undoes a batch of every kind of operation, and undoes the undo.
func TestApplyTasks_Undo_TakesBackTheBatchAndRedoesIt(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, e *harness.Env) {
		c := e.Client(t, "alice")
		for _, title := range []string{"Milk", "Bread", "Eggs", "Salt"} {
			harness.CreateTask(t, c, testclient.Vars{"title": title})
		}
		all := harness.AllTasks(t, c)
		harness.ChangeTask(t, c, "completeTask", all[1].ID)
		harness.ChangeTask(t, c, "deleteTask", all[3].ID)
		before := titles(t, c)
		require.Equal(t, []string{"Milk", "Bread ✓", "Eggs"}, before)
		batch := applyTasks(t, c, testclient.Vars{"ops": []testclient.Vars{
			{"create": testclient.Vars{"title": "Rolls"}},
			{"update": testclient.Vars{"id": all[0].ID, "title": "Oat milk"}},
			{"complete": all[0].ID},
			{"reopen": all[1].ID},
			{"delete": all[2].ID},
			{"restore": all[3].ID},
		}})
		require.True(t, batch.Applied)
		after := titles(t, c)
		require.Equal(t, []string{"Oat milk ✓", "Bread", "Salt", "Rolls"}, after)

		undo := undoBatch(t, c, *batch.BatchID)
		require.Empty(t, undo.Skipped)
		require.Len(t, undo.Undone, 6)
		require.Equal(t, before, titles(t, c))
		require.Equal(t, undo.BatchID, undoBatch(t, c, *batch.BatchID).BatchID, "a repeated undo has no further effect")
		redo := undoBatch(t, c, *undo.BatchID)
		require.Empty(t, redo.Skipped)
		require.Equal(t, after, titles(t, c))

		// What was changed since stays, and is reported.
		harness.ChangeTask(t, c, "reopenTask", all[0].ID)
		again := undoBatch(t, c, *batch.BatchID)
		require.Len(t, again.Skipped, 1)
		require.Equal(t, before, titles(t, c))
	})
}

func undoBatch(t *testing.T, c *testclient.Client, id string) undoPayload {
	t.Helper()
	return testclient.Run[struct{ UndoChange undoPayload }](t, c,
		`mutation ($id: ID!) { undoChange(id: $id) `+undoFields+` }`, testclient.Vars{"id": id}).UndoChange
}
