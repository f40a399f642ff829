package deploy

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"errand/internal/testclient"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// extractArchive builds the release archive of this platform as "make release" does, without the list of modules,
// checks its sum, and extracts it into a new folder.
func extractArchive(t *testing.T) (folder string) {
	t.Helper()
	out := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "run", "./release", "-version", "1.2.3",
		"-date", "2026-01-02T03:04:05Z", "-ldflags", "-s -w -X main.version=1.2.3",
		"-platforms", runtime.GOOS+"/"+runtime.GOARCH, "-out", out)
	build.Dir = root
	output, err := build.CombinedOutput()
	require.NoError(t, err, "%s", output)
	name := fmt.Sprintf("errand_1.2.3_%s_%s", runtime.GOOS, runtime.GOARCH)
	content, err := os.ReadFile(filepath.Join(out, name+".tar.gz"))
	require.NoError(t, err)
	sums, err := os.ReadFile(filepath.Join(out, "SHA256SUMS"))
	require.NoError(t, err)
	require.Contains(t, string(sums), fmt.Sprintf("%x  %s.tar.gz\n", sha256.Sum256(content), name))

	into := t.TempDir()
	archive, err := gzip.NewReader(strings.NewReader(string(content)))
	require.NoError(t, err)
	for files := tar.NewReader(archive); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return filepath.Join(into, name)
		}
		require.NoError(t, err)
		require.True(t, filepath.IsLocal(header.Name))
		path := filepath.Join(into, header.Name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o750))
		text, err := io.ReadAll(files)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, text, header.FileInfo().Mode()))
	}
}

// TestArchive_NothingElse_ServesBacksUpAndRestores uses the files of a release archive only: it starts a server, sends
// a message, makes a backup, restores it in a second folder, and starts a server there.
func TestArchive_NothingElse_ServesBacksUpAndRestores(t *testing.T) {
	folder := extractArchive(t)
	for _, name := range []string{"LICENSE", "README.md", ".env.example", "docs/DEPLOY.md", "ops/errand.service"} {
		require.FileExists(t, filepath.Join(folder, name))
	}
	info, err := os.Stat(filepath.Join(folder, "ops/backup.sh"))
	require.NoError(t, err)
	require.NotZero(t, info.Mode()&0o100, "the script is executable")

	port := freePort(t)
	in := func(workFolder string, args ...string) *exec.Cmd {
		c := exec.CommandContext(t.Context(), filepath.Join(folder, "errand"), args...)
		c.Dir = workFolder
		c.Env = []string{"ADDR=127.0.0.1:" + port, "ADMIN_ADDR=off", "BETTER_AUTH_SECRET=" + harness.Secret, "RULES_PACE=0s"}
		return c
	}
	run := func(workFolder string, args ...string) string {
		t.Helper()
		out, err := in(workFolder, args...).CombinedOutput()
		require.NoError(t, err, "%s: %s", args, out)
		return string(out)
	}
	require.Contains(t, run(folder, "version"), "errand 1.2.3\n")

	first := startServer(t, in(folder, "serve"))
	require.Equal(t, "ok\n", run(folder, "health"))
	client := testclient.New(t, "http://127.0.0.1:"+port, harness.Token(t, "alice"))
	conversation := &harness.Conversation{Client: client}
	require.Equal(t, "COMPLETED", conversation.SendAndWait(t, "Add a task to buy groceries").Status)
	backup := filepath.Join(t.TempDir(), "today.backup")
	run(folder, "backup", backup)
	harness.CreateTask(t, client, testclient.Vars{"title": "After the backup"})
	first.stop(t)

	second := t.TempDir()
	run(second, "restore", backup)
	server := startServer(t, in(second, "serve"))
	client = testclient.New(t, "http://127.0.0.1:"+port, harness.Token(t, "alice"))
	require.Equal(t, []string{"Buy groceries"}, harness.Titles(harness.AllTasks(t, client)))
	server.stop(t)
}
