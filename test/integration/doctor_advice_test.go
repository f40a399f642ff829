package integration

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"errand/internal/doctor"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// adviceOf returns the fix that the doctor prints below a finding.
func adviceOf(t *testing.T, table, check string) string {
	t.Helper()
	match := regexp.MustCompile(`(?m)^` + check + ` .*\n +→ (.*)$`).FindStringSubmatch(table)
	require.NotNil(t, match, table)
	return match[1]
}

// TestDoctor_PendingMigrations_AdviceNamesTheLoginThatCan follows the advice with the login that serves, which cannot
// migrate.
func TestDoctor_PendingMigrations_AdviceNamesTheLoginThatCan(t *testing.T) {
	t.Parallel()
	cluster := testdb.NewCluster(t)
	execStatements(t, cluster.URL("postgres"), documentedSQL(t, 1)...)
	owner := withLogin(t, cluster.URL("errand"), "errand_owner")
	serving := withLogin(t, cluster.URL("errand"), "errand_server")
	harness.RunCommand(t, harness.TestSettings(owner), "migrate", "up")
	harness.RunCommand(t, harness.TestSettings(owner), "migrate", "down", "--yes")

	table, sick := runDoctor(t, healthySettings(serving, nil))
	require.True(t, sick)
	match := regexp.MustCompile(`run with a DATABASE_URL whose user is (\w+), the owner of the tables: errand (.*)`).
		FindStringSubmatch(adviceOf(t, table, "migrations"))
	require.NotNil(t, match, table)
	named := withLogin(t, serving, match[1])
	harness.RunCommand(t, harness.TestSettings(named), strings.Fields(match[2])...)
	requireRestrictedServer(t, serving)
}

// TestDoctor_LoginWithoutRole_PrintedSQLGrantsIt executes the statement that the doctor prints, for a login whose name
// must be quoted.
func TestDoctor_LoginWithoutRole_PrintedSQLGrantsIt(t *testing.T) {
	t.Parallel()
	cluster := testdb.NewCluster(t)
	database := testdb.ClusterURL(t, cluster)
	execStatements(t, cluster.URL("postgres"), `CREATE ROLE "Web Server" LOGIN`)
	login := withLogin(t, database, "Web Server")
	table, sick := runDoctor(t, healthySettings(login, nil))
	require.True(t, sick)
	statement, found := strings.CutPrefix(adviceOf(t, table, "migrations"), "run as an administrator: ")
	require.True(t, found, table)
	execStatements(t, database, statement)
	table, sick = runDoctor(t, healthySettings(login, nil))
	require.False(t, sick, table)
	require.Regexp(t, tableRow("row-level security", doctor.OK, "Web Server runs as errand_app: forced"), table)
}

// TestDoctor_RenamedIssuer_DocumentedSQLMovesUsers executes the statement that the doctor refers to.
func TestDoctor_RenamedIssuer_DocumentedSQLMovesUsers(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../../docs/SECURITY.md")
	require.NoError(t, err)
	block := regexp.MustCompile("(?s)```sql\n(BEGIN; .*?)```").FindStringSubmatch(string(document))
	require.NotNil(t, block)
	testdb.EachURL(t, func(t *testing.T, url string) {
		b := harness.Start(t, url)
		harness.ViewerID(t, b.ClientWithIssuer(t, "https://old.example", "alice", 0))
		settings := healthySettings(url, harness.Settings{"AUTH_ISSUER": "https://new.example"})
		table, _ := runDoctor(t, settings)
		require.Contains(t, adviceOf(t, table, "users"), "docs/SECURITY.md, Principals")
		var statements []string
		for statement := range strings.SplitSeq(strings.TrimSpace(block[1]), ";") {
			statement = strings.TrimSpace(statement)
			skipped := strings.Contains(statement, "set_config") && strings.HasPrefix(url, "sqlite:")
			if statement != "" && !skipped {
				statements = append(statements, statement)
			}
		}
		execSQL(t, url, strings.Join(statements, "; "))
		table, _ = runDoctor(t, settings)
		require.Regexp(t, tableRow("users", doctor.OK, "1 of the configured issuer"), table)
	})
}

// TestDoctor_SQLiteFaults_AdviceFits checks that the advice for a SQLite file is not that for a database server.
func TestDoctor_SQLiteFaults_AdviceFits(t *testing.T) {
	t.Parallel()
	broken := filepath.Join(t.TempDir(), "broken.db")
	require.NoError(t, os.WriteFile(broken, []byte(strings.Repeat("no database ", 1000)), 0o600))
	table, sick := runDoctor(t, healthySettings("sqlite:"+broken, nil))
	require.True(t, sick)
	require.Contains(t, adviceOf(t, table, "database"), "restore a backup")

	url := testdb.SQLiteURL(t)
	harness.RunCommand(t, harness.TestSettings(url), "migrate", "down", "--yes")
	table, sick = runDoctor(t, healthySettings(url, nil))
	require.True(t, sick)
	command, found := strings.CutPrefix(adviceOf(t, table, "migrations"), "run: errand ")
	require.True(t, found, table)
	harness.RunCommand(t, harness.TestSettings(url), strings.Fields(command)...)
	table, sick = runDoctor(t, healthySettings(url, nil))
	require.False(t, sick, table)
}
