package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// backupScript returns a command that runs ops/backup.sh with the program, and a clock that is a second later at each
// call.
func backupScript(t *testing.T, database, folder string, settings ...string) *exec.Cmd {
	t.Helper()
	executable, err := harness.BuildBinary()
	require.NoError(t, err)
	programs := t.TempDir()
	require.NoError(t, os.Symlink(executable, filepath.Join(programs, "errand")))
	clock := "#!/bin/sh\nn=$(($(cat " + programs + "/n 2>/dev/null || echo 10) + 1)); echo $n > " + programs + "/n\n" +
		"echo 2026-01-02T03-04-${n}Z\n"
	require.NoError(
		t,
		os.WriteFile(filepath.Join(programs, "date"), []byte(clock), 0o700),
	) //nolint:gosec // it is executed
	script, err := filepath.Abs(filepath.Join(root, "ops/backup.sh"))
	require.NoError(t, err)
	c := exec.CommandContext(t.Context(), "sh", script)
	c.Dir = t.TempDir()
	c.Env = append([]string{
		"PATH=" + programs + ":" + testdb.PostgresPath(t), "DATABASE_URL=" + database, "BACKUP_FOLDER=" + folder,
	}, settings...)
	return c
}

// TestBackupScript_Once_KeepsTheNewestAndCanBeRestored runs the script as cron does, on both engines.
func TestBackupScript_Once_KeepsTheNewestAndCanBeRestored(t *testing.T) {
	for name, databases := range map[string]func() (full, empty string){
		"sqlite":   func() (string, string) { return testdb.SQLiteURL(t), testdb.EmptySQLiteURL(t) },
		"postgres": func() (string, string) { return testdb.PostgresURL(t), testdb.EmptyPostgresURL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			full, empty := databases()
			p := harness.StartProcess(t, full)
			harness.CreateTask(t, p.Client("alice"), testclient.Vars{"title": "In the backup"})

			folder := t.TempDir()
			for file, content := range map[string]string{
				"errand-2025-01-01T00-00-00Z.backup":         "an old one",
				"errand-2026-01-01T00-00-00Z.backup":         "", // left by one that was killed
				"errand-2026-01-01T00-00-00Z.backup.partial": "",
				"notes": "",
			} {
				require.NoError(t, os.WriteFile(filepath.Join(folder, file), []byte(content), 0o600))
			}
			out, err := backupScript(t, full, folder, "BACKUP_EVERY=0", "BACKUP_KEEP=1").CombinedOutput()
			require.NoError(t, err, "%s", out)
			require.Equal(t, []string{"errand-2026-01-02T03-04-11Z.backup", "notes"}, filesIn(t, folder))

			settings := harness.Settings{"DATABASE_URL": empty, "PATH": testdb.PostgresPath(t)}
			harness.RunCommand(t, settings, "restore", filepath.Join(folder, "errand-2026-01-02T03-04-11Z.backup"))
			restored := harness.StartProcess(t, empty)
			require.Equal(t, []string{"In the backup"}, harness.Titles(harness.AllTasks(t, restored.Client("alice"))))
		})
	}
}

// TestBackupScript_Failure_RemovesNothing checks that old backups survive when no new ones are made.
func TestBackupScript_Failure_RemovesNothing(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	old := []string{"errand-2025-01-01T00-00-00Z.backup", "errand-2025-01-02T00-00-00Z.backup"}
	for _, name := range old {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte("old"), 0o600))
	}
	missing := "sqlite:" + filepath.Join(t.TempDir(), "missing.db")
	out, err := backupScript(t, missing, folder, "BACKUP_EVERY=0", "BACKUP_KEEP=1").CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "no database to back up")
	require.Equal(t, old, filesIn(t, folder))
	for _, wrong := range []string{"BACKUP_KEEP=0", "BACKUP_KEEP=-1", "BACKUP_EVERY=1d"} {
		out, err := backupScript(t, missing, folder, wrong).CombinedOutput()
		require.Error(t, err)
		require.Contains(t, string(out), "BACKUP_KEEP", wrong)
	}
}

func filesIn(t *testing.T, folder string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	slices.Sort(names)
	return names
}
