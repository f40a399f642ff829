package plans_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"errand/ent"
	"errand/internal/store"
	"errand/internal/viewer"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
)

// statement is a statement as the program sent it, with the row-level security scope of its context.
type statement struct {
	sql   string
	args  []any
	scope viewer.Rows
}

// recorder is a pgx tracer that records a client's statements.
type recorder struct {
	mu         sync.Mutex
	added      sync.Cond // signals an addition to statements; uses mu
	statements []statement
}

func (r *recorder) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	args := slices.DeleteFunc(slices.Clone(d.Args), func(arg any) bool {
		switch arg.(type) {
		case pgx.QueryResultFormatsByOID, pgx.QueryRewriter:
			return true // options of the statement
		}
		return false
	})
	r.statements = append(r.statements, statement{d.SQL, args, viewer.RowsFromContext(ctx)})
	r.added.Broadcast()
	return ctx
}

func (r *recorder) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// await blocks until a statement that contains text was sent.
func (r *recorder) await(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for !slices.ContainsFunc(r.statements, func(s statement) bool { return strings.Contains(s.sql, text) }) {
		r.added.Wait()
	}
}

// take returns the statements sent since the last call that contain all the given texts.
func (r *recorder) take(t *testing.T, words ...string) []statement {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []statement
	for _, s := range r.statements {
		if !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(s.sql, word) }) {
			found = append(found, s)
		}
	}
	require.NotEmpty(t, found, "no statement with %v among %v", words, r.statements)
	r.statements = nil
	return found
}

// newRecordedClient returns a client of the database whose statements are recorded.
func newRecordedClient(t *testing.T, db *store.DB) (*ent.Client, *recorder) {
	t.Helper()
	r := &recorder{}
	r.added.L = &r.mu
	config := db.PostgresConfig()
	config.Tracer = r
	pool := stdlib.OpenDB(*config)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	return ent.NewClient(ent.Driver(entsql.OpenDB(dialect.Postgres, pool))), r
}

// node is a node of a query plan.
type node struct {
	Type     string `json:"Node Type"`
	Relation string `json:"Relation Name"`
	Index    string `json:"Index Name"`
	Cond     string `json:"Index Cond"`
	Loops    int    `json:"Actual Loops"`
	Hit      int    `json:"Shared Hit Blocks"`
	Read     int    `json:"Shared Read Blocks"`
	Plans    []node `json:"Plans"`
}

// openServed opens the database with row-level security, as the server does.
func openServed(t *testing.T, db *store.DB) *store.DB {
	t.Helper()
	served, err := store.Open(context.Background(), store.Options{
		URL:            db.PostgresConfig().ConnString(),
		StatementCache: true,
		RLS:            store.RLSOn,
		StartupTimeout: -1,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, served.Close()) })
	return served
}

// explain runs the statement under row-level security on a connection of the server, rolls it back, and returns its
// plan. Row-level security keeps conditions that may fail from using an index.
func explain(t *testing.T, db *store.DB, s statement) (plan node, text string) {
	t.Helper()
	ctx := viewer.NewContext(context.Background(), viewer.Viewer{UserID: s.scope.UserID})
	if s.scope.System {
		ctx = viewer.AsSystem(ctx)
	}
	tx, err := db.Client().Tx(ctx)
	require.NoError(t, err)
	// A statement that is used often gets a plan without its arguments. EXPLAIN shows it for a prepared statement only:
	// otherwise it plans with the arguments.
	_, err = tx.ExecContext(ctx, "SET LOCAL plan_cache_mode = force_generic_plan")
	require.NoError(t, err)
	_, err = tx.ExecContext(ctx, "PREPARE explained AS "+s.sql)
	require.NoError(t, err, s.sql)
	rows, err := tx.QueryContext(ctx, "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE explained"+literals(t, s.args))
	require.NoError(t, err, s.sql)
	require.True(t, rows.Next(), s.sql)
	require.NoError(t, rows.Scan(&text))
	require.NoError(t, rows.Close())
	_, err = tx.ExecContext(ctx, "DEALLOCATE explained")
	require.NoError(t, err)
	require.NoError(t, tx.Rollback())
	var plans []struct{ Plan node }
	require.NoError(t, json.Unmarshal([]byte(text), &plans))
	return plans[0].Plan, s.sql + "\n" + text
}

// literals returns the arguments as a list of SQL literals, which take the types of the parameters.
func literals(t *testing.T, args []any) string {
	t.Helper()
	if len(args) == 0 {
		return ""
	}
	list := make([]string, len(args))
	for i, arg := range args {
		var text string
		switch v := arg.(type) {
		case nil:
			list[i] = "NULL"
			continue
		case string, int, int64, bool:
			text = fmt.Sprint(v)
		case []byte:
			text = `\x` + hex.EncodeToString(v)
		case time.Time:
			text = v.Format(time.RFC3339Nano)
		default:
			require.Fail(t, "unknown type of argument", "%T", arg)
		}
		list[i] = "'" + strings.ReplaceAll(text, "'", "''") + "'"
	}
	return "(" + strings.Join(list, ", ") + ")"
}

// find returns the plan's nodes of the given types.
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

// on returns the plan's nodes that read the table.
func (n node) on(table string) []node {
	var found []node
	if n.Relation == table {
		found = append(found, n)
	}
	for _, child := range n.Plans {
		found = append(found, child.on(table)...)
	}
	return found
}

// requireIndexed fails when a statement scans a whole table, combines indexes, which reads all entries of a user, or
// reads more than pages pages. It allows sorts.
func requireIndexed(t *testing.T, db *store.DB, s statement, pages int) {
	t.Helper()
	plan, text := explain(t, db, s)
	require.Empty(t, plan.find("Seq Scan", "BitmapAnd"), text)
	require.LessOrEqual(t, plan.Hit+plan.Read, pages, text)
}

// requireOrdered is requireIndexed without sorts: with a sort, a page costs as much as the whole list.
func requireOrdered(t *testing.T, db *store.DB, s statement, pages int) {
	t.Helper()
	plan, text := explain(t, db, s)
	require.Empty(t, plan.find("Seq Scan", "Sort", "Incremental Sort"), text)
	require.LessOrEqual(t, plan.Hit+plan.Read, pages, text)
}
