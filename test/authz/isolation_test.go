package authz

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"errand/internal/account"
	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// TestSubscription_EqualDocumentsOfTwoUsers_AreIsolated checks that shared execution of equal subscriptions is per
// user. Two users subscribe twice each with the same document and create tasks concurrently; each receives only its
// own.
func TestSubscription_EqualDocumentsOfTwoUsers_AreIsolated(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, env *harness.Env) {
		const document, n = `subscription { taskStream { cursor kind task { number title } change { task { title } } } }`, 20
		clients := map[string]*testclient.Client{"alice": env.Client(t, "alice"), "bob": env.Client(t, "bob")}
		subs := map[string][]*testclient.Subscription{}
		for range 2 {
			for name, c := range clients {
				subs[name] = append(subs[name], c.Dial(t).Subscribe(t, document, nil))
			}
		}
		require.Eventually(t, func() bool { return env.Hub.Subscribers() == 4 }, testclient.Timeout, harness.PollInterval)
		harness.Concurrently(2*n, func(i int) any {
			name := []string{"alice", "bob"}[i%2]
			a, err := clients[name].Do(t.Context(), harness.CreateTaskDoc,
				testclient.Vars{"in": testclient.Vars{"title": "of " + name}})
			if err != nil || len(a.Errors) > 0 {
				t.Error(err, a.Raw)
			}
			return nil
		})
		for name, userSubs := range subs {
			for _, sub := range userSubs {
				for range n {
					payload, err := sub.Next(t.Context())
					require.NoError(t, err)
					require.Equal(t, 2, strings.Count(string(payload), `"title":"of `+name+`"`), "%s received %s", name, payload)
				}
			}
		}
	})
}

// TestLookup_OthersObject_CostsSameStatementsAsMissing checks that a lookup of another user's object runs as many
// statements as one of a missing object, so that its duration does not reveal that the object exists.
func TestLookup_OthersObject_CostsSameStatementsAsMissing(t *testing.T) {
	t.Parallel()
	testdb.EachURL(t, func(t *testing.T, url string) {
		env := harness.Start(t, url, harness.GenerousLimits, harness.Settings{"RUN_SWEEP": "1m", "RUN_LEASE": "2m"})
		m := newAuthzMatrix(t, env, false)
		m.createVictim(t, "victim")
		n := harness.CountStatements(env)
		for _, r := range m.roots(m.Query, m.Mutation) {
			for _, p := range m.positions(r) {
				if p.typ.Name() != "ID" && p.path[len(p.path)-1] != "number" {
					continue
				}
				for _, try := range m.attackValues(t, p) {
					require.Eventually(t, func() bool {
						return m.statementsFor(t, n, p, try.victim) == m.statementsFor(t, n, p, try.absent)
					}, testclient.Timeout, harness.PollInterval, "%s runs different numbers of statements for %v and %v", p,
						try.victim, try.absent)
				}
			}
		}
	})
}

// statementsFor returns the number of statements that an attack runs.
func (m *authzMatrix) statementsFor(t *testing.T, n *atomic.Int64, p argumentPosition, value any) int64 {
	before := n.Load()
	m.responseTo(t, p, value)
	return n.Load() - before
}

// TestDeleteViewer_DuringRequests_NoRowRemains deletes an account during concurrent requests. No row of it remains,
// and the requests fail only with documented errors.
func TestDeleteViewer_DuringRequests_NoRowRemains(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, env *harness.Env) {
		c := env.ClientWithTokenIssuedAt(t, "alice", -time.Minute)
		id := harness.ViewerID(t, c)
		task := harness.CreateTask(t, c, testclient.Vars{"title": "x"})
		conversation := harness.Send(t, c, "", "Hello").Conversation.ID
		requests := []func(i int) (string, testclient.Vars){
			func(i int) (string, testclient.Vars) {
				return harness.CreateTaskDoc, testclient.Vars{"in": testclient.Vars{"title": fmt.Sprint("task ", i)}}
			},
			func(int) (string, testclient.Vars) {
				return harness.SendDoc, testclient.Vars{"in": testclient.Vars{"content": "Add a task to call Bob"}}
			},
			func(int) (string, testclient.Vars) {
				return harness.SendDoc, testclient.Vars{"in": testclient.Vars{
					"content":        "What's pending?",
					"conversationId": conversation,
				}}
			},
			func(i int) (string, testclient.Vars) {
				return harness.UpdateTaskDoc, testclient.Vars{"in": testclient.Vars{"id": task.ID, "title": fmt.Sprint(i)}}
			},
			func(int) (string, testclient.Vars) {
				return `mutation { updateViewer(input: {name: "A"}) { viewer { id } } }`, nil
			},
			func(int) (string, testclient.Vars) {
				return `mutation { createConversation { conversation { id } } }`, nil
			},
			func(int) (string, testclient.Vars) { return `{ tasks { nodes { id changes { nodes { id } } } } }`, nil },
		}
		const n = 60
		for i, a := range harness.Concurrently(n, func(i int) testclient.Response {
			document, v := requests[i%len(requests)](i)
			if i == n/2 {
				document, v = harness.DeleteViewerDoc, testclient.Vars{"confirm": account.DeleteConfirmation}
			}
			a, err := c.Do(t.Context(), document, v)
			if err != nil {
				t.Error(err)
			}
			return a
		}) {
			if i == n/2 {
				require.Empty(t, a.Errors, "%s", a.Raw)
			}
			require.Contains(t, []string{"", "UNAUTHENTICATED", "NOT_FOUND", "CONFLICT"}, a.ErrorCode(), "%s", a.Raw)
		}
		harness.RequireErrorCode(t, "UNAUTHENTICATED", c.Try(t, harness.ViewerIDDoc, nil))
		for table, left := range env.CountUserRows(t, id) {
			require.Zero(t, left, table)
		}
	})
}
