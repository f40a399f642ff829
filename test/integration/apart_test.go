package integration

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"errand/internal/account"
	"errand/internal/testclient"
	"errand/internal/testdb"

	"github.com/stretchr/testify/require"
)

// TestEqualSubscriptionsOfTwoPeopleShareNothing: what is executed once for equal subscribers is executed once
// for each person. Two people listen twice each, with the same documents and variables, and each does the same.
func TestEqualSubscriptionsOfTwoPeopleShareNothing(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		const document, n = `subscription { taskStream { cursor kind task { number title } change { task { title } } } }`, 20
		people := map[string]*client{"alice": b.user(t, "alice"), "bob": b.user(t, "bob")}
		subs := map[string][]*testclient.Subscription{}
		for range 2 {
			for name, c := range people {
				subs[name] = append(subs[name], c.Dial(t).Subscribe(t, document, nil))
			}
		}
		require.Eventually(t, func() bool { return b.Hub.Subscribers() == 4 }, testclient.Timeout, tick)
		together(2*n, func(i int) any {
			name := []string{"alice", "bob"}[i%2]
			a, err := people[name].Do(t.Context(), createTaskDoc, vars{"in": vars{"title": "of " + name}})
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

// TestWhatIsAnothersTakesTheSameWay as what is not there: as many statements, so no more time.
func TestWhatIsAnothersTakesTheSameWay(t *testing.T) {
	t.Parallel()
	testdb.EachURL(t, func(t *testing.T, url string) {
		b := boot(t, url, generous, settings{"RUN_SWEEP": "1m", "RUN_LEASE": "2m"})
		m := newMatrix(t, b, false)
		m.meet(t, "victim")
		n := countStatements(b)
		for _, r := range m.roots(m.Query, m.Mutation) {
			for _, p := range m.positions(r) {
				if p.typ.Name() != "ID" && p.path[len(p.path)-1] != "number" {
					continue
				}
				for _, try := range m.tries(t, p) {
					require.Eventually(t, func() bool {
						return m.cost(t, n, p, try.value) == m.cost(t, n, p, try.ghost)
					}, testclient.Timeout, tick, "%s takes another way for %v than for %v", p, try.value, try.ghost)
				}
			}
		}
	})
}

// cost is how many statements an attack takes.
func (m *matrix) cost(t *testing.T, n *atomic.Int64, p position, value any) int64 {
	before := n.Load()
	m.answer(t, p, value)
	return n.Load() - before
}

// TestDeletingAnAccountInFullSwing leaves nothing, whatever is under way, and no request fails without a reason.
func TestDeletingAnAccountInFullSwing(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		c := b.userAt(t, "alice", -time.Minute)
		id := idOf(t, c)
		task := createTask(t, c, vars{"title": "x"})
		conversation := send(t, c, "", "Hello").Conversation.ID
		doing := []func(i int) (string, vars){
			func(i int) (string, vars) { return createTaskDoc, vars{"in": vars{"title": fmt.Sprint("task ", i)}} },
			func(int) (string, vars) { return sendDoc, vars{"in": vars{"content": "Add a task to call Bob"}} },
			func(int) (string, vars) {
				return sendDoc, vars{"in": vars{"content": "What's pending?", "conversationId": conversation}}
			},
			func(i int) (string, vars) {
				return updateTaskDoc, vars{"in": vars{"id": task.ID, "title": fmt.Sprint(i)}}
			},
			func(int) (string, vars) {
				return `mutation { updateViewer(input: {name: "A"}) { viewer { id } } }`, nil
			},
			func(int) (string, vars) { return `mutation { createConversation { conversation { id } } }`, nil },
			func(int) (string, vars) { return `{ tasks { nodes { id changes { nodes { id } } } } }`, nil },
		}
		const n = 60
		for i, a := range together(n, func(i int) testclient.Response {
			document, v := doing[i%len(doing)](i)
			if i == n/2 {
				document, v = deleteViewer, vars{"confirm": account.DeleteConfirmation}
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
		requireFault(t, "UNAUTHENTICATED", c.Try(t, viewerID, nil))
		for table, left := range b.rowsOf(t, id) {
			require.Zero(t, left, table)
		}
	})
}
