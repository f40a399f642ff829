package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"errand/ent/rule"
	"errand/internal/store"
	"errand/internal/testdb"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

func TestOpenSQLite_MissingFolder_IsCreatedPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b", "50% #1", "errand.db")
	db := testdb.Open(t, "sqlite:"+path)
	require.NoError(t, db.EnsureSchema(context.Background(), false))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Positive(t, info.Size())
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	folder, err := os.Stat(filepath.Dir(path))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), folder.Mode().Perm())
}

func TestOpenSQLite_NotADatabaseFile_Fails(t *testing.T) {
	for _, path := range []string{"", ":memory:", "file:x.db", "x.db?mode=ro"} {
		_, err := store.Open(context.Background(), store.Options{URL: "sqlite:" + path})
		require.ErrorContains(t, err, "is not the path of an SQLite file", path)
	}
	file := filepath.Join(t.TempDir(), "notes.txt")
	require.NoError(t, os.WriteFile(file, []byte("this text is not a SQLite database file"), 0o600))
	_, err := store.Open(context.Background(), store.Options{URL: "sqlite:" + file})
	require.ErrorContains(t, err, "notes.txt")
}

func TestSQLite_OpenWriteTransaction_DoesNotBlockReads(t *testing.T) {
	db := testdb.SQLite(t)
	tx, err := db.Client().Tx(system())
	require.NoError(t, err)
	addUser(t, tx.Client(), "alice")
	require.Zero(t, countUsers(t, db))
	require.NoError(t, db.Ping(context.Background()), "Ping does not wait for the writer")
	require.NoError(t, tx.Commit())
	require.Equal(t, 1, countUsers(t, db))
}

func TestSQLite_ReadOnlyTransaction_IsASnapshot(t *testing.T) {
	db := testdb.SQLite(t)
	snapshot, err := db.Client().BeginTx(system(), &sql.TxOptions{ReadOnly: true})
	require.NoError(t, err)
	n, err := snapshot.User.Query().Count(system())
	require.NoError(t, err)
	require.Zero(t, n)
	addUser(t, db.Client(), "alice")
	n, err = snapshot.User.Query().Count(system())
	require.NoError(t, err)
	require.Zero(t, n)
	_, err = snapshot.ExecContext(system(), "DELETE FROM users")
	require.ErrorContains(t, err, "readonly")
	require.NoError(t, snapshot.Rollback())
}

func TestSQLite_ConcurrentReadsAndWrites_AreNeverBusy(t *testing.T) {
	db := testdb.SQLite(t)
	u := addUser(t, db.Client(), "alice")
	var g errgroup.Group
	for range 8 {
		g.Go(func() error {
			for range 25 {
				if err := db.Client().User.UpdateOneID(u.ID).AddLastChange(1).Exec(system()); err != nil {
					return fmt.Errorf("writing: %w", err)
				}
				if _, err := db.Client().User.Query().All(system()); err != nil {
					return fmt.Errorf("reading: %w", err)
				}
			}
			return nil
		})
	}
	require.NoError(t, g.Wait())
	got, err := db.Client().User.Get(system(), u.ID)
	require.NoError(t, err)
	require.Equal(t, 200, got.LastChange)
}

func TestIsUnavailable_SQLiteBusy_IsTrue(t *testing.T) {
	url := testdb.SQLiteURL(t)
	first, second := testdb.Open(t, url), testdb.Open(t, url)
	tx, err := first.Client().Tx(system())
	require.NoError(t, err)
	defer tx.Rollback()
	// The writer of another process waits for busy_timeout, 5 seconds; this one does not wait.
	_, err = second.Client().ExecContext(system(), "PRAGMA busy_timeout = 0")
	require.NoError(t, err)
	err = second.Client().User.Create().SetSubject("bob").Exec(system())
	require.True(t, store.IsUnavailable(err), "%v", err)
}

func TestEnsureSchema_FileOfAnotherServer_IsNotMigrated(t *testing.T) {
	url := testdb.EmptySQLiteURL(t)
	server, other := testdb.Open(t, url), testdb.Open(t, url)
	require.NoError(t, store.LockServer(t.Context(), server, "serve"))
	err := other.EnsureSchema(t.Context(), true)
	require.ErrorIs(t, err, store.ErrDatabaseInUse)
	require.ErrorContains(t, err, "migration(s)")
	require.ErrorContains(t, err, fmt.Sprintf("process %d", os.Getpid()))
	require.ErrorIs(t, store.LockServer(t.Context(), other, "serve"), store.ErrDatabaseInUse)
	require.NoError(t, store.LockServer(t.Context(), server, "serve"), "it holds the lock already")

	require.NoError(t, server.EnsureSchema(t.Context(), true))
	require.NoError(t, other.EnsureSchema(t.Context(), true), "nothing is pending")
	require.NoError(t, server.Close())
	require.NoError(t, store.CheckNotServed(t.Context(), other))
	require.NoError(t, store.LockServer(t.Context(), other, "serve"))
}

func TestLockServer_ContextEnds_ReturnsItsCause(t *testing.T) {
	url := testdb.SQLiteURL(t)
	require.NoError(t, store.LockServer(t.Context(), testdb.Open(t, url), "serve"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, store.LockServer(ctx, testdb.Open(t, url), "serve"), context.Canceled)
}

// The lock is checked often while many commands run beside a server that starts.
func TestLockServer_DuringChecks_IsTaken(t *testing.T) {
	url := testdb.SQLiteURL(t)
	checker := testdb.Open(t, url)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				_ = store.CheckNotServed(t.Context(), checker)
			}
		}
	}()
	for range 20 {
		db := testdb.Open(t, url)
		require.NoError(t, store.LockServer(t.Context(), db, "serve"))
		require.NoError(t, db.Close())
	}
	close(stop)
	<-done
}

// A missing target is created where the link points to.
func TestOpen_DanglingSymbolicLink_CreatesTarget(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "data"), 0o700))
	require.NoError(t, os.Symlink("data/errand.db", filepath.Join(dir, "link.db")))
	db := testdb.Open(t, "sqlite:"+filepath.Join(dir, "link.db"))
	require.NoError(t, store.LockServer(t.Context(), db, "serve"))
	require.FileExists(t, filepath.Join(dir, "data", "errand.db-lock"))
	info, err := os.Stat(filepath.Join(dir, "data", "errand.db"))
	require.NoError(t, err)
	require.EqualValues(t, 0o600, info.Mode().Perm())
	require.NoError(t, os.Symlink("loop.db", filepath.Join(dir, "loop.db")))
	_, err = store.Open(t.Context(), store.Options{URL: "sqlite:" + filepath.Join(dir, "loop.db")})
	require.ErrorContains(t, err, "too many symbolic links")
}

func TestExternalChanges_DetectsOtherProcessesOnly(t *testing.T) {
	url := testdb.SQLiteURL(t)
	db, other := testdb.Open(t, url), testdb.Open(t, url)
	changes := store.DetectExternalChanges(db)
	detected := func() bool {
		t.Helper()
		changed, err := changes.Detected(t.Context())
		require.NoError(t, err)
		return changed
	}
	require.True(t, detected(), "the first call")
	require.False(t, detected())
	addUser := func(db *store.DB, subject string) {
		db.Client().User.Create().SetSubject(subject).SaveX(rule.System(t.Context()))
	}
	addUser(db, "alice")
	require.False(t, detected(), "its own commit")
	addUser(other, "bob")
	require.True(t, detected())
	require.False(t, detected())
	require.Nil(t, store.DetectExternalChanges(testdb.Postgres(t)))
}
