package authz

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"
)

// TestMatrix_EveryStatement_UsesIndexes runs every operation of the schema and every tool of MCP, and explains each
// different statement that the server sends for users, on tables with 20,000 rows or more, without its arguments and
// under row-level security. A new statement is checked without being listed here.
func TestMatrix_EveryStatement_UsesIndexes(t *testing.T) {
	t.Parallel()
	url := testdb.PostgresURL(t)
	traffic := testdb.NewTraffic(t, url)
	env := harness.Start(t, traffic.URL(), harness.GenerousLimits)
	env.SystemURL = url
	traffic.Take() // of the start
	m := newAuthzMatrix(t, env, false)
	m.exerciseTaskLists(t)
	m.exerciseSchema(t)
	m.attacker = createUserFixture(t, env, "walter", "nothing special", "mine", 1)
	for _, variant := range mcpVariants {
		m.connectMCP(t, variant, m.attacker).exerciseTools(t)
	}
	users, system := statementsIn(traffic.Take())
	require.Greater(t, len(users), 150)
	t.Logf("%d statements for users, %d for the server", len(users), len(system))

	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	multiplyRows(t, conn, 20_000)
	for _, statement := range slices.Sorted(maps.Keys(users)) {
		if reason := unindexedStatements.reason(statement); reason == "" {
			plan, text := explainGeneric(t, conn, m.attacker.id+"_1", statement)
			for _, fault := range plan.faults(false) {
				t.Errorf("%s in the plan of\n%s\n%s", fault, statement, text)
			}
		}
	}
	for substring, reason := range unindexedStatements {
		require.True(t, users.contains(substring), "no statement contains %s (%s)", substring, reason)
	}
}

// unindexedStatements are parts of statements that may read all rows of a user, or of a table, with the reasons.
var unindexedStatements = exceptions{
	` LIMIT 0) AS t)`: "reads no row: it checks that the server may read each table",
	`WHERE FALSE`:     "reads no row",
	`"id" > $1 AND`:   "the export of an account, which is rare, may read all of the user's rows for each page",
	`"tasks"."completed_at" IS NOT NULL`: "reads the user's completed tasks, if the statistics say that they are few, " +
		"from an index that has no other tasks",
	`"conversations"."archived_at" IS NOT NULL AND`: "counts the user's archived conversations, whose number is limited",
	`COUNT("api_tokens"."id")`:                      "counts the user's API tokens, whose number is limited",
	`jsonb_array_elements_text(`:                    "counts the labels of the user's newest 5,000 tasks",
}

// exceptions maps parts of statements to reasons.
type exceptions map[string]string

func (e exceptions) reason(statement string) string {
	for part, reason := range e {
		if strings.Contains(statement, part) {
			return reason
		}
	}
	return ""
}

// statementSet is a set of the texts of statements.
type statementSet map[string]bool

func (s statementSet) contains(part string) bool {
	for statement := range s {
		if strings.Contains(statement, part) {
			return true
		}
	}
	return false
}

// statementsIn returns the different statements on tables, for users and for the server's own work. The scope of a
// statement is the last one that was set; those of a transaction need not be set again.
func statementsIn(trips []testdb.RoundTrip) (users, system statementSet) {
	users, system = statementSet{}, statementSet{}
	for _, trip := range trips {
		into := users
		for _, statement := range trip {
			switch {
			case strings.Contains(statement, "set_config('enable_seqscan', 'on'"):
				into = system
			case strings.Contains(statement, "set_config("), !onTables.MatchString(statement):
			default:
				into[statement] = true
			}
		}
	}
	for statement := range system {
		delete(users, statement)
	}
	return users, system
}

// onTables matches statements that read or write a table.
var onTables = regexp.MustCompile(`(?is)^\s*(select|insert|update|delete|with)\b.*\b(from|into|update)\b`)

// exerciseTaskLists reads lists of tasks by each order, in both directions and by each condition of the filter.
func (m *authzMatrix) exerciseTaskLists(t *testing.T) {
	t.Helper()
	run := func(args testclient.Vars) harness.TaskPage { return harness.ListTasks(t, m.attacker.Client, args) }
	for _, field := range m.Types["TaskOrderField"].EnumValues {
		for _, direction := range m.Types["OrderDirection"].EnumValues {
			by := testclient.Vars{"field": field.Name, "direction": direction.Name}
			for _, filter := range []testclient.Vars{nil, {"status": "PENDING"}, {"trashed": true}} {
				first := run(testclient.Vars{"first": 1, "by": by, "filter": filter})
				cursor := first.PageInfo.EndCursor
				run(testclient.Vars{"first": 1, "after": cursor, "by": by, "filter": filter})
				run(testclient.Vars{"last": 1, "before": cursor, "by": by, "filter": filter})
			}
		}
	}
	for _, condition := range m.Types["TaskFilter"].Fields {
		for _, value := range m.examplesOf(condition.Type) {
			run(testclient.Vars{"filter": testclient.Vars{condition.Name: value}})
		}
	}
}

// examplesOf returns values of a type of a filter.
func (m *authzMatrix) examplesOf(typ *ast.Type) (out []any) {
	if typ.Elem != nil {
		for _, value := range m.examplesOf(typ.Elem) {
			out = append(out, []any{value})
		}
		return out
	}
	switch name := typ.Name(); name {
	case "Boolean":
		return []any{true, false}
	case "Date":
		return []any{"2026-12-24"}
	case "String":
		return []any{"nothing", "n s"}
	default:
		for _, value := range m.Types[name].EnumValues {
			out = append(out, value.Name)
		}
		return out
	}
}

