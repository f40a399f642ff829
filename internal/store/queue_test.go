package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"errand/ent"
	"errand/ent/user"
	"errand/internal/store"
	"errand/internal/testdb"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

// openRecorded opens a new database, with enforced row-level security, through a proxy that records its round trips.
func openRecorded(t *testing.T) (*store.DB, *testdb.Traffic) {
	t.Helper()
	p := testdb.NewTraffic(t, testdb.PostgresURL(t))
	db := openWithRLS(t, p.URL())
	addUser(t, db.Client(), "first") // the connection has its role
	p.Take()
	return db, p
}

func TestQueue_Success_WritesAreReadAndCommitted(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		err := store.WithTx(system(), db.Client(), func(tx *ent.Tx) error {
			alice := addUser(t, store.Queue(tx), "alice")
			require.NoError(t, store.Queue(tx).User.Update().SetTimeZone("UTC").Exec(system()))
			got, err := tx.User.Get(system(), alice.ID)
			require.NoError(t, err)
			require.Equal(t, "UTC", got.TimeZone)
			addUser(t, store.Queue(tx), "bob")
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, 2, countUsers(t, db))
	})
}

func TestWithTx_RoundTrips_BeginAndCommitAddNone(t *testing.T) {
	db, p := openRecorded(t)
	require.NoError(t, store.WithTx(system(), db.Client(), func(*ent.Tx) error { return nil }))
	require.Empty(t, p.Take(), "nothing to do")

	require.NoError(t, store.WithTx(system(), db.Client(), func(tx *ent.Tx) error {
		n, err := tx.User.Query().Count(system())
		require.Equal(t, 1, n)
		addUser(t, store.Queue(tx), "alice")
		addUser(t, store.Queue(tx), "bob")
		return err
	}))
	trips := p.Take()
	require.Len(t, trips, 2)
	require.Len(t, trips[0], 3, "begin, scope, query")
	require.Equal(t, "begin", trips[0][0])
	require.Len(t, trips[1], 3, "two inserts, commit")
	require.True(t, trips[1].Commits())
	require.Equal(t, 3, countUsers(t, db))

	p.Take()
	require.Error(t, store.WithTx(system(), db.Client(), func(tx *ent.Tx) error {
		addUser(t, store.Queue(tx), "carol")
		return errors.New("no")
	}))
	require.Empty(t, p.Take(), "what is rolled back is not sent")
	require.NoError(t, store.WithSnapshot(system(), db.Client(), func(tx *ent.Tx) error {
		_, err := tx.User.Query().Count(system())
		return err
	}))
	trips = p.Take()
	require.Len(t, trips, 2)
	require.Equal(t, "begin isolation level Repeatable Read read only", trips[0][0])
}

// TestQueue_ViolatedConstraint_FailsTransaction checks that the error of a queued statement is that of WithTx, and that
// the statement which was sent with it is not blamed.
func TestQueue_ViolatedConstraint_FailsTransaction(t *testing.T) {
	for name, then := range map[string]func(tx *ent.Tx) error{
		"commit": func(*ent.Tx) error { return nil },
		"query": func(tx *ent.Tx) error {
			_, err := tx.User.Query().Where(user.Subject("alice")).Exist(system())
			return err
		},
		"insert": func(tx *ent.Tx) error {
			err := tx.User.Create().SetSubject("bob").Exec(system())
			require.False(t, ent.IsConstraintError(err))
			return err
		},
		"later statements": func(tx *ent.Tx) error {
			require.Error(t, tx.User.Create().SetSubject("bob").Exec(system()))
			require.Error(t, tx.User.Create().SetSubject("carol").Exec(system()))
			require.Error(t, store.Queue(tx).User.Create().SetSubject("dave").Exec(system()))
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			db, _ := openRecorded(t)
			err := store.WithTx(system(), db.Client(), func(tx *ent.Tx) error {
				addUser(t, store.Queue(tx), "first")
				return then(tx)
			})
			require.Error(t, err)
			var violated *pgconn.PgError
			if name != "later statements" { // its own errors are lost
				require.ErrorAs(t, err, &violated)
				require.Equal(t, "23505", violated.Code)
				require.Contains(t, err.Error(), violated.ConstraintName)
				require.False(t, ent.IsConstraintError(err))
				require.False(t, store.IsUnavailable(err))
			}
			require.Equal(t, 1, countUsers(t, db))
			addUser(t, db.Client(), "bob") // the connection was returned to the pool
		})
	}
}

