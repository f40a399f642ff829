package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"errand/ent/rule"
	"errand/internal/testclient"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// TestFirstRequests_Concurrent_CreateOneUser checks that concurrent first requests of one user create one
// row.
func TestFirstRequests_Concurrent_CreateOneUser(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		tokens := []string{harness.Token(t, "alice"), harness.Token(t, "bob")}
		seen := map[string]bool{}
		for _, a := range harness.Concurrently(24, func(i int) testclient.Response {
			a, err := testclient.New(t, b.URL(), tokens[i%2]).Do(t.Context(), `{ viewer { id } }`, nil)
			if err != nil {
				t.Error(err)
			}
			return a
		}) {
			require.Empty(t, a.Errors)
			seen[string(a.Data)] = true
		}
		require.Len(t, seen, 2)
		rows, err := b.DB.Client().User.Query().Count(rule.System(context.Background()))
		require.NoError(t, err)
		require.Equal(t, 2, rows)
	})
}

// TestCreateTask_Concurrent_NumbersAreUnique checks that task numbers are never reused, neither by concurrent
// creations nor after deletions.
func TestCreateTask_Concurrent_NumbersAreUnique(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		alice, bob := b.Client(t, "alice"), b.Client(t, "bob")
		const n = 30
		made := harness.Concurrently(n, func(i int) int {
			c := []*testclient.Client{alice, bob}[i%2]
			a, err := c.Do(t.Context(), harness.CreateTaskDoc,
				testclient.Vars{"in": testclient.Vars{"title": fmt.Sprint("task ", i)}})
			var payload harness.TaskPayload
			if err == nil {
				err = json.Unmarshal(a.Data, &payload)
			}
			if err != nil {
				t.Error(err)
			}
			return payload.R.Task.Number
		})
		for worker := range 2 {
			given := map[int]bool{}
			for i := worker; i < n; i += 2 {
				given[made[i]] = true
			}
			require.Len(t, given, n/2)
			for number := 1; number <= n/2; number++ {
				require.True(t, given[number], "number %d", number)
			}
		}
		for _, one := range harness.AllTasks(t, alice) {
			harness.ChangeTask(t, alice, "deleteTask", one.ID)
		}
		require.Equal(t, n/2+1, harness.CreateTask(t, alice, testclient.Vars{"title": "new"}).Number)
		conversation := &harness.Conversation{Client: alice}
		conversation.SendAndWait(t, "Add a task to call Bob")
		require.Equal(t, n/2+2, harness.AllTasks(t, alice)[1].Number)
	})
}

// TestUpdateTask_Concurrent_AllChangesKept checks that versions and history have no gaps after concurrent
// updates of one task.
func TestUpdateTask_Concurrent_AllChangesKept(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		made := harness.CreateTask(t, c, testclient.Vars{"title": "x"})
		const n = 12
		for _, fault := range harness.Concurrently(n, func(i int) string {
			a, err := c.Do(t.Context(), harness.UpdateTaskDoc, testclient.Vars{"in": testclient.Vars{
				"id":    made.ID,
				"title": fmt.Sprint("title ", i),
			}})
			if err != nil {
				t.Error(err)
			}
			return a.ErrorCode()
		}) {
			require.Empty(t, fault)
		}
		h := harness.ListChanges(t, c, 1)
		require.Equal(t, n+1, h.Version)
		require.Len(t, h.Changes.Nodes, n+1)
		for i, change := range h.Changes.Nodes[1:] {
			require.Equal(t, i+2, change.TaskVersion)
			if i > 0 {
				require.Equal(
					t,
					*h.Changes.Nodes[i].Fields[0].To,
					*change.Fields[0].From,
					"each change must start from the previous value",
				)
			}
		}
		winners := 0
		for _, fault := range harness.Concurrently(n, func(i int) string {
			a, err := c.Do(t.Context(), harness.UpdateTaskDoc, testclient.Vars{"in": testclient.Vars{
				"id":    made.ID,
				"title": fmt.Sprint("last ", i), "expectedVersion": n + 1,
			}})
			if err != nil {
				t.Error(err)
			}
			return a.ErrorCode()
		}) {
			if fault == "" {
				winners++
				continue
			}
			require.Equal(t, "CONFLICT", fault)
		}
		require.Equal(t, 1, winners, "exactly one update of a version must succeed")
	})
}
