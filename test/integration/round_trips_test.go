package integration

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"errand/ent/enum"
	"errand/ent/rule"
	"errand/internal/llm/providertest"
	"errand/internal/store"
	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// TestRoundTrips_Writes_StayFew counts the round trips to PostgreSQL, and the commits, of what users do most. Each
// round trip costs the latency of the network and a switch of processes, and each commit a write to the disk.
func TestRoundTrips_Writes_StayFew(t *testing.T) {
	t.Parallel()
	url := testdb.PostgresURL(t)
	p := testdb.NewTraffic(t, url)
	model := harness.StartModel(t, func(r harness.ModelRequest) providertest.Step {
		if len(r.ToolResults) == 0 {
			return harness.ToolCallResponse("", harness.AddTaskCall("Call Ann"), harness.AddTaskCall("Call Bob"))
		}
		return harness.TextResponse("Both are added.")
	})
	e := harness.Start(t, p.URL(), model.Settings(), harness.Settings{"RUN_SWEEP": "1s"})
	direct := testdb.Open(t, url)
	c := e.Client(t, "alice")
	conversation := harness.Send(t, c, "", "Add two tasks").Conversation.ID
	awaitReplies(t, direct, 1)
	for name, tc := range map[string]struct {
		trips, commits int
		do             func(key string)
	}{
		"createTask": {2, 1, func(string) { harness.CreateTask(t, c, testclient.Vars{"title": "Buy milk"}) }},
		"createTask with a key": {3, 1, func(key string) {
			harness.CreateTask(t, c, testclient.Vars{"title": "Buy milk", "idempotencyKey": key})
		}},
		"completeTask": {3, 1, func(key string) {
			task := harness.CreateTask(t, c, testclient.Vars{"title": "Buy milk " + key})
			p.Take()
			harness.ChangeTask(t, c, "completeTask", task.ID)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			tc.do("first") // the statements are prepared
			p.Take()
			tc.do("second")
			requireTrips(t, takeTrips(p), tc.trips, tc.commits)
		})
	}
	t.Run("a turn with two tool calls", func(t *testing.T) {
		for replies := 2; replies <= 4; replies++ { // on several connections, which prepare the statements
			p.Take()
			harness.Send(t, c, conversation, "Add two tasks")
			awaitReplies(t, direct, replies)
		}
		trips := takeTrips(p)
		// The reply begins after sendMessage has committed.
		sent := slices.IndexFunc(trips, testdb.RoundTrip.Commits) + 1
		requireTrips(t, trips[:sent], 7, 1)
		requireTrips(t, trips, 27, 5)
	})
}

// awaitReplies waits until n replies have completed.
func awaitReplies(t *testing.T, db *store.DB, n int) {
	t.Helper()
	ctx := rule.System(context.Background())
	require.Eventually(t, func() bool {
		messages, err := db.Client().Message.Query().All(ctx)
		require.NoError(t, err)
		done := 0
		for _, m := range messages {
			if m.Role == enum.RoleAssistant && m.Status == enum.MessageCompleted {
				done++
			}
		}
		return done == n
	}, testclient.Timeout, 10*time.Millisecond)
}

// takeTrips returns the round trips since the last call, without periodic ones.
func takeTrips(p *testdb.Traffic) []testdb.RoundTrip { return slices.DeleteFunc(p.Take(), isPeriodic) }

// requireTrips checks the numbers of round trips and of commits.
func requireTrips(t *testing.T, trips []testdb.RoundTrip, most, commits int) {
	t.Helper()
	committed := 0
	var list strings.Builder
	for _, trip := range trips {
		fmt.Fprintln(&list, strings.Join(trip, "; "))
		if trip.Commits() {
			committed++
		}
	}
	t.Logf("%d round trips, %d commits", len(trips), committed)
	require.LessOrEqual(t, len(trips), most, "round trips:\n%s", &list)
	require.LessOrEqual(t, committed, commits, "commits:\n%s", &list)
}

// isPeriodic reports whether a round trip is independent of what users do. So are the claims of runs: one, two or three
// follow a message, because the end of the run before claims too. So is the role of a connection, which is set when the
// pool opens one.
func isPeriodic(trip testdb.RoundTrip) bool {
	for _, text := range []string{
		"WITH clock AS", "pg_notify", "pg_locks", "pg_try_advisory_lock", "cancel_requested OR failures",
		"pg_is_in_recovery", "LIMIT 0) AS t", // of the health check
		"set_config('role', $1, false)",
	} {
		if trip.Contains(text) {
			return true
		}
	}
	return false
}
