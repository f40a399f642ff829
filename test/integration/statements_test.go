package integration

import (
	"math"
	"strings"
	"sync/atomic"
	"testing"

	"errand/internal/testclient"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// listDocuments lists requests that read nested lists.
var listDocuments = map[string]string{
	"tasks with their changes": `{ tasks(first: 100) { nodes { id changes(first: 5) { nodes { id fields { ` +
		`name } } } } } }`,
	"tasks with two pages of changes": `{ tasks(first: 100) { totalCount nodes { a: changes(first: 1) { nodes { id ` +
		`} } b: changes(last: 1) { nodes { id } totalCount } } } }`,
	"changes with tasks and tool calls": `{ tasks(first: 100) { nodes { changes(first: 5) { nodes { task { id } ` +
		`toolCall { id name } } } } } }`,
	"conversations down to tool calls": `{ conversations(first: 100) { nodes { messages(first: 5) { nodes { content ` +
		`toolCalls { name } } } } } }`,
	"receipts": `{ conversations(first: 100) { nodes { messages(first: 5) { nodes { changes { id task { id } fields { ` +
		`name } } toolCalls { changes { id task { id } } } } } } } }`,
	"messages up to conversations": `{ conversations(first: 100) { nodes { messages(last: 5) { nodes { ` +
		`conversation { title } usage { model } } } } } }`,
}

const nodesDocument = `query ($ids: [ID!]!) { nodes(ids: $ids) { id
	... on Task { changes { nodes { id toolCall { id } } } }
		... on Conversation { messages { nodes { id toolCalls { id } } } }
	... on Message { conversation { id } toolCalls { id } } ... on TaskChange { task { id } toolCall { id } } } }`

// TestStatements_MoreRows_SameCount sends the same request over few and over many rows and checks that the
// number of statements is equal.
func TestStatements_MoreRows_SameCount(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		n := harness.CountStatements(b)
		few, many := b.Client(t, "few"), b.Client(t, "many")
		seedRows(t, few, 2)
		seedRows(t, many, 8)
		for name, document := range listDocuments {
			require.Equal(t, countFor(t, n, few, document, nil), countFor(t, n, many, document, nil), name)
		}
		some, all := collectIDs(t, few), collectIDs(t, many)
		require.Greater(t, len(all), 2*len(some))
		require.Equal(
			t,
			countFor(t, n, few, nodesDocument, testclient.Vars{"ids": some}),
			countFor(t, n, many, nodesDocument, testclient.Vars{"ids": all}),
			"nodes",
		)
	}, harness.GenerousLimits)
}

// TestStatements_TotalCountNotSelected_NoCountQuery checks that rows are counted only when totalCount is
// selected.
func TestStatements_TotalCountNotSelected_NoCountQuery(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		n := harness.CountStatements(b)
		c := b.Client(t, "alice")
		seedRows(t, c, 2)
		plain := countFor(t, n, c, `{ tasks(first: 1) { nodes { id } pageInfo { hasNextPage endCursor } } }`, nil)
		counted := countFor(t, n, c, `{ tasks(first: 1) { nodes { id } totalCount } }`, nil)
		require.Equal(t, plain+1, counted)
	})
}

// seedRows creates tasks over the API and through the agent, the latter in one conversation each.
func seedRows(t *testing.T, c *testclient.Client, n int) {
	t.Helper()
	for range n {
		made := harness.CreateTask(t, c, testclient.Vars{"title": "by hand"})
		harness.ChangeTask(t, c, "completeTask", made.ID)
		(&harness.Conversation{Client: c}).SendAndWait(t, "Add a task to call Bob")
	}
}

// countFor returns the number of statements of a request: the least of three counts, because the work after a reply,
// which ends later than the reply, is counted too.
func countFor(t *testing.T, n *atomic.Int64, c *testclient.Client, document string, v testclient.Vars) int64 {
	t.Helper()
	testclient.Run[any](t, c, `{ viewer { id } }`, nil) // the token is known
	least := int64(math.MaxInt64)
	for range 3 {
		before := n.Load()
		testclient.Run[any](t, c, document, v)
		least = min(least, n.Load()-before)
	}
	return least
}

// collectIDs returns the ids of a user's objects of every type, at most 100.
func collectIDs(t *testing.T, c *testclient.Client) []string {
	t.Helper()
	a := c.Try(t, `{ tasks(first: 100) { nodes { id changes { nodes { id toolCall { id } } } } }
		conversations(first: 100) { nodes { id messages { nodes { id } } } } }`, nil)
	require.Empty(t, a.Errors)
	var ids []string
	for _, part := range strings.Split(string(a.Data), `"id":"`)[1:] {
		id, _, _ := strings.Cut(part, `"`)
		ids = append(ids, id)
	}
	require.LessOrEqual(t, len(ids), 100)
	return ids
}
