package integration

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"errand/internal/testclient"

	"entgo.io/ent"
	"github.com/stretchr/testify/require"
)

// countStatements counts every query and every change that a server sends to its database
// through Ent, which is all that answers GraphQL but the locking of a person's row.
func countStatements(b *bench) *atomic.Int64 {
	var n atomic.Int64
	b.DB.Client().Intercept(ent.InterceptFunc(func(next ent.Querier) ent.Querier {
		return ent.QuerierFunc(func(ctx context.Context, q ent.Query) (ent.Value, error) {
			n.Add(1)
			return next.Query(ctx, q)
		})
	}))
	b.DB.Client().Use(func(next ent.Mutator) ent.Mutator {
		return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
			n.Add(1)
			return next.Mutate(ctx, m)
		})
	})
	return &n
}

// shapes are requests that read rows of rows.
var shapes = map[string]string{
	"tasks with their changes":          `{ tasks(first: 100) { nodes { id changes(first: 5) { nodes { id fields { name } } } } } }`,
	"tasks with two pages of changes":   `{ tasks(first: 100) { totalCount nodes { a: changes(first: 1) { nodes { id } } b: changes(last: 1) { nodes { id } totalCount } } } }`,
	"changes with tasks and tool calls": `{ tasks(first: 100) { nodes { changes(first: 5) { nodes { task { id } toolCall { id name } } } } } }`,
	"conversations down to tool calls":  `{ conversations(first: 100) { nodes { messages(first: 5) { nodes { content toolCalls { name } } } } } }`,
	"messages up to conversations":      `{ conversations(first: 100) { nodes { messages(last: 5) { nodes { conversation { title } usage { model } } } } } }`,
}

const shapeOfNodes = `query ($ids: [ID!]!) { nodes(ids: $ids) { id
	... on Task { changes { nodes { id toolCall { id } } } } ... on Conversation { messages { nodes { id toolCalls { id } } } }
	... on Message { conversation { id } toolCalls { id } } ... on TaskChange { task { id } toolCall { id } } } }`

// TestTheNumberOfStatementsDoesNotGrowWithTheRows asks the same twice: over few rows and over
// many. The statements must be as many both times.
func TestTheNumberOfStatementsDoesNotGrowWithTheRows(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		n := countStatements(b)
		few, many := b.user(t, "few"), b.user(t, "many")
		fill(t, few, 2)
		fill(t, many, 8)
		for name, document := range shapes {
			require.Equal(t, statements(t, n, few, document, nil), statements(t, n, many, document, nil), name)
		}
		some, all := idsOfEverything(t, few), idsOfEverything(t, many)
		require.Greater(t, len(all), 2*len(some))
		require.Equal(
			t,
			statements(t, n, few, shapeOfNodes, vars{"ids": some}),
			statements(t, n, many, shapeOfNodes, vars{"ids": all}),
			"nodes",
		)
	}, generous)
}

// TestCountsAreMadeOnlyWhenAskedFor.
func TestCountsAreMadeOnlyWhenAskedFor(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		n := countStatements(b)
		c := b.user(t, "alice")
		fill(t, c, 2)
		plain := statements(t, n, c, `{ tasks(first: 1) { nodes { id } pageInfo { hasNextPage endCursor } } }`, nil)
		counted := statements(t, n, c, `{ tasks(first: 1) { nodes { id } totalCount } }`, nil)
		require.Equal(t, plain+1, counted)
	})
}

// fill makes tasks by hand and by the agent, each of the latter in a conversation of its own.
func fill(t *testing.T, c *client, n int) {
	t.Helper()
	for range n {
		made := createTask(t, c, vars{"title": "by hand"})
		changeTask(t, c, "completeTask", made.ID)
		(&talk{c: c}).say(t, "Add a task to call Bob")
	}
}

// statements is how many statements a request takes.
func statements(t *testing.T, n *atomic.Int64, c *client, document string, v vars) int64 {
	t.Helper()
	testclient.Run[any](t, c, `{ viewer { id } }`, nil) // the token is known
	before := n.Load()
	testclient.Run[any](t, c, document, v)
	return n.Load() - before
}

// idsOfEverything are the ids of a person's things of every kind, at most 100.
func idsOfEverything(t *testing.T, c *client) []string {
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
