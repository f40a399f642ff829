package store_test

import (
	"context"
	"testing"
	"time"

	"errand/ent"
	"errand/ent/rule"
	"errand/internal/store"
	"errand/internal/testdb"

	"entgo.io/ent/dialect"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// system returns a context that passes all privacy policies: these tests are about the database.
func system() context.Context { return rule.System(context.Background()) }

func addUser(t *testing.T, client *ent.Client, subject string) *ent.User {
	t.Helper()
	u, err := client.User.Create().SetSubject(subject).Save(system())
	require.NoError(t, err)
	return u
}

func TestOpen_OtherDatabase_FailsWithoutQuotingTheURL(t *testing.T) {
	for _, url := range []string{"", "mysql://root:secret-word@h/db", "errand.db", "secret-word"} {
		_, err := store.Open(context.Background(), store.Options{URL: url})
		require.ErrorContains(t, err, "sqlite: or postgres://")
		require.NotContains(t, err.Error(), "secret-word")
	}
}

func TestClient_RawStatements_RunOnEitherPool(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		u := addUser(t, db.Client(), "alice")
		for _, query := range []string{
			"UPDATE users SET last_change = last_change + 1 WHERE id = $1 RETURNING last_change",
			"WITH found AS (SELECT id FROM users WHERE id = $1) UPDATE users SET last_change = last_change + 1" +
				" WHERE id IN (SELECT id FROM found) RETURNING last_change",
			"WITH found AS (SELECT last_change FROM users WHERE id = $1) SELECT last_change FROM found",
			" \n(SELECT last_change FROM users WHERE id = $1)",
		} {
			if db.Dialect() == dialect.SQLite && query[0] == ' ' {
				query = query[3 : len(query)-1] // SQLite does not accept a parenthesized SELECT
			}
			rows, err := db.Client().QueryContext(system(), query, u.ID)
			require.NoError(t, err, query)
			require.True(t, rows.Next(), query)
			require.NoError(t, rows.Close())
		}
		result, err := db.Client().ExecContext(system(), "DELETE FROM users WHERE id = $1", u.ID)
		require.NoError(t, err)
		n, err := result.RowsAffected()
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
	})
}

func TestClient_Times_ReadAsUTCWithMicroseconds(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		when := time.Date(2026, 11, 22, 11, 35, 0, 120_000, time.FixedZone("", 3600))
		u, err := db.Client().User.Create().SetSubject("alice").SetCreatedAt(when).Save(system())
		require.NoError(t, err)
		got, err := db.Client().User.Get(system(), u.ID)
		require.NoError(t, err)
		require.Equal(t, when.UTC().Format(time.RFC3339Nano), got.CreatedAt.Format(time.RFC3339Nano))
	})
}

func TestClient_UniqueViolation_IsConstraintError(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		addUser(t, db.Client(), "alice")
		err := db.Client().User.Create().SetSubject("alice").Exec(system())
		require.True(t, ent.IsConstraintError(err), "%v", err)
		require.False(t, store.IsUnavailable(err))
	})
}

func TestClient_ForeignKeys_AreEnforcedAndCascade(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		err := db.Client().Conversation.Create().SetUserID("user_missing").Exec(system())
		require.True(t, ent.IsConstraintError(err), "%v", err)
		u := addUser(t, db.Client(), "alice")
		require.NoError(t, db.Client().Conversation.Create().SetUserID(u.ID).Exec(system()))
		require.NoError(t, db.Client().User.DeleteOneID(u.ID).Exec(system()))
		n, err := db.Client().Conversation.Query().Count(system())
		require.NoError(t, err)
		require.Zero(t, n)
	})
}

func TestPoolStats_OpenTransaction_IsInUse(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		require.NoError(t, db.Ping(context.Background()))
		p := db.PoolStats()
		require.Positive(t, p.Max)
		require.Positive(t, p.Open)
		require.Zero(t, p.InUse)
		tx, err := db.Client().Tx(system())
		require.NoError(t, err)
		require.Equal(t, 1, db.PoolStats().InUse)
		require.NoError(t, tx.Rollback())
		require.NoError(t, db.Close())
		require.Error(t, db.Ping(context.Background()))
	})
}
