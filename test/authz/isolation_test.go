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

// TestEqualSubscriptionsOfTwoPeopleShareNothing: what is executed once for equal subscribers is executed once
// for each person. Two people listen twice each, with the same documents and variables, and each does the same.
func TestSubscription_EqualDocumentsOfTwoUsers_AreIsolated(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		const document, n = `subscription { taskStream { cursor kind task { number title } change { task { title } } } }`, 20
		people := map[string]*testclient.Client{"alice": b.Client(t, "alice"), "bob": b.Client(t, "bob")}
		subs := map[string][]*testclient.Subscription{}
		for range 2 {
			for name, c := range people {
				subs[name] = append(subs[name], c.Dial(t).Subscribe(t, document, nil))
			}
		}
		require.Eventually(t, func() bool { return b.Hub.Subscribers() == 4 }, testclient.Timeout, harness.PollInterval)
		harness.Concurrently(2*n, func(i int) any {
			name := []string{"alice", "bob"}[i%2]
			a, err := people[name].Do(t.Context(), harness.CreateTaskDoc, testclient.Vars{"in": testclient.Vars{"title": "of " + name}})
			if err != nil || len(a.Errors) > 0 {
				t.Error(err, a.Raw)
			}
			return nil
		})
		for name, listening := range subs {
			for _, sub := range listening {
				for range n {
					payload, err := sub.Next(t.Context())
					require.NoError(t, err)
					require.Equal(t, 2, strings.Count(string(payload), `"title":"of `+name+`"`), "%s heard %s", name, payload)
				}
			}
		}
	})
}

// TestLookup_OthersObject_CostsSameStatementsAsMissing as what is not there: as many statements, so no more time.
func TestLookup_OthersObject_CostsSameStatementsAsMissing(t *testing.T) {
	t.Parallel()
	testdb.EachURL(t, func(t *testing.T, url string) {
		b := harness.Start(t, url, harness.GenerousLimits, harness.Settings{"RUN_SWEEP": "1m", "RUN_LEASE": "2m"})
		m := newAuthzMatrix(t, b, false)
		m.createUser(t, "victim")
		n := harness.CountStatements(b)
		for _, r := range m.roots(m.Query, m.Mutation) {
			for _, p := range m.positions(r) {
				if p.typ.Name() != "ID" && p.path[len(p.path)-1] != "number" {
					continue
				}
				for _, try := range m.attempts(t, p) {
					require.Eventually(t, func() bool {
						return m.statementsFor(t, n, p, try.value) == m.statementsFor(t, n, p, try.ghost)
					}, testclient.Timeout, harness.PollInterval, "%s takes another way for %v than for %v", p, try.value, try.ghost)
				}
			}
		}
	})
}

// statementsFor is how many statements an attack takes.
func (m *authzMatrix) statementsFor(t *testing.T, n *atomic.Int64, p argumentPosition, value any) int64 {
	before := n.Load()
	m.responseTo(t, p, value)
	return n.Load() - before
}

// TestDeleteViewer_DuringRequests_NoRowRemains leaves nothing, whatever is under way, and no request fails without a reason.
func TestDeleteViewer_DuringRequests_NoRowRemains(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.ClientWithTokenIssuedAt(t, "alice", -time.Minute)
		id := harness.ViewerID(t, c)
		task := harness.CreateTask(t, c, testclient.Vars{"title": "x"})
		conversation := harness.Send(t, c, "", "Hello").Conversation.ID
		doing := []func(i int) (string, testclient.Vars){
			func(i int) (string, testclient.Vars) {
				return harness.CreateTaskDoc, testclient.Vars{"in": testclient.Vars{"title": fmt.Sprint("task ", i)}}
			},
			func(int) (string, testclient.Vars) {
				return harness.SendDoc, testclient.Vars{"in": testclient.Vars{"content": "Add a task to call Bob"}}
			},
			func(int) (string, testclient.Vars) {
				return harness.SendDoc, testclient.Vars{"in": testclient.Vars{"content": "What's pending?", "conversationId": conversation}}
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
			document, v := doing[i%len(doing)](i)
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
		for table, left := range b.CountUserRows(t, id) {
			require.Zero(t, left, table)
		}
	})
}
