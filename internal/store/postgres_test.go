package store_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"errand/internal/store"
	"errand/internal/testdb"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func TestOpenPostgres_IdleConnections_StayOpen(t *testing.T) {
	db, err := store.Open(
		context.Background(),
		store.Options{URL: testdb.PostgresURL(t), MaxConns: 5, StatementCache: true},
	)
	require.NoError(t, err)
	defer db.Close()
	require.Equal(t, 5, db.PoolStats().Max)
	txs := make([]interface{ Rollback() error }, 5)
	for i := range txs {
		tx, err := db.Client().Tx(system())
		require.NoError(t, err)
		txs[i] = tx
	}
	for _, tx := range txs {
		require.NoError(t, tx.Rollback())
	}
	require.Equal(t, 5, db.PoolStats().Idle)
}

func TestOpenPostgres_StatementCache_PreparesStatements(t *testing.T) {
	for cached, want := range map[bool]bool{true: true, false: false} {
		db, err := store.Open(
			context.Background(),
			store.Options{URL: testdb.PostgresURL(t), MaxConns: 1, StatementCache: cached},
		)
		require.NoError(t, err)
		addUser(t, db.Client(), "alice")
		countUsers(t, db)
		rows, err := db.Client().
			QueryContext(system(), "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%users%'")
		require.NoError(t, err)
		require.True(t, rows.Next())
		var n int
		require.NoError(t, rows.Scan(&n))
		require.NoError(t, rows.Close())
		require.Equal(t, want, n > 0, "%d statements", n)
		require.NoError(t, db.Close())
	}
}

func TestOpenPostgres_URLOptions_AreKept(t *testing.T) {
	url := testdb.PostgresURL(t) + "&application_name=mine&statement_timeout=77000&pool_max_conns=3"
	db := testdb.Open(t, url)
	rows, err := db.Client().
		QueryContext(system(), "SELECT current_setting('application_name') || ' ' || current_setting('statement_timeout')")
	require.NoError(t, err)
	defer rows.Close()
	require.True(t, rows.Next())
	var got string
	require.NoError(t, rows.Scan(&got))
	require.Equal(t, "mine 77s", got)
}

func TestPostgresConfig_Copy_Connects(t *testing.T) {
	db := testdb.Postgres(t)
	conn, err := pgx.ConnectConfig(context.Background(), db.PostgresConfig())
	require.NoError(t, err)
	require.NoError(t, conn.Ping(context.Background()))
	require.NoError(t, conn.Close(context.Background()))
	require.Nil(t, testdb.SQLite(t).PostgresConfig())
}

func TestOpenPostgres_MissingDatabase_FailsWithoutRetry(t *testing.T) {
	url := strings.Replace(testdb.EmptyPostgresURL(t), "/test_", "/absent_", 1)
	start := time.Now()
	_, err := store.Open(context.Background(), store.Options{URL: url})
	require.ErrorContains(t, err, "does not exist")
	require.ErrorContains(t, err, "absent_")
	require.Less(t, time.Since(start), 15*time.Second)
}

func TestOpenPostgres_Error_OmitsThePassword(t *testing.T) {
	const secret = "s3cret-word"
	for _, url := range []string{
		"postgres://alice:" + secret + "@127.0.0.1:1/errand",
		"postgres://alice:" + secret + "@127.0.0.1:1/errand?sslmode=nonsense",
		"postgres://alice:" + secret + "%zz@127.0.0.1:1/errand",
		"postgres://127.0.0.1:1/errand?user=alice&password=" + secret,
	} {
		var log strings.Builder
		_, err := store.Open(context.Background(), store.Options{
			URL: url, StartupTimeout: 150 * time.Millisecond, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		require.Error(t, err)
		require.NotContains(t, err.Error()+log.String(), secret)
	}
}

func TestOpenPostgres_ServerDown_WaitsForIt(t *testing.T) {
	ctx := context.Background()
	c := testdb.NewCluster(t)
	url := testdb.ClusterURL(t, c)
	require.NoError(t, c.Stop(ctx, false))
	waiting := make(chan struct{})
	opened := make(chan error, 1)
	go func() {
		db, err := store.Open(ctx, store.Options{URL: url, Logger: slog.New(closeOnFirstLog(waiting))})
		if err == nil {
			err = errors.Join(db.Ping(ctx), db.Close())
		}
		opened <- err
	}()
	<-waiting
	require.NoError(t, c.Start(ctx))
	require.NoError(t, <-opened)
}

func TestIsUnavailable_ServerRestart_IsTrueUntilItIsUp(t *testing.T) {
	ctx := context.Background()
	c := testdb.NewCluster(t)
	db := testdb.Open(t, testdb.ClusterURL(t, c))
	addUser(t, db.Client(), "alice")
	require.NoError(t, c.Stop(ctx, true))
	_, err := db.Client().User.Query().Count(system())
	require.True(t, store.IsUnavailable(err), "%v", err)
	require.True(t, store.IsUnavailable(db.Ping(ctx)))
	require.NoError(t, c.Start(ctx))
	require.Equal(t, 1, countUsers(t, db), "commits survive a crash, and broken connections are replaced")
}

func TestIsUnavailable_TerminatedConnection_IsTrue(t *testing.T) {
	db := testdb.Postgres(t)
	tx, err := db.Client().Tx(system())
	require.NoError(t, err)
	addUser(t, tx.Client(), "alice")
	_, err = db.Client().ExecContext(system(),
		`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	require.NoError(t, err)
	_, err = tx.User.Query().Count(system())
	require.True(t, store.IsUnavailable(err), "%v", err)
	_ = tx.Rollback() // the connection is broken
	require.Zero(t, countUsers(t, db))
}

func TestIsUnavailable_Deadlock_IsTrue(t *testing.T) {
	db := testdb.Postgres(t)
	a, b := addUser(t, db.Client(), "alice"), addUser(t, db.Client(), "bob")
	first, err := db.Client().Tx(system())
	require.NoError(t, err)
	second, err := db.Client().Tx(system())
	require.NoError(t, err)
	require.NoError(t, first.User.UpdateOneID(a.ID).AddLastChange(1).Exec(system()))
	require.NoError(t, second.User.UpdateOneID(b.ID).AddLastChange(1).Exec(system()))
	var errFirst, errSecond error
	var wg sync.WaitGroup
	wg.Go(func() {
		errFirst = first.User.UpdateOneID(b.ID).AddLastChange(1).Exec(system())
		_ = first.Rollback()
	})
	wg.Go(func() {
		errSecond = second.User.UpdateOneID(a.ID).AddLastChange(1).Exec(system())
		_ = second.Rollback()
	})
	wg.Wait()
	require.True(t, store.IsUnavailable(errors.Join(errFirst, errSecond)), "%v %v", errFirst, errSecond)
}

// closeOnFirstLog returns a handler that closes the channel at the first log line.
func closeOnFirstLog(logged chan struct{}) slog.Handler {
	var once sync.Once
	return slog.NewTextHandler(writerFunc(func(p []byte) (int, error) {
		once.Do(func() { close(logged) })
		return len(p), nil
	}), nil)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
