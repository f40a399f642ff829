package store_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"errand/internal/ids"
	"errand/internal/store"
	"errand/internal/testdb"

	"github.com/stretchr/testify/require"
)

func TestFailover_StandbyPromoted_PoolMovesToIt(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *testdb.Pair){
		"primary crashes": func(t *testing.T, p *testdb.Pair) {
			require.NoError(t, p.Primary.Stop(context.Background(), true))
		},
		"primary becomes read-only": func(t *testing.T, p *testdb.Pair) { p.Demote(t); p.AwaitStandby(t) },
	} {
		t.Run(name, func(t *testing.T) {
			pair := testdb.NewPair(t)
			db := testdb.Open(t, pair.URL)
			l := startLock(t, db, "a")
			awaitChange(t, l) // taken
			fillPool(t, db)
			addUser(t, db.Client(), "alice")
			pair.AwaitStandby(t)
			end(t, pair)
			pair.Promote(t)

			// The lock's connection finds out by itself, and moves the pool too, also where nothing is written.
			awaitChange(t, l) // lost
			require.Eventually(t, l.Settled, time.Minute, 10*time.Millisecond)
			for i := range 2 * db.PoolStats().Max {
				require.NoError(t, store.CheckWritable(context.Background(), db))
				addUser(t, db.Client(), fmt.Sprint("bob", i))
			}
			var onStandby int
			rows, err := testdb.Open(t, pair.StandbyURL()).Client().QueryContext(system(), "SELECT count(*) FROM users")
			require.NoError(t, err)
			defer rows.Close()
			require.True(t, rows.Next())
			require.NoError(t, rows.Scan(&onStandby))
			require.Equal(t, 1+2*db.PoolStats().Max, onStandby)
		})
	}
}

// fillPool opens all connections of the pool.
func fillPool(t *testing.T, db *store.DB) {
	t.Helper()
	txs := make([]interface{ Rollback() error }, db.PoolStats().Max)
	for i := range txs {
		tx, err := db.Client().Tx(system())
		require.NoError(t, err)
		txs[i] = tx
	}
	for _, tx := range txs {
		require.NoError(t, tx.Rollback())
	}
}

// One failed write is enough, without any other connection.
func TestFailover_WriteOnFormerPrimary_ReplacesAllConnections(t *testing.T) {
	pair := testdb.NewPair(t)
	db := testdb.Open(t, pair.URL)
	fillPool(t, db)
	pair.Demote(t)
	pair.AwaitStandby(t)
	pair.Promote(t)
	require.Eventually(t, func() bool { // the sessions reload their settings one after the other
		_, err := db.Client().User.Create().SetSubject(ids.New("sub")()).Save(system())
		require.True(t, err == nil || store.IsUnavailable(err), "%v", err)
		return err != nil
	}, time.Minute, time.Millisecond)
	for i := range 2 * db.PoolStats().Max {
		addUser(t, db.Client(), fmt.Sprint("alice", i))
	}
}

func TestOpenPostgres_ReadOnlyServer_IsReportedAsSuch(t *testing.T) {
	pair := testdb.NewPair(t)
	_, err := store.Open(context.Background(), store.Options{
		URL: pair.StandbyURL(), StartupTimeout: -1, Logger: slog.New(slog.DiscardHandler),
	})
	require.ErrorIs(t, err, store.ErrReadOnly)
	db := testdb.Open(t, pair.PrimaryURL())
	require.NoError(t, store.CheckWritable(context.Background(), db))
	pair.Demote(t)
	require.Eventually(t, func() bool {
		return store.CheckWritable(context.Background(), db) != nil
	}, time.Minute, time.Millisecond)
	err = store.CheckWritable(context.Background(), db)
	require.ErrorIs(t, err, store.ErrReadOnly)
	require.True(t, store.IsUnavailable(err))
}
