package store_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/task"
	"errand/internal/store"
	"errand/internal/testdb"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"
)

func TestQuery_ContextEndsOrStatementFails_ReturnsConnection(t *testing.T) {
	url := testdb.PostgresURL(t)
	alice, _ := createTwoUsers(t, url)
	client, db := asUser(alice.ID), openWithRLS(t, url)
	for range 3 { // more often than the pool has connections
		where := func(condition string) func(*entsql.Selector) {
			return func(s *entsql.Selector) { s.Where(entsql.ExprP(condition)) }
		}
		short, cancel := context.WithTimeout(client, 20*time.Millisecond)
		_, err := db.Client().Conversation.Query().Where(where("(SELECT pg_sleep(60)) IS NOT NULL")).All(short)
		cancel()
		require.ErrorIs(t, err, context.DeadlineExceeded)

		_, err = db.Client().Conversation.Query().Where(where("1 / length(title) = length(title) - 5")).All(client)
		require.NoError(t, err)
		_, err = db.Client().Conversation.Query().Where(where("1 / (length(title) - 5) = 0")).All(client)
		require.ErrorContains(t, err, "division by zero")
		_, err = db.Client().Conversation.Query().Where(where("no_such_column")).All(client)
		require.ErrorContains(t, err, "no_such_column")

		own, err := db.Client().Conversation.Query().Only(client)
		require.NoError(t, err)
		require.Equal(t, "alice", own.Title)
		require.Zero(t, db.PoolStats().InUse)
	}
}

// Statements in a transaction are read with database/sql.
func TestQuery_Entities_EqualThoseOfDatabaseSQL(t *testing.T) {
	url := testdb.PostgresURL(t)
	alice, _ := createTwoUsers(t, url)
	ctx, db := asUser(alice.ID), openWithRLS(t, url)
	at := time.Date(2026, 12, 24, 17, 30, 0, 123_456_000, time.UTC)
	create := db.Client().Task.Create
	require.NoError(t, create().SetNumber(1).SetTitle("only what is required").Exec(ctx))
	require.NoError(t, create().SetNumber(2).SetTitle("all 👋").SetDescription("text").SetPriority(enum.PriorityHigh).
		SetDueOn("2026-12-24").SetDueAt(at).SetCompletedAt(at).SetDeletedAt(at).SetLabels([]string{"a", "b"}).Exec(ctx))

	got, err := db.Client().Task.Query().Order(task.ByNumber()).All(ctx)
	require.NoError(t, err)
	require.Len(t, got, 2)
	require.Equal(t, []string{"a", "b"}, got[1].Labels)
	require.True(t, at.Equal(*got[1].DueAt), got[1].DueAt)
	require.Nil(t, got[0].DueAt)
	require.NoError(t, store.WithTx(ctx, db.Client(), func(tx *ent.Tx) error {
		want, err := tx.Task.Query().Order(task.ByNumber()).All(ctx)
		require.NoError(t, err)
		for i := range want {
			require.Equal(t, values(t, want[i]), values(t, got[i]))
		}
		return nil
	}))
}

// values returns the fields of an entity as JSON.
func values(t *testing.T, entity any) string {
	t.Helper()
	text, err := json.Marshal(entity)
	require.NoError(t, err)
	return string(text)
}
