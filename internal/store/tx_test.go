package store_test

import (
	"context"
	"errors"
	"testing"

	"errand/ent"
	"errand/internal/store"
	"errand/internal/testdb"

	"github.com/stretchr/testify/require"
)

func countUsers(t *testing.T, db *store.DB) int {
	t.Helper()
	n, err := db.Client().User.Query().Count(system())
	require.NoError(t, err)
	return n
}

func TestWithTx_Success_Commits(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		err := store.WithTx(system(), db.Client(), func(tx *ent.Tx) error {
			addUser(t, tx.Client(), "alice")
			require.Zero(t, countUsers(t, db), "not visible outside before the commit")
			n, err := tx.User.Query().Count(system())
			require.Equal(t, 1, n)
			return err
		})
		require.NoError(t, err)
		require.Equal(t, 1, countUsers(t, db))
	})
}

func TestWithTx_ErrorOrPanic_RollsBack(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		cause := errors.New("no")
		err := store.WithTx(system(), db.Client(), func(tx *ent.Tx) error {
			addUser(t, tx.Client(), "alice")
			return cause
		})
		require.Equal(t, cause, err)
		require.PanicsWithValue(t, "no", func() {
			_ = store.WithTx(system(), db.Client(), func(tx *ent.Tx) error {
				addUser(t, tx.Client(), "alice")
				panic("no")
			})
		})
		require.Zero(t, countUsers(t, db))
		addUser(t, db.Client(), "alice") // the connection was returned to the pool
	})
}

func TestWithTx_ContextCancelled_RollsBack(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		ctx, cancel := context.WithCancel(system())
		err := store.WithTx(ctx, db.Client(), func(tx *ent.Tx) error {
			addUser(t, tx.Client(), "alice")
			cancel()
			return nil
		})
		require.ErrorIs(t, err, context.Canceled)
		require.False(t, store.IsUnavailable(err))
		require.Zero(t, countUsers(t, db))
	})
}
