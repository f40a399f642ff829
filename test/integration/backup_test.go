package integration

import (
	"bytes"
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// commandResult is the result of a command.
type commandResult struct {
	stdout, stderr string
	code           int
}

// runErrand runs the executable with the settings, and PATH so that it finds PostgreSQL's programs.
func runErrand(t *testing.T, settings harness.Settings, stdin string, args ...string) commandResult {
	t.Helper()
	command := harness.Command(t, settings, args...)
	if _, set := settings["PATH"]; !set {
		command.Env = append(command.Env, "PATH="+testdb.PostgresPath(t))
	}
	var stdout, stderr bytes.Buffer
	command.Stdin, command.Stdout, command.Stderr = strings.NewReader(stdin), &stdout, &stderr
	if err := command.Run(); err != nil {
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit)
	}
	return commandResult{stdout.String(), stderr.String(), command.ProcessState.ExitCode()}
}

func (r commandResult) requireSuccess(t *testing.T) {
	t.Helper()
	require.Zero(t, r.code, r.stdout+r.stderr)
}

// requireFailure requires the exit code and a part of standard error.
func (r commandResult) requireFailure(t *testing.T, code int, part string) {
	t.Helper()
	require.Equal(t, code, r.code, r.stdout+r.stderr)
	require.Contains(t, r.stderr, part)
}

// TestBackup_BesideServer_RestoresElsewhere makes a backup while a user creates tasks, restores it to an empty
// database, and serves that.
func TestBackup_BesideServer_RestoresElsewhere(t *testing.T) {
	t.Parallel()
	for engine, urls := range map[string]func(t *testing.T) (full, empty string){
		"sqlite": func(t *testing.T) (full, empty string) {
			return testdb.SQLiteURL(t), "sqlite:" + filepath.Join(t.TempDir(), "new", "errand.db")
		},
		"postgres": func(t *testing.T) (full, empty string) { return testdb.PostgresURL(t), testdb.EmptyPostgresURL(t) },
	} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			full, empty := urls(t)
			server := harness.Start(t, full)
			c := server.Client(t, "alice")
			harness.CreateTask(t, c, testclient.Vars{"title": "Before"})
			stop, done := context.WithCancel(t.Context())
			writing := make(chan struct{})
			go func() {
				defer close(writing)
				for stop.Err() == nil {
					_, _ = c.Do(stop, harness.CreateTaskDoc, testclient.Vars{"in": testclient.Vars{"title": "During"}})
				}
			}()
			file := filepath.Join(t.TempDir(), "errand.backup")
			settings := harness.TestSettings(full)
			result := runErrand(t, settings, "", "backup", file)
			done()
			<-writing
			result.requireSuccess(t)
			info, err := os.Stat(file)
			require.NoError(t, err)
			require.EqualValues(t, 0o600, info.Mode().Perm())
			require.NoFileExists(t, file+".partial")
			runErrand(t, settings, "", "backup", file).requireFailure(t, 1, "the file exists")

			runErrand(t, settings, "", "restore", file).requireFailure(t, 1, map[string]string{
				"sqlite": "the database is in use", "postgres": "not empty",
			}[engine])
			target := harness.TestSettings(empty)
			damaged := filepath.Join(t.TempDir(), "damaged")
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(damaged, content[:len(content)/2], 0o600))
			require.NotZero(t, runErrand(t, target, "", "restore", damaged).code)
			runErrand(t, target, "", "restore", file).requireSuccess(t)

			restored := harness.Start(t, empty)
			titles := harness.Titles(harness.AllTasks(t, restored.Client(t, "alice")))
			require.Equal(t, "Before", titles[0])
			reply := (&harness.Conversation{Client: restored.Client(t, "bob")}).SendAndWait(t, "Add a task to buy groceries")
			require.Equal(t, "COMPLETED", reply.Status)
			require.NotContains(t, restored.Logs.String(), "row-level security is not enforced")
			require.NoError(t, restored.Stop(t.Context()))
			runErrand(t, target, "", "restore", file).requireFailure(t, 1, "not empty")
		})
	}
}

