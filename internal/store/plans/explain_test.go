package plans_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"

	"errand/ent"
	"errand/internal/store"
	"errand/internal/viewer"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
)

// statement is SQL as the program sent it.
type statement struct {
	sql   string
	args  []any
	scope viewer.Scope
}

// recorder notes the statements of a client.
type recorder struct {
	mu   sync.Mutex
	more sync.Cond // of mu: seen grew
	seen []statement
}

func (r *recorder) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = append(r.seen, statement{d.SQL, d.Args, viewer.ScopeFromContext(ctx)})
	r.more.Broadcast()
	return ctx
}

func (r *recorder) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// await returns when a statement that contains the words was sent.
func (r *recorder) await(words string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for !slices.ContainsFunc(r.seen, func(s statement) bool { return strings.Contains(s.sql, words) }) {
		r.more.Wait()
	}
}

// take returns what was sent since the last call and contains all the given words.
func (r *recorder) take(t *testing.T, words ...string) []statement {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []statement
	for _, s := range r.seen {
		if !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(s.sql, word) }) {
			found = append(found, s)
		}
	}
	require.NotEmpty(t, found, "no statement with %v among %v", words, r.seen)
	r.seen = nil
	return found
}

// recorded is a client of the database whose statements are noted.
func recorded(t *testing.T, db *store.DB) (*ent.Client, *recorder) {
	t.Helper()
	r := &recorder{}
	r.more.L = &r.mu
	config := db.PostgresConfig()
	config.Tracer = r
	pool := stdlib.OpenDB(*config)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	return ent.NewClient(ent.Driver(entsql.OpenDB(dialect.Postgres, pool))), r
}

// node is a step of a plan.
type node struct {
	Type     string `json:"Node Type"`
	Relation string `json:"Relation Name"`
	Hit      int    `json:"Shared Hit Blocks"`
	Read     int    `json:"Shared Read Blocks"`
	Plans    []node `json:"Plans"`
}

// explain runs the statement behind row security, as a serving program does, undoes it, and returns its plan:
// conditions that may fail are not looked up in an index there.
func explain(t *testing.T, db *store.DB, s statement) (plan node, text string) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.ConnectConfig(ctx, db.PostgresConfig())
	require.NoError(t, err)
	defer conn.Close(ctx)
	tx, err := conn.Begin(ctx)
	require.NoError(t, err)
	asking := s.scope.UserID
	if s.scope.System {
		asking = "system"
	}
	_, err = tx.Exec(ctx, "SELECT set_config('errand.user_id', $1, true), set_config('role', 'errand_app', true)", asking)
	require.NoError(t, err)
	require.NoError(t, tx.QueryRow(ctx, "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "+s.sql, s.args...).Scan(&text), s.sql)
	require.NoError(t, tx.Rollback(ctx))
	var plans []struct{ Plan node }
	require.NoError(t, json.Unmarshal([]byte(text), &plans))
	return plans[0].Plan, s.sql + "\n" + text
}

// find lists the plan's steps of the given types.
func (n node) find(types ...string) []node {
	var found []node
	if slices.Contains(types, n.Type) {
		found = append(found, n)
	}
	for _, child := range n.Plans {
		found = append(found, child.find(types...)...)
	}
	return found
}

// requireIndexed fails when a statement reads a whole table, or more pages than
// it should. Small sorts are left to its callers to forbid.
func requireIndexed(t *testing.T, db *store.DB, s statement, pages int) {
	t.Helper()
	plan, text := explain(t, db, s)
	require.Empty(t, plan.find("Seq Scan"), text)
	require.LessOrEqual(t, plan.Hit+plan.Read, pages, text)
}

// requireOrdered fails when rows are sorted, too: a page then costs as much as the whole list.
func requireOrdered(t *testing.T, db *store.DB, s statement, pages int) {
	t.Helper()
	plan, text := explain(t, db, s)
	require.Empty(t, plan.find("Seq Scan", "Sort", "Incremental Sort"), text)
	require.LessOrEqual(t, plan.Hit+plan.Read, pages, text)
}
