package store_test

import (
	"context"
	"testing"
	"time"

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