// TestRestore_UnusableFiles_AreRefused tries files that are no backups of this release and engine.
func TestRestore_UnusableFiles_AreRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	newer := testdb.SQLiteURL(t)
	execSQL(t, newer, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (20991231000000, true)")
	foreign := filepath.Join(dir, "foreign.db")
	execSQL(t, "sqlite:"+foreign, "CREATE TABLE notes (id INTEGER)")
	target := filepath.Join(dir, "target", "errand.db")
	settings := harness.TestSettings("sqlite:" + target)
	for file, want := range map[string]string{
		filepath.Join(dir, "missing"):     "no such file",
		write("text", "no backup"):        "is not a backup",
		write("empty", ""):                "is not a backup",
		write("archive", "PGDMP\x01\x0e"): "is a backup of PostgreSQL",
		sqlitePath(newer):                 "a release with the migration 20991231000000 is needed",
		foreign:                           "is not a backup of Errand",
	} {
		runErrand(t, settings, "", "restore", file).requireFailure(t, 1, want)
	}
	require.NoFileExists(t, target+".restore")
	runErrand(t, harness.TestSettings(testdb.EmptyPostgresURL(t)), "", "restore", foreign).
		requireFailure(t, 1, "is a backup of SQLite")
}

func TestBackup_MissingSQLiteFile_IsNotCreated(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "errand.db")
	out := filepath.Join(t.TempDir(), "backup")
	runErrand(t, harness.TestSettings("sqlite:"+file), "", "backup", out).requireFailure(t, 1, "there is no database")
	require.NoFileExists(t, file)
	require.NoFileExists(t, out)
}

// TestBackup_FullDisk_LeavesNoFile writes a backup to a disk that is too small.
func TestBackup_FullDisk_LeavesNoFile(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t, "64k")
	if dir == "" {
		return
	}
	runErrand(t, harness.TestSettings(testdb.SQLiteURL(t)), "", "backup", filepath.Join(dir, "backup")).
		requireFailure(t, 1, "the disk is full")
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)
}

// TestBackup_LoginUnderRowSecurity_PrintsCommand requires the command instead of an empty backup, and runs it with
// another login.
func TestBackup_LoginUnderRowSecurity_PrintsCommand(t *testing.T) {
	t.Parallel()
	database := testdb.PostgresURL(t)
	owner, err := url.Parse(database)
	require.NoError(t, err)
	execSQL(t, database, "DO $$ BEGIN CREATE ROLE backup_serving LOGIN IN ROLE errand_app; "+
		"EXCEPTION WHEN duplicate_object THEN NULL; END $$")
	file := filepath.Join(t.TempDir(), "errand's backup")
	settings := harness.TestSettings(withLogin(t, database, "backup_serving"))
	result := runErrand(t, settings, "", "backup", file)
	result.requireFailure(t, 2, "row-level security applies to the login backup_serving")
	require.NoFileExists(t, file)
	require.Contains(t, result.stdout, "pg_dump --format=custom")
	command := exec.Command("/bin/sh", "-c", strings.ReplaceAll(result.stdout, "LOGIN", owner.User.Username()))
	command.Env = []string{"PATH=" + testdb.PostgresPath(t)}
	out, err := command.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.FileExists(t, file)
	runErrand(t, harness.TestSettings(testdb.EmptyPostgresURL(t)), "", "restore", file).requireSuccess(t)

	settings = harness.TestSettings(database)
	settings["PATH"] = "/nowhere"
	missing := runErrand(t, settings, "", "backup", file+".2")
	missing.requireFailure(t, 2, "pg_dump is not in PATH")
	require.Contains(t, missing.stdout, "pg_dump --format=custom")
}
