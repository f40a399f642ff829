package store_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"errand/internal/store"
	"errand/internal/testdb"

	"github.com/stretchr/testify/require"
)

// lockTestTimeout is how long a test waits for a lock to change.
const lockTestTimeout = 20 * time.Second

func startLock(t *testing.T, db *store.DB, name string) *store.SessionLock {
	t.Helper()
	l := store.NewSessionLock(db, name)
	require.NoError(t, l.Start(context.Background()))
	t.Cleanup(l.Close)
	return l
}

// unlocked reports whether no session holds the lock on the name.
func unlocked(t *testing.T, db *store.DB, name string) bool {
	t.Helper()
	rows, err := db.Client().
		QueryContext(system(), "SELECT "+db.SQL().WorkerUnlocked+" FROM (SELECT $1::text AS worker) w", name)
	require.NoError(t, err)
	defer rows.Close()
	require.True(t, rows.Next())
	var free bool
	require.NoError(t, rows.Scan(&free))
	return free
}

func awaitChange(t *testing.T, l *store.SessionLock) {
	t.Helper()
	select {
	case <-l.Changed():
	case <-time.After(lockTestTimeout):
		require.FailNow(t, "the lock did not change")
	}
}

func TestSessionLock_StartAndClose_HoldsAndReleases(t *testing.T) {
	db := testdb.Postgres(t)
	require.True(t, unlocked(t, db, "a"))
	l := startLock(t, db, "a")
	require.True(t, l.Held())
	require.True(t, l.Settled(), "the first time, there is no failover to wait for")
	require.False(t, unlocked(t, db, "a"))
	require.True(t, unlocked(t, db, "b"))
	l.Close()
	require.Eventually(t, func() bool { return unlocked(t, db, "a") }, lockTestTimeout, 5*time.Millisecond)
}

// Row-level security and a login without privileges do not hide the locks.
func TestSessionLock_UnprivilegedRole_SeesLock(t *testing.T) {
	url := testdb.PostgresURL(t)
	startLock(t, testdb.Open(t, url), "a")
	db, err := store.Open(context.Background(), store.Options{
		URL: url, StatementCache: true, RLS: store.RLSOn, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	defer db.Close()
	require.False(t, unlocked(t, db, "a"))
	require.True(t, unlocked(t, db, "b"))
}

func TestSessionLock_SessionTerminated_IsTakenAgain(t *testing.T) {
	db := testdb.Postgres(t)
	l := startLock(t, db, "a")
	awaitChange(t, l)
	_, err := db.Client().ExecContext(system(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = current_database() AND application_name LIKE '% lock'`)
	require.NoError(t, err)
	awaitChange(t, l)
	require.Eventually(t, l.Held, lockTestTimeout, time.Millisecond)
	require.False(t, l.Settled(), "locks of others may be free for the same reason")
	require.False(t, unlocked(t, db, "a"))
	require.Eventually(t, l.Settled, lockTestTimeout, 10*time.Millisecond)
}

func TestSessionLock_PoolerInTransactionMode_IsRejected(t *testing.T) {
	url := testdb.PostgresURL(t)
	pooler := testdb.NewPooler(t, url)
	db := testdb.Open(t, pooler.URL())
	l := store.NewSessionLock(db, "a")
	defer l.Close()
	require.ErrorIs(t, l.Start(context.Background()), store.ErrTransactionPooled)
	require.False(t, l.Held())
	require.True(t, unlocked(t, db, "a"), "no session of the pooler keeps the lock")
	require.ErrorIs(t, store.CheckDirect(context.Background(), db), store.ErrTransactionPooled)
}

func TestCheckDirect_DirectURL_MustReachSameDatabase(t *testing.T) {
	url := testdb.PostgresURL(t)
	pooler := testdb.NewPooler(t, url)
	for direct, want := range map[string]error{
		url: nil, testdb.PostgresURL(t): store.ErrOtherDatabase, pooler.URL(): store.ErrTransactionPooled,
	} {
		db, err := store.Open(context.Background(), store.Options{
			URL: pooler.URL(), DirectURL: direct, StatementCache: true, Logger: slog.New(slog.DiscardHandler),
		})
		require.NoError(t, err)
		require.ErrorIs(t, store.CheckDirect(context.Background(), db), want)
		require.NoError(t, db.Close())
	}
	require.NoError(t, store.CheckDirect(context.Background(), testdb.SQLite(t)))
}
