package integration

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"errand/ent/rule"
	"errand/internal/testclient"

	"github.com/stretchr/testify/require"
)

// together runs something n times at once and gives what came of each.
func together[T any](n int, do func(i int) T) []T {
	out := make([]T, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { out[i] = do(i) })
	}
	all.Wait()
	return out
}

// TestFirstRequestsAtTheSameMomentMakeOnePerson.
func TestFirstRequestsAtTheSameMomentMakeOnePerson(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		tokens := []string{token(t, "alice"), token(t, "bob")}
		seen := map[string]bool{}
		for _, a := range together(24, func(i int) testclient.Response {
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

// TestTaskNumbersNeverRepeat: not when tasks are made at the same moment, and not after deletions.
func TestTaskNumbersNeverRepeat(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		alice, bob := b.user(t, "alice"), b.user(t, "bob")
		const n = 30
		made := together(n, func(i int) int {
			c := []*client{alice, bob}[i%2]
			a, err := c.Do(t.Context(), createTaskDoc, vars{"in": vars{"title": fmt.Sprint("task ", i)}})
			var payload taskPayload
			if err == nil {
				err = jsonInto(a.Data, &payload)
			}
			if err != nil {
				t.Error(err)
			}
			return payload.R.Task.Number
		})
		for who := range 2 {
			given := map[int]bool{}
			for i := who; i < n; i += 2 {
				given[made[i]] = true
			}
			require.Len(t, given, n/2)
			for number := 1; number <= n/2; number++ {
				require.True(t, given[number], "number %d", number)
			}
		}
		for _, one := range allTasks(t, alice) {
			changeTask(t, alice, "deleteTask", one.ID)
		}
		require.Equal(t, n/2+1, createTask(t, alice, vars{"title": "new"}).Number)
		k := &talk{c: alice}
		k.say(t, "Add a task to call Bob")
		require.Equal(t, n/2+2, allTasks(t, alice)[1].Number)
	})
}

// TestChangesOfOneTaskAtTheSameMomentAreAllKept: versions and history have no gaps.
func TestChangesOfOneTaskAtTheSameMomentAreAllKept(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		c := b.user(t, "alice")
		made := createTask(t, c, vars{"title": "x"})
		const n = 12
		for _, fault := range together(n, func(i int) string {
			a, err := c.Do(t.Context(), updateTaskDoc, vars{"in": vars{"id": made.ID, "title": fmt.Sprint("title ", i)}})
			if err != nil {
				t.Error(err)
			}
			return a.ErrorCode()
		}) {
			require.Empty(t, fault)
		}
		h := historyOf(t, c, 1)
		require.Equal(t, n+1, h.Version)
		require.Len(t, h.Changes.Nodes, n+1)
		for i, change := range h.Changes.Nodes[1:] {
			require.Equal(t, i+2, change.TaskVersion)
			if i > 0 {
				require.Equal(
					t,
					*h.Changes.Nodes[i].Fields[0].To,
					*change.Fields[0].From,
					"each starts from what the one before left",
				)
			}
		}
		winners := 0
		for _, fault := range together(n, func(i int) string {
			a, err := c.Do(t.Context(), updateTaskDoc, vars{"in": vars{"id": made.ID, "title": fmt.Sprint("last ", i), "expectedVersion": n + 1}})
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
		require.Equal(t, 1, winners, "of those who expect the same version, one wins")
	})
}