// multiplyRows adds copies of the rows of each table, with other keys and for 20 users (one row each where a user has
// only one), until it has at least n, and collects statistics. Tables without rows stay empty.
func multiplyRows(t *testing.T, conn *pgx.Conn, n int) {
	t.Helper()
	exec := func(statement string) {
		_, err := conn.Exec(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	rows, err := conn.Query(t.Context(), `SELECT c.relname, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum),
			string_agg(CASE
				WHEN a.attname = 'user_id' AND EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique
					AND i.indnatts = 1 AND i.indkey[0] = a.attnum) THEN 'user_id || ''_'' || n'
				WHEN a.attname = 'user_id' THEN 'user_id || ''_'' || n % 20'
				WHEN NOT (a.attname = 'id' OR a.attname LIKE '%\_id' OR EXISTS (SELECT FROM pg_index i
					WHERE i.indrelid = c.oid AND i.indisunique AND a.attnum = ANY (i.indkey))) THEN quote_ident(a.attname)
				WHEN a.atttypid = 'bytea'::regtype THEN quote_ident(a.attname) || ' || convert_to(n::text, ''UTF8'')'
				WHEN a.atttypid IN ('text'::regtype, 'varchar'::regtype) THEN quote_ident(a.attname) || ' || ''_'' || n'
				WHEN a.atttypid = 'bigint'::regtype THEN quote_ident(a.attname) || ' + 1000000::bigint * n'
				ELSE quote_ident(a.attname)
			END, ', ' ORDER BY a.attnum)
		FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
			AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)
		GROUP BY c.relname`)
	require.NoError(t, err)
	type table struct{ Name, Columns, Values string }
	tables, err := pgx.CollectRows(rows, pgx.RowToStructByPos[table])
	require.NoError(t, err)
	require.NotEmpty(t, tables)
	exec(`SET session_replication_role = replica`) // no foreign keys are checked
	for _, table := range tables {
		exec(fmt.Sprintf(`INSERT INTO %[1]s (%[2]s) SELECT %[3]s FROM %[1]s,
			generate_series(1, (SELECT %[4]d / greatest(count(*), 1) + 1 FROM %[1]s)) n`,
			table.Name, table.Columns, table.Values, n))
	}
	exec(`SET session_replication_role = DEFAULT`)
	exec(`VACUUM ANALYZE`)
}

// planNode is a node of a query plan.
type planNode struct {
	Type     string     `json:"Node Type"`
	Relation string     `json:"Relation Name"`
	Index    string     `json:"Index Name"`
	Cond     string     `json:"Index Cond"`
	Filter   string     `json:"Filter"`
	Plans    []planNode `json:"Plans"`
}

// explainGeneric returns the plan of a statement for any arguments, as a connection with the scope of a user executes
// it. The user is one of those with many rows: PostgreSQL estimates the number of rows of the scope's user.
func explainGeneric(t *testing.T, conn *pgx.Conn, userID, statement string) (plan planNode, text string) {
	t.Helper()
	tx, err := conn.Begin(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback(context.Background())) }()
	exec := func(q string) {
		_, err := tx.Exec(t.Context(), q, pgx.QueryExecModeSimpleProtocol)
		require.NoError(t, err, q)
	}
	exec(`SET LOCAL ROLE errand_app; SET LOCAL errand.user_id = '` + userID + `'; SET LOCAL enable_bitmapscan = off;
		SET LOCAL enable_seqscan = off; SET LOCAL jit = off; SET LOCAL plan_cache_mode = force_generic_plan`)
	exec("PREPARE explained AS " + statement)
	var arguments int
	require.NoError(t, tx.QueryRow(t.Context(), `SELECT cardinality(parameter_types) FROM pg_prepared_statements
		WHERE name = 'explained'`).Scan(&arguments))
	call := "explained"
	if arguments > 0 {
		call += "(NULL" + strings.Repeat(", NULL", arguments-1) + ")"
	}
	err = tx.QueryRow(t.Context(), "EXPLAIN (FORMAT JSON) EXECUTE "+call, pgx.QueryExecModeSimpleProtocol).Scan(&text)
	require.NoError(t, err, statement)
	exec("DEALLOCATE explained")
	var plans []struct{ Plan planNode }
	require.NoError(t, json.Unmarshal([]byte(text), &plans))
	return plans[0].Plan, text
}

// faults returns what reads more rows of a table than the statement needs: scans of whole tables and indexes, indexes
// that are combined, and scans of all rows of a user that do not end at a limit.
func (n planNode) faults(limited bool) (out []string) {
	switch n.Type {
	case "Seq Scan", "BitmapAnd", "Bitmap Heap Scan":
		out = append(out, n.Type+" on "+n.Relation)
	case "Index Scan", "Index Only Scan":
		userOnly := strings.Contains(n.Cond, "(user_id") && !strings.Contains(n.Cond, " AND ")
		if n.Cond == "" || userOnly && !limited {
			out = append(out, fmt.Sprintf("%s of %s with the condition %q", n.Type, n.Index, n.Cond))
		}
	case "Limit":
		limited = true
	case "Sort", "Aggregate", "Hash":
		limited = false
	}
	for _, child := range n.Plans {
		out = append(out, child.faults(limited)...)
	}
	return out
}
