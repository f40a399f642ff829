package integration

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"errand/internal/llm/providertest"
	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"
)

// requireServeRefused runs "errand serve" on a database in the directory dir, and requires that it exits with the code
// 1. It returns its standard error.
func requireServeRefused(t *testing.T, database, dir string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testclient.Timeout)
	defer cancel()
	settings := harness.TestSettings(database)
	command := harness.Command(t, settings, "serve")
	bounded := exec.CommandContext(ctx, command.Path, "serve")
	bounded.Env, bounded.Dir = command.Env, dir
	var stderr bytes.Buffer
	bounded.Stderr = &stderr
	var exit *exec.ExitError
	require.ErrorAs(t, bounded.Run(), &exit, "%s", &stderr)
	require.Equal(t, 1, exit.ExitCode(), "%s", &stderr)
	require.NotContains(t, stderr.String(), `"msg":"serving"`)
	return stderr.String()
}

// sqlitePath returns the path in a SQLite URL.
func sqlitePath(url string) string { return strings.TrimPrefix(url, "sqlite:") }

func TestServe_SQLiteFileOfRunningServer_IsRefused(t *testing.T) {
	t.Parallel()
	url := testdb.SQLiteURL(t)
	file := sqlitePath(url)
	dir := filepath.Dir(file)
	elsewhere := t.TempDir()
	linkedFile, linkedDir := filepath.Join(elsewhere, "linked.db"), filepath.Join(elsewhere, "linked")
	require.NoError(t, os.Symlink(file, linkedFile))
	require.NoError(t, os.Symlink(dir, linkedDir))

	first := harness.StartProcess(t, url)
	host, err := os.Hostname()
	require.NoError(t, err)
	for name, c := range map[string]struct{ url, dir string }{
		"the same path":            {url, elsewhere},
		"a relative path":          {"sqlite:./errand.db", dir},
		"a path with dots":         {"sqlite:" + dir + "/../" + filepath.Base(dir) + "//errand.db", elsewhere},
		"a symbolic link":          {"sqlite:" + linkedFile, elsewhere},
		"a relative symbolic link": {"sqlite:linked.db", elsewhere},
		"a linked folder":          {"sqlite:" + linkedDir + "/errand.db", elsewhere},
	} {
		t.Run(name, func(t *testing.T) {
			stderr := requireServeRefused(t, c.url, c.dir)
			require.Contains(t, stderr, fmt.Sprintf("process %d on host %s", first.Command.Process.Pid, host))
			require.Contains(t, stderr, "only one server")
		})
	}
	harness.CreateTask(t, first.Client("alice"), testclient.Vars{"title": "Still there"})
	info, err := os.Stat(file + "-lock")
	require.NoError(t, err)
	require.EqualValues(t, 0o600, info.Mode().Perm())

	first.Terminate()
	require.Zero(t, first.Wait())
	second := harness.StartProcess(t, "sqlite:"+linkedFile)
	require.Equal(t, []string{"Still there"}, harness.Titles(harness.AllTasks(t, second.Client("alice"))))
}

func TestServe_SQLiteFileWithHardLink_IsRefused(t *testing.T) {
	t.Parallel()
	url := testdb.SQLiteURL(t)
	require.NoError(t, os.Link(sqlitePath(url), sqlitePath(url)+".copy"))
	require.Contains(t, requireServeRefused(t, url, t.TempDir()), "2 hard links")
}

// TestKill_SQLite_NextServerTakesOverWithoutLease kills a server in the middle of a reply, with a lease that outlasts
// the test.
func TestKill_SQLite_NextServerTakesOverWithoutLease(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	m := harness.StartModel(t, func(harness.ModelRequest) providertest.Step {
		if asked.Add(1) == 1 {
			return providertest.StreamThenHang(harness.TextFrames("I begin")...)
		}
		return harness.TextResponse("I end.")
	})
	url := testdb.SQLiteURL(t)
	settings := harness.Settings{"RUN_LEASE": "10m", "RUN_SWEEP": "1m"}
	first := harness.StartProcess(t, url, m.Settings(), settings)
	c := first.Client("alice")
	turn := harness.Send(t, c, "", "Begin")
	queued := harness.Send(t, c, turn.Conversation.ID, "Then the next one")
	before := c.Dial(t).Follow(t, turn.Conversation.ID, "")
	before.UntilText(t, turn.AssistantMessage.ID, func(text string) bool { return text == "I begin" })
	first.Kill()
	killed := time.Now()

	second := harness.StartProcess(t, url, m.Settings(), settings)
	c = second.Client("alice")
	// The stream opens with the newest turn, which is answered after the interrupted one.
	last := c.Dial(t).Follow(t, turn.Conversation.ID, "").AwaitFinished(t, queued.AssistantMessage.ID)
	t.Logf("both replies were finished %s after the kill", time.Since(killed))
	require.Equal(t, "I end.", last.Content)
	reply := harness.StoredMessage(t, c, turn.AssistantMessage.ID)
	require.Equal(t, "COMPLETED", reply.Status)
	require.Equal(t, "I end.", reply.Content)
}

// TestMCPCommand_BesideSQLiteServer_ChangesReachStreams changes tasks in another process, which has no bus to the
// server on SQLite.
func TestMCPCommand_BesideSQLiteServer_ChangesReachStreams(t *testing.T) {
	t.Parallel()
	url := testdb.SQLiteURL(t)
	server := harness.Start(t, url, harness.Settings{"BETTER_AUTH_SECRET": ""})
	alice := testclient.New(t, server.URL(), signInWithCommand(t, server.URL(), "alice"))
	harness.ViewerID(t, alice)
	tasks := alice.Dial(t).Subscribe(t, `subscription { taskStream { kind task { title } } }`, nil)

	command := harness.Command(t, harness.Settings{"DATABASE_URL": url}, "mcp", "--user", "alice")
	desk := connectAssistant(t, &sdk.CommandTransport{Command: command}, "2025-11-25")
	ctx, cancel := context.WithTimeout(t.Context(), testclient.Timeout)
	defer cancel()
	for _, title := range []string{"First", "Second"} {
		callTool(t, desk, "add_task", map[string]any{"title": title})
		for {
			event, err := tasks.Next(ctx)
			require.NoError(t, err)
			if strings.Contains(string(event), title) {
				break
			}
		}
	}
	require.NoError(t, desk.Close())
}

// TestCommands_BesideSQLiteServer_Work runs the commands that never take the lock, beside the server that holds it,
// and then a server beside none of them.
func TestCommands_BesideSQLiteServer_Work(t *testing.T) {
	t.Parallel()
	url := testdb.SQLiteURL(t)
	server := harness.StartProcess(t, url, harness.Settings{"BETTER_AUTH_SECRET": ""})
	settings := healthySettings(url, harness.Settings{"BETTER_AUTH_SECRET": ""})
	require.NotEmpty(t, harness.RunCommand(t, settings, "token", "--user", "alice"))
	table, sick := runDoctor(t, settings)
	require.False(t, sick, table)
	require.Contains(t, harness.RunCommand(t, maps.Clone(settings), "migrate", "status"), "initial.sql")
	server.Terminate()
	require.Zero(t, server.Wait())
}