// TestWithTx_FirstStatementNotSent_FurtherOnesFail checks that no statement runs outside of the transaction when the
// batch with BEGIN was not sent.
func TestWithTx_FirstStatementNotSent_FurtherOnesFail(t *testing.T) {
	db, _ := openRecorded(t)
	err := store.WithTx(system(), db.Client(), func(tx *ent.Tx) error {
		_, err := tx.ExecContext(system(), "SELECT $1::int", make(chan int))
		require.Error(t, err)
		require.Error(t, tx.User.Create().SetSubject("alice").Exec(system()))
		_, err = tx.ExecContext(system(), "INSERT INTO no_such_table VALUES (1)")
		require.Error(t, err)
		return nil
	})
	require.Error(t, err)
	require.Equal(t, 1, countUsers(t, db))
	err = store.WithTx(system(), db.Client(), func(tx *ent.Tx) error {
		_, err := tx.ExecContext(system(), "INSERT INTO no_such_table VALUES ($1)", 1)
		return err
	})
	require.ErrorContains(t, err, "no_such_table")
}

// A connection that ends during COMMIT leaves the outcome open, which the error must not hide.
func TestQueue_ConnectionLost_ReportsNoSuccess(t *testing.T) {
	for name, received := range map[string]bool{"before the commit": false, "after the commit": true} {
		t.Run(name, func(t *testing.T) {
			db, p := openRecorded(t)
			p.Cut("commit", received)
			err := store.WithTx(system(), db.Client(), func(tx *ent.Tx) error {
				addUser(t, store.Queue(tx), "alice")
				return nil
			})
			require.Error(t, err)
			require.True(t, store.IsUnavailable(err), "%v", err)
			stored := func() bool { return countUsers(t, db) == 2 }
			if received {
				require.Eventually(t, stored, time.Minute, 5*time.Millisecond)
			} else {
				require.False(t, stored())
			}
		})
	}
}

func TestQueue_ContextCancelledInBatch_RollsBack(t *testing.T) {
	db, p := openRecorded(t)
	holds, release := make(chan struct{}), make(chan struct{})
	held := make(chan error, 1)
	go func() {
		held <- store.WithTx(system(), db.Client(), func(tx *ent.Tx) error {
			err := tx.User.Update().SetTimeZone("UTC").Exec(system())
			close(holds)
			<-release
			return err
		})
	}()
	<-holds
	ctx, cancel := context.WithCancel(system())
	sent := p.Await("FOR NO KEY UPDATE")
	go func() {
		<-sent
		cancel()
	}()
	err := store.WithTx(ctx, db.Client(), func(tx *ent.Tx) error {
		addUser(t, store.Queue(tx), "alice")
		_, err := tx.User.Query().Where(store.LockForNoKeyUpdate).All(ctx) // waits for the other transaction
		return err
	})
	require.ErrorIs(t, err, context.Canceled)
	require.False(t, store.IsUnavailable(err))
	close(release)
	require.NoError(t, <-held)
	require.Equal(t, 1, countUsers(t, db))
}

func TestQueue_SerializationFailure_MayBeRetried(t *testing.T) {
	db, _ := openRecorded(t)
	const conflict = "DO $$ BEGIN RAISE EXCEPTION 'conflict' USING ERRCODE = '40001'; END $$"
	write := func(statement string) error {
		return store.WithTx(system(), db.Client(), func(tx *ent.Tx) error {
			addUser(t, store.Queue(tx), "alice")
			_, err := store.Queue(tx).ExecContext(system(), statement)
			return err
		})
	}
	err := write(conflict)
	require.True(t, store.IsUnavailable(err), "%v", err)
	require.Equal(t, 1, countUsers(t, db))
	require.NoError(t, write("SELECT 1"))
	require.Equal(t, 2, countUsers(t, db))
}

// TestQueue_SeveralUsers_KeepTheirScopes checks the settings of row-level security, which each transaction sets itself
// behind a pooler in transaction mode.
func TestQueue_SeveralUsers_KeepTheirScopes(t *testing.T) {
	url := testdb.PostgresURL(t)
	alice, bob := createTwoUsers(t, url)
	for name, db := range map[string]*store.DB{
		"direct": openWithRLS(t, url),
		"pooler": openWithRLSAndCache(t, testdb.NewPooler(t, url).URL(), false),
	} {
		err := store.WithTx(system(), db.Client(), func(tx *ent.Tx) error {
			for _, u := range []*ent.User{alice, bob} {
				require.NoError(t, store.Queue(tx).Conversation.Update().SetTitle(u.Subject+name).Exec(asUser(u.ID)))
			}
			return nil
		})
		require.NoError(t, err)
		for _, u := range []*ent.User{alice, bob} {
			titles, err := db.Client().Conversation.Query().Select("title").Strings(asUser(u.ID))
			require.NoError(t, err)
			require.Equal(t, []string{u.Subject + name}, titles)
		}
		err = store.WithTx(system(), db.Client(), func(tx *ent.Tx) error {
			const change = "UPDATE conversations SET user_id = $1"
			_, err := store.Queue(tx).ExecContext(asUser(bob.ID), change, alice.ID)
			return err
		})
		require.ErrorContains(t, err, "42501", "%s: the owner cannot be changed", name)
	}
}
