package integration

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// readHealth returns the status code and the body of /health.
func readHealth(t testing.TB, url string) (int, map[string]any) {
	t.Helper()
	response, err := http.Get(url + "/health")
	require.NoError(t, err)
	defer http.DefaultClient.CloseIdleConnections()
	defer response.Body.Close()
	body := map[string]any{}
	require.NoError(t, json.NewDecoder(response.Body).Decode(&body))
	return response.StatusCode, body
}

// awaitHealth waits until /health responds with 503 and the reason, or with 200 if the reason is "".
func awaitHealth(t testing.TB, url, reason string) {
	t.Helper()
	var status int
	var body map[string]any
	require.Eventually(t, func() bool {
		status, body = readHealth(t, url)
		if reason == "" {
			return status == http.StatusOK
		}
		return status == http.StatusServiceUnavailable && body["reason"] == reason
	}, testclient.Timeout, 20*harness.PollInterval, "no %q", reason)
	require.Equal(t, reason == "", body["database_ok"])
	require.NotEmpty(t, body["pool_status"])
	if reason == "" {
		require.Equal(t, "ok", body["status"])
		require.NotContains(t, body, "reason")
	} else {
		require.Equal(t, "unavailable", body["status"])
	}
}

func TestHealth_MissingTable_IsReported(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, e *harness.Env) {
		awaitHealth(t, e.URL(), "")
		url := e.Config.Database.URL.Reveal()
		execSQL(t, url, "ALTER TABLE tool_calls RENAME TO elsewhere")
		awaitHealth(t, e.URL(), "tables are missing")
		execSQL(t, url, "ALTER TABLE elsewhere RENAME TO tool_calls")
		awaitHealth(t, e.URL(), "")
	})
}

func TestHealth_SQLiteFileRemoved_IsReported(t *testing.T) {
	t.Parallel()
	url := testdb.SQLiteURL(t)
	file := sqlitePath(url)
	e := harness.Start(t, url)
	require.NoError(t, os.Rename(file, file+".away"))
	awaitHealth(t, e.URL(), "the database file was removed or replaced")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	awaitHealth(t, e.URL(), "the database file was removed or replaced")
	require.NoError(t, os.Rename(file+".away", file))
	awaitHealth(t, e.URL(), "")
}

// TestHealth_SQLiteFileLocked_IsReported holds the write lock of the file in another connection, as a tool does that
// was left open.
func TestHealth_SQLiteFileLocked_IsReported(t *testing.T) {
	t.Parallel()
	url := testdb.SQLiteURL(t)
	e := harness.Start(t, url)
	c := e.Client(t, "alice")
	harness.ViewerID(t, c)
	other, err := sql.Open("sqlite", "file:"+sqlitePath(url)+"?_txlock=immediate")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, other.Close()) })
	lock, err := other.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	harness.RequireErrorCode(t, "SERVICE_UNAVAILABLE", c.Try(t, harness.CreateTaskDoc,
		testclient.Vars{"in": testclient.Vars{"title": "x"}}))
	awaitHealth(t, e.URL(), "the database is locked")
	require.Empty(t, harness.AllTasks(t, c), "reads work")
	require.NoError(t, lock.Rollback())
	awaitHealth(t, e.URL(), "")
	harness.CreateTask(t, c, testclient.Vars{"title": "x"})
}

func TestHealth_ReadOnlyPostgres_IsReported(t *testing.T) {
	t.Parallel()
	c := testdb.NewCluster(t)
	e := harness.Start(t, testdb.ClusterURL(t, c))
	owner, reload := c.URL("postgres"), "SELECT pg_reload_conf()"
	execStatements(t, owner, "ALTER SYSTEM SET default_transaction_read_only = on", reload)
	awaitHealth(t, e.URL(), "the database is read-only")
	execStatements(t, owner, "ALTER SYSTEM RESET default_transaction_read_only", reload)
	awaitHealth(t, e.URL(), "")
	harness.CreateTask(t, e.Client(t, "alice"), testclient.Vars{"title": "Writes work"})
}

// smallDisk mounts a memory file system of a few megabytes and returns its directory, or "" if this user may not
// mount.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size="+size, "tmpfs", dir).CombinedOutput(); err != nil {
		t.Logf("no file system of limited size: %v: %s", err, out)
		return ""
	}
	t.Cleanup(func() {
		out, err := exec.CommandContext(context.Background(), "umount", "-l", dir).CombinedOutput()
		require.NoError(t, err, "%s", out)
	})
	return dir
}

