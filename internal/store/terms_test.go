package store_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"errand/ent"
	"errand/internal/store"
	"errand/internal/testdb"
	"errand/internal/viewer"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func TestTermIndex_AddAndAddMissing_EachTermOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		user := addUser(t, db.Client(), "alice")
		ctx := viewer.NewContext(context.Background(), viewer.Viewer{UserID: user.ID})
		count := func(key int) (n int) {
			rows, err := db.Client().QueryContext(ctx,
				"SELECT count(*) FROM task_terms WHERE user_id = $1 AND task_number = $2", user.ID, key)
			require.NoError(t, err)
			defer func() { require.NoError(t, rows.Close()) }()
			require.True(t, rows.Next())
			require.NoError(t, rows.Scan(&n))
			return n
		}
		require.NoError(t, store.TaskTerms.Add(ctx, db.Client(), user.ID, 1, []string{"milk", "buy", "milk"}))
		require.Equal(t, 2, count(1))
		require.NoError(t, store.TaskTerms.AddMissing(ctx, db.Client(), user.ID, 1, []string{"oat", "milk"}))
		require.Equal(t, 3, count(1))
		require.NoError(t, store.TaskTerms.AddMissing(ctx, db.Client(), user.ID, 2, []string{"oat", "milk"}))
		require.Equal(t, 2, count(2))
		require.Error(t, store.TaskTerms.Add(ctx, db.Client(), user.ID, 1, []string{"eggs", "milk"}))
		require.Equal(t, 3, count(1))
	})
}

// A record of the write-ahead log for the row of a term, and one for each of its three indexes. A speculative insertion
// would write a fifth.
func TestTermIndex_Add_FourLogRecordsATerm(t *testing.T) {
	db, p := openRecorded(t)
	user := addUser(t, db.Client(), "alice")
	ctx := viewer.NewContext(context.Background(), viewer.Viewer{UserID: user.ID})
	require.NoError(t, store.TaskTerms.Add(ctx, db.Client(), user.ID, 1, []string{"milk"})) // the pages exist
	p.Take()
	const terms = 20
	var words []string
	for i := range terms {
		words = append(words, "word"+string(rune('a'+i)))
	}
	require.NoError(t, store.WithTx(ctx, db.Client(), func(tx *ent.Tx) error {
		return store.TaskTerms.Add(ctx, store.Queue(tx), user.ID, 2, words)
	}))
	trips := p.Take()
	require.Len(t, trips, 1)
	var insert string
	for _, statement := range trips[0] {
		if strings.HasPrefix(statement, "INSERT INTO task_terms") {
			insert = statement
		}
	}

	conn, err := pgx.ConnectConfig(ctx, db.PostgresConfig())
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(ctx)) }()
	list, err := json.Marshal(words)
	require.NoError(t, err)
	var text string
	explain := "EXPLAIN (ANALYZE, WAL, FORMAT JSON) " + insert
	require.NoError(t, conn.QueryRow(ctx, explain, user.ID, int64(3), string(list)).Scan(&text), explain)
	var plans []struct {
		Plan struct {
			Records int `json:"WAL Records"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(text), &plans))
	t.Logf("%d records of %d terms", plans[0].Plan.Records, terms)
	// The records of the sequence of the rows' IDs, and the split of a page, are not of each term.
	require.InDelta(t, 4*terms, plans[0].Plan.Records, 5)
}
