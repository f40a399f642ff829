package integration

import (
	"context"
	"net/url"
	"os"
	"strings"
	"testing"

	"errand/internal/doctor"
	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// documentedSQL returns the statements of the nth SQL block in the section "PostgreSQL roles" of docs/SECURITY.md.
func documentedSQL(t *testing.T, n int) []string {
	t.Helper()
	document, err := os.ReadFile("../../docs/SECURITY.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(document), "### PostgreSQL roles\n")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	blocks := strings.Split(section, "```sql\n")
	require.Len(t, blocks, 3, "two SQL blocks")
	block, _, _ := strings.Cut(blocks[n], "```")
	var statements []string
	for _, statement := range strings.Split(block, ";\n") {
		if statement = strings.TrimSpace(statement); statement != "" {
			statements = append(statements, statement)
		}
	}
	return statements
}

// execStatements executes statements one by one, each in a transaction of its own, as psql does.
func execStatements(t *testing.T, database string, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), database)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	for _, statement := range statements {
		_, err := conn.Exec(context.Background(), statement)
		require.NoError(t, err, statement)
	}
}

// withLogin returns the URL of a database with another login.
func withLogin(t *testing.T, database, login string) string {
	t.Helper()
	u, err := url.Parse(database)
	require.NoError(t, err)
	u.User = url.User(login)
	return u.String()
}

// requireRestrictedServer checks that the doctor finds nothing to improve, and that a server works with the login.
func requireRestrictedServer(t *testing.T, database string) {
	t.Helper()
	required := harness.Settings{"DB_ROW_SECURITY": "on"}
	table, sick := runDoctor(t, healthySettings(database, required))
	require.False(t, sick, table)
	require.Regexp(t, tableRow("migrations", doctor.OK, "all applied"), table)
	require.Regexp(t, tableRow("row-level security", doctor.OK, "errand_server runs as errand_app: forced"), table)

	alice := harness.Start(t, database, required).Client(t, "alice")
	conversation := harness.Send(t, alice, "", "Add buy milk").Conversation.ID
	require.NotEmpty(t, conversation)
	task := harness.CreateTask(t, alice, testclient.Vars{"title": "Pay bills"})
	require.Equal(t, "Pay bills", task.Title)
}

// TestPostgresRoles_DocumentedSQL_ServerOwnsNothing follows docs/SECURITY.md on a new server, as a superuser and as
// an administrator of a hosted database, who is none.
func TestPostgresRoles_DocumentedSQL_ServerOwnsNothing(t *testing.T) {
	for _, admin := range []string{"errand", "hosted_admin"} {
		t.Run(admin, func(t *testing.T) {
			t.Parallel()
			cluster := testdb.NewCluster(t)
			execStatements(t, cluster.URL("postgres"), "CREATE ROLE hosted_admin LOGIN CREATEROLE CREATEDB")
			execStatements(t, withLogin(t, cluster.URL("postgres"), admin), documentedSQL(t, 1)...)

			owner := withLogin(t, cluster.URL("errand"), "errand_owner")
			harness.RunCommand(t, harness.TestSettings(owner), "migrate", "up")
			table, _ := runDoctor(t, healthySettings(owner, nil))
			require.Regexp(t, tableRow("row-level security", doctor.Warning, "which owns the tables"), table)
			require.Contains(t, table, "use the login errand_server of docs/SECURITY.md")
			requireRestrictedServer(t, withLogin(t, cluster.URL("errand"), "errand_server"))
		})
	}
}

// TestPostgresRoles_ExistingDatabase_ServerOwnsNothing follows docs/SECURITY.md for a database that was migrated by
// a login without the right to create roles.
func TestPostgresRoles_ExistingDatabase_ServerOwnsNothing(t *testing.T) {
	t.Parallel()
	cluster := testdb.NewCluster(t)
	execStatements(t, cluster.URL("postgres"), "CREATE ROLE single LOGIN", "CREATE DATABASE errand OWNER single")
	single := withLogin(t, cluster.URL("errand"), "single")
	harness.RunCommand(t, harness.TestSettings(single), "migrate", "up")
	table, _ := runDoctor(t, healthySettings(single, nil))
	require.Regexp(t, tableRow("row-level security", doctor.Warning, "single runs as single, which owns"), table)

	execStatements(t, cluster.URL("postgres"), documentedSQL(t, 1)[:4]...)
	execStatements(t, single, documentedSQL(t, 2)...)
	requireRestrictedServer(t, withLogin(t, cluster.URL("errand"), "errand_server"))
}

// TestDoctor_UnforcedTable_PrintedSQLForcesIt executes the statement that the doctor prints.
func TestDoctor_UnforcedTable_PrintedSQLForcesIt(t *testing.T) {
	database := testdb.PostgresURL(t)
	execSQL(t, database, "ALTER TABLE tasks NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY")
	table, sick := runDoctor(t, healthySettings(database, harness.Settings{"DB_ROW_SECURITY": "on"}))
	require.True(t, sick, table)
	_, advice, found := strings.Cut(table, "run as the owner of the tables: ")
	require.True(t, found, table)
	statement, _, _ := strings.Cut(advice, "\n")
	execStatements(t, database, statement)
	table, sick = runDoctor(t, healthySettings(database, harness.Settings{"DB_ROW_SECURITY": "on"}))
	require.False(t, sick, table)
	require.Regexp(t, tableRow("row-level security", doctor.OK, "forced on every table"), table)
}