// fillDisk fills the file system of dir with a file, whose path it returns.
func fillDisk(t *testing.T, dir string) string {
	t.Helper()
	filler, err := os.Create(filepath.Join(dir, "filler"))
	require.NoError(t, err)
	defer filler.Close()
	for block := make([]byte, 64<<10); len(block) > 0; {
		if _, err := filler.Write(block); err != nil {
			require.ErrorIs(t, err, syscall.ENOSPC)
			block = block[:len(block)/2]
		}
	}
	return filler.Name()
}

// createUntilFull creates tasks until the server has no room for one, and returns the titles of those it acknowledged.
func createUntilFull(t *testing.T, c *testclient.Client) (titles []string) {
	t.Helper()
	for n := range 2000 {
		title := fmt.Sprintf("Task %d", n)
		response := c.Try(t, harness.CreateTaskDoc, testclient.Vars{"in": testclient.Vars{
			"title": title, "description": strings.Repeat("y", 2000),
		}})
		if len(response.Errors) > 0 {
			harness.RequireErrorCode(t, "SERVICE_UNAVAILABLE", response)
			return titles
		}
		titles = append(titles, title)
	}
	require.Fail(t, "the disk does not get full")
	return nil
}

// requireTasks requires that a user has exactly the tasks that the server has acknowledged.
func requireTasks(t *testing.T, c *testclient.Client, titles []string) {
	t.Helper()
	require.Equal(t, len(titles), harness.ListTasks(t, c, testclient.Vars{"first": 1}).TotalCount)
	titles = titles[:min(len(titles), 100)]
	require.Equal(t, titles, harness.Titles(harness.AllTasks(t, c)))
}

// TestFullDisk_SQLite_IsReportedAndRecovers fills the disk of a SQLite file, kills the server in that state, and gives
// the space back.
func TestFullDisk_SQLite_IsReportedAndRecovers(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t, "8m")
	if dir == "" {
		testFullDatabase(t)
		return
	}
	t.Log("the disk is a tmpfs of 8 MB")
	template, err := os.ReadFile(sqlitePath(testdb.SQLiteURL(t)))
	require.NoError(t, err)
	file := filepath.Join(dir, "errand.db")
	require.NoError(t, os.WriteFile(file, template, 0o600))
	server := harness.StartProcess(t, "sqlite:"+file)
	c := server.Client("alice")
	titles := []string{harness.CreateTask(t, c, testclient.Vars{"title": "First"}).Title}

	filler := fillDisk(t, dir)
	titles = append(titles, createUntilFull(t, c)...)
	awaitHealth(t, server.URL, "the disk of the database is full")
	requireTasks(t, c, titles)
	harness.RequireErrorCode(t, "SERVICE_UNAVAILABLE",
		c.Try(t, harness.SendDoc, testclient.Vars{"in": testclient.Vars{"content": strings.Repeat("Hello ", 500)}}))
	require.NoError(t, os.Remove(filler))
	awaitHealth(t, server.URL, "")
	titles = append(titles, harness.CreateTask(t, c, testclient.Vars{"title": "After the first time"}).Title)

	filler = fillDisk(t, dir)
	titles = append(titles, createUntilFull(t, c)...)
	server.Kill()
	require.NoError(t, os.Remove(filler))
	server = harness.StartProcess(t, "sqlite:"+file)
	c = server.Client("alice")
	requireTasks(t, c, titles)
	reply := (&harness.Conversation{Client: c}).SendAndWait(t, "Add a task to buy groceries")
	require.Equal(t, "COMPLETED", reply.Status)
	requireIntact(t, file)
}

// testFullDatabase limits the size of the database instead of the disk, for users that may not mount file systems.
// Health is not checked: its write check is not limited.
func testFullDatabase(t *testing.T) {
	t.Log("the database is limited by max_page_count")
	url := testdb.SQLiteURL(t)
	e := harness.Start(t, url)
	c := e.Client(t, "alice")
	titles := []string{harness.CreateTask(t, c, testclient.Vars{"title": "First"}).Title}
	limit := func(pages string) {
		rows, err := e.DB.Client().QueryContext(t.Context(), "PRAGMA max_page_count = "+pages)
		require.NoError(t, err)
		require.NoError(t, rows.Close())
	}
	limit("1")
	titles = append(titles, createUntilFull(t, c)...)
	requireTasks(t, c, titles)
	limit("1000000")
	harness.CreateTask(t, c, testclient.Vars{"title": "There is space again"})
	requireIntact(t, sqlitePath(url))
}

// requireIntact checks the structure of a SQLite file and its references.
func requireIntact(t *testing.T, file string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+file)
	require.NoError(t, err)
	defer db.Close()
	var integrity string
	require.NoError(t, db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&integrity))
	require.Equal(t, "ok", integrity)
	var broken int
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM pragma_foreign_key_check").Scan(&broken))
	require.Zero(t, broken)
}

