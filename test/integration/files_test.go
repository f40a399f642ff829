package integration

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"errand/internal/doctor"
	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// TestFiles_NewDatabase_ArePrivate checks the modes of everything that a server creates.
func TestFiles_NewDatabase_ArePrivate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := harness.StartProcess(t, "sqlite:"+filepath.Join(dir, "data", "errand.db"),
		harness.Settings{"BETTER_AUTH_SECRET": ""})
	harness.ViewerID(t, testclient.New(t, server.URL, signInWithCommand(t, server.URL, "alice")))
	names := map[string]fs.FileMode{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := entry.Info()
		require.NoError(t, err)
		if path != dir {
			names[filepath.Base(path)] = info.Mode().Perm()
		}
		return nil
	}))
	require.Equal(t, map[string]fs.FileMode{
		"data": 0o700, "dev.key": 0o600, "errand.db": 0o600, "errand.db-wal": 0o600, "errand.db-shm": 0o600,
		"errand.db-lock": 0o600, "errand.db-migration": 0o600,
	}, names)
}

// TestFiles_OpenToOthers_AreWarnedAbout follows the advice of the doctor literally.
func TestFiles_OpenToOthers_AreWarnedAbout(t *testing.T) {
	t.Parallel()
	url := testdb.SQLiteURL(t)
	file := sqlitePath(url)
	require.NoError(t, os.Chmod(file, 0o640))
	require.NoError(t, os.Chmod(filepath.Dir(file), 0o770))
	log := harness.Start(t, url).Logs.String()
	require.Contains(t, log, file+" has mode 0640 instead of 0600")
	require.Contains(t, log, filepath.Dir(file)+" has mode 0770: others may replace its files")
	require.Equal(t, os.Geteuid() == 0, strings.Contains(log, "running as root"))

	table, sick := runDoctor(t, healthySettings(url, nil))
	require.False(t, sick)
	require.Regexp(t, tableRow("files", doctor.Warning, "errand.db has mode 0640 instead of 0600"), table)
	if os.Geteuid() == 0 {
		require.Regexp(t, tableRow("user", doctor.Warning, "running as root"), table)
	}
	fix := regexp.MustCompile(`→ run: (chmod .*)`).FindStringSubmatch(table)
	require.NotNil(t, fix, table)
	out, err := exec.Command("/bin/sh", "-c", fix[1]).CombinedOutput()
	require.NoError(t, err, "%s", out)
	table, _ = runDoctor(t, healthySettings(url, nil))
	require.Regexp(t, tableRow("files", doctor.OK, "only their owner"), table)
}
