package integration

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

func TestMigrateDown_NeedsConfirmationAndNoServer(t *testing.T) {
	t.Parallel()
	testdb.EachURL(t, func(t *testing.T, url string) {
		t.Parallel()
		settings := harness.TestSettings(url)
		server := harness.StartProcess(t, url)
		runErrand(t, settings, "", "migrate", "down", "--yes").requireFailure(t, 1, "the database is in use")
		c := server.Client("alice")
		harness.CreateTask(t, c, testclient.Vars{"title": "Kept"})
		harness.ChangeTask(t, c, "completeTask", harness.CreateTask(t, c, testclient.Vars{"title": "Done"}).ID)
		harness.ChangeTask(t, c, "deleteTask", harness.CreateTask(t, c, testclient.Vars{"title": "Trash"}).ID)
		(&harness.Conversation{Client: c}).SendAndWait(t, "Hello")
		server.Terminate()
		require.Zero(t, server.Wait())

		for _, answer := range []string{"", "no\n", "yes\n"} {
			runErrand(t, settings, answer, "migrate", "down").requireFailure(t, 1, "not confirmed")
		}
		for {
			result := runErrand(t, settings, "", "migrate", "--yes", "down")
			if result.code != 0 {
				result.requireFailure(t, 1, "run: errand migrate down --destroy-all-data")
				break
			}
			require.Contains(t, result.stdout, "reverted")
		}
		runErrand(t, settings, "", "migrate", "down", "--destroy-all-data").requireFailure(t, 1, "not confirmed")
		runErrand(t, settings, "", "migrate", "up").requireSuccess(t)
		require.Contains(t, runErrand(t, settings, "", "doctor").stdout, "equal the rows of 1 users")
		server = harness.StartProcess(t, url)
		c = server.Client("alice")
		require.Equal(t, []string{"Kept", "Done"}, harness.Titles(harness.AllTasks(t, c)))
		require.JSONEq(t, `{"taskCounts":{"pending":1,"completed":1,"trashed":1}}`,
			string(c.Try(t, `{ taskCounts { pending completed trashed } }`, nil).Data), "the counters are counted again")
		server.Terminate()
		require.Zero(t, server.Wait())
		for range 100 { // more than there are migrations
			result := runErrand(t, settings, "", "migrate", "down", "--yes", "--destroy-all-data")
			result.requireSuccess(t)
			if result.stdout == "nothing to do\n" {
				return
			}
		}
		require.Fail(t, "migrations remain")
	})
}

func TestMigrate_NewerDatabase_IsListedAndRefused(t *testing.T) {
	t.Parallel()
	testdb.EachURL(t, func(t *testing.T, url string) {
		t.Parallel()
		execSQL(t, url, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (20991231000000, true)")
		settings := harness.TestSettings(url)
		status := runErrand(t, settings, "", "migrate", "status")
		status.requireSuccess(t)
		require.Regexp(t, `20991231000000 +20\d\d-.*Z +of a newer release`, status.stdout)
		for _, args := range [][]string{{"serve"}, {"migrate", "up"}, {"migrate", "down", "--yes"}} {
			runErrand(t, settings, "", args...).requireFailure(t, 1, "a release with the migration 20991231000000 is needed")
		}
	})
}

// TestMigrate_SQLite_KeepsCopy checks the copy before a migration, and what happens without space for it.
func TestMigrate_SQLite_KeepsCopy(t *testing.T) {
	t.Parallel()
	url := testdb.SQLiteURL(t)
	settings := harness.TestSettings(url)
	copies := func() []string {
		t.Helper()
		found, err := filepath.Glob(sqlitePath(url) + "-*.backup")
		require.NoError(t, err)
		return found
	}
	harness.RunCommand(t, settings, "migrate", "down", "--yes", "--no-copy")
	require.Empty(t, copies())
	harness.StartProcess(t, url).Kill()
	require.Len(t, copies(), 1, "the server has migrated")
	info, err := os.Stat(copies()[0])
	require.NoError(t, err)
	require.EqualValues(t, 0o600, info.Mode().Perm())
	requireIntact(t, copies()[0])
	harness.RunCommand(t, settings, "migrate", "up")
	require.Len(t, copies(), 1, "nothing was pending")
	restored := harness.TestSettings(testdb.EmptySQLiteURL(t))
	harness.RunCommand(t, restored, "restore", copies()[0])
	require.Contains(t, harness.RunCommand(t, restored, "migrate", "status"), "pending")

	dir := smallDisk(t, "4m")
	if dir == "" {
		return
	}
	content, err := os.ReadFile(copies()[0])
	require.NoError(t, err)
	file := filepath.Join(dir, "errand.db")
	require.NoError(t, os.WriteFile(file, content, 0o600))
	small := harness.TestSettings("sqlite:" + file)
	harness.RunCommand(t, small, "migrate", "status") // creates the lock files
	filler := fillDisk(t, dir)
	info, err = os.Stat(filler)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(filler, info.Size()-(128<<10))) // room for the log, but not for a copy
	require.Contains(t, requireServeRefused(t, "sqlite:"+file, t.TempDir()), "was not migrated")
	require.NoError(t, os.Remove(filler))
	harness.StartProcess(t, "sqlite:"+file)
}

// TestMigrateStatus_MissingSQLiteFile_CreatesNothing compares the list with that of the file that a server creates.
func TestMigrateStatus_MissingSQLiteFile_CreatesNothing(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "data")
	settings := harness.TestSettings("sqlite:" + filepath.Join(folder, "errand.db"))
	type report struct {
		Pending    int
		Migrations []struct {
			Version   int64
			Name      string
			AppliedAt *string
		}
	}
	status := func() (r report) {
		result := runErrand(t, settings, "", "migrate", "status", "--json")
		result.requireSuccess(t)
		require.NoError(t, json.Unmarshal([]byte(result.stdout), &r))
		return r
	}
	before := status()
	require.Len(t, before.Migrations, before.Pending)
	text := runErrand(t, settings, "", "migrate", "status")
	text.requireSuccess(t)
	require.Regexp(t, `_initial\.sql +pending\n`, text.stdout)
	require.Contains(t, text.stderr, "does not exist")
	require.NoDirExists(t, folder)

	runErrand(t, settings, "", "migrate", "up").requireSuccess(t)
	after := status()
	require.Zero(t, after.Pending)
	require.Len(t, after.Migrations, before.Pending)
	for i := range after.Migrations {
		require.NotNil(t, after.Migrations[i].AppliedAt)
		after.Migrations[i].AppliedAt = nil
	}
	require.Equal(t, before.Migrations, after.Migrations)
}