// TestFullDisk_Postgres_IsReportedAndRecovers fills the tablespace of a database.
func TestFullDisk_Postgres_IsReportedAndRecovers(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t, "40m")
	if dir == "" {
		t.Log("not checked: a full tablespace needs the right to mount a file system")
		return
	}
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o755))
	c := testdb.NewCluster(t)
	space := filepath.Join(dir, "space")
	require.NoError(t, os.Mkdir(space, 0o700))
	info, err := os.Stat(filepath.Dir(c.Log()))
	require.NoError(t, err)
	owner := info.Sys().(*syscall.Stat_t)
	require.NoError(t, os.Chown(space, int(owner.Uid), int(owner.Gid)))
	require.NoError(t, os.Chmod(dir, 0o755))
	execStatements(t, c.URL("postgres"),
		"CREATE TABLESPACE small LOCATION '"+space+"'", "CREATE DATABASE small TABLESPACE small")
	e := harness.Start(t, c.URL("small"), harness.Settings{"MIGRATE": "true"})
	alice := e.Client(t, "alice")
	titles := []string{harness.CreateTask(t, alice, testclient.Vars{"title": "First"}).Title}

	filler := fillDisk(t, dir)
	titles = append(titles, createUntilFull(t, alice)...)
	awaitHealth(t, e.URL(), "the disk of the database is full")
	requireTasks(t, alice, titles)
	require.NoError(t, os.Remove(filler))
	awaitHealth(t, e.URL(), "")
	reply := (&harness.Conversation{Client: alice}).SendAndWait(t, "Add a task to buy groceries")
	require.Equal(t, "COMPLETED", reply.Status)
}

// TestReadOnly_SQLite_IsReportedAndRecovers makes the server's connection read-only, because a file system with open
// files cannot become so, and mounts the folder read-only for the connections of the health check, which are new.
func TestReadOnly_SQLite_IsReportedAndRecovers(t *testing.T) {
	t.Parallel()
	url := testdb.SQLiteURL(t)
	e := harness.Start(t, url)
	c := e.Client(t, "alice")
	harness.CreateTask(t, c, testclient.Vars{"title": "First"})
	setReadOnly := func(value string) {
		rows, err := e.DB.Client().QueryContext(t.Context(), "PRAGMA query_only = "+value)
		require.NoError(t, err)
		require.NoError(t, rows.Close())
	}
	unmount := mountReadOnly(t, filepath.Dir(sqlitePath(url)))
	setReadOnly("1")
	harness.RequireErrorCode(t, "SERVICE_UNAVAILABLE",
		c.Try(t, harness.CreateTaskDoc, testclient.Vars{"in": testclient.Vars{"title": "Second"}}))
	if unmount != nil {
		awaitHealth(t, e.URL(), "the database is read-only")
	}
	requireTasks(t, c, []string{"First"})
	harness.RequireErrorCode(t, "SERVICE_UNAVAILABLE",
		c.Try(t, harness.SendDoc, testclient.Vars{"in": testclient.Vars{"content": "Hello"}}))
	setReadOnly("0")
	if unmount != nil {
		unmount()
	}
	awaitHealth(t, e.URL(), "")
	harness.CreateTask(t, c, testclient.Vars{"title": "Second"})
}

// mountReadOnly makes a folder read-only for all files that are opened from now on, and returns the function that ends
// that. It returns nil without the right to mount a file system.
func mountReadOnly(t *testing.T, dir string) (unmount func()) {
	t.Helper()
	if out, err := exec.Command("mount", "--bind", dir, dir).CombinedOutput(); err != nil {
		t.Logf("health is not checked: no read-only folder: %v: %s", err, out)
		return nil
	}
	unmount = sync.OnceFunc(func() {
		out, err := exec.CommandContext(context.Background(), "umount", "-l", dir).CombinedOutput()
		require.NoError(t, err, "%s", out)
	})
	t.Cleanup(unmount)
	out, err := exec.Command("mount", "-o", "remount,bind,ro", dir).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return unmount
}

// TestStart_SQLiteOnReadOnlyFileSystem_Fails starts the server on a file of a file system that is mounted read-only.
func TestStart_SQLiteOnReadOnlyFileSystem_Fails(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t, "8m")
	if dir == "" {
		t.Log("not checked: it needs the right to mount a file system")
		return
	}
	file := filepath.Join(dir, "errand.db")
	runErrand(t, harness.TestSettings("sqlite:"+file), "", "migrate", "up").requireSuccess(t)
	out, err := exec.Command("mount", "-o", "remount,ro", dir).CombinedOutput()
	require.NoError(t, err, "%s", out)
	result := runErrand(t, harness.TestSettings("sqlite:"+file), "", "serve")
	require.NotZero(t, result.code)
	require.Contains(t, result.stderr, "the database is read-only")
	require.NotContains(t, result.stderr, "panic")
}
