package integration

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"errand/ent/idempotencykey"
	"errand/ent/rule"
	"errand/internal/idempotency"
	"errand/internal/testclient"
	"errand/internal/viewer"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// creations are the documents of the mutations with an idempotency key, by name.
var creations = map[string]string{
	"createTask": `mutation ($in: CreateTaskInput!) { r: createTask(input: $in) { o: task { id title } } }`,
	"createConversation": `mutation ($in: CreateConversationInput!) {
		r: createConversation(input: $in) { o: conversation { id title } } }`,
}

type creation struct {
	R struct{ O struct{ ID, Title string } }
}

// TestIdempotencyKey_Retry_ReturnsSameObject repeats requests, also concurrently.
func TestIdempotencyKey_Retry_ReturnsSameObject(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c, other := b.Client(t, "alice"), b.Client(t, "bob")
		for name, document := range creations {
			in := func(title, key string) testclient.Vars {
				return testclient.Vars{"in": testclient.Vars{"title": title, "idempotencyKey": key}}
			}
			first := testclient.Run[creation](t, c, document, in("Milk", "k"))
			require.Equal(t, first, testclient.Run[creation](t, c, document, in(" Milk ", "k")), "the same after trimming")
			harness.RequireErrorCode(t, "CONFLICT", c.Try(t, document, in("Eggs", "k")))
			require.NotEqual(t, first, testclient.Run[creation](t, c, document, in("Milk", "K")), "another key")
			require.NotEqual(t, first, testclient.Run[creation](t, other, document, in("Milk", "k")), "another user")
			harness.RequireErrorCode(t, "BAD_USER_INPUT idempotencyKey", c.Try(t, document, in("Milk", "")))
			harness.RequireErrorCode(t, "BAD_USER_INPUT idempotencyKey", c.Try(t, document, in("Milk", "a\x00b")))
			harness.RequireErrorCode(t, "BAD_USER_INPUT idempotencyKey", c.Try(t, document, in("Milk", fmt.Sprintf("%256d", 1))))

			var group sync.WaitGroup
			results := make([]creation, 8)
			for i := range results {
				group.Go(func() { results[i] = testclient.Run[creation](t, c, document, in("Bread", "same")) })
			}
			group.Wait()
			for _, r := range results {
				require.Equal(t, results[0], r, name)
			}
		}
		require.Equal(t, []string{"Milk", "Milk", "Bread"}, harness.Titles(harness.AllTasks(t, c)))
	})
}

// TestIdempotencyKey_FailedRequest_LeavesKeyUnused retries a request that failed, with a corrected input.
func TestIdempotencyKey_FailedRequest_LeavesKeyUnused(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		harness.RequireErrorCode(t, "BAD_USER_INPUT title", c.Try(t, creations["createTask"],
			testclient.Vars{"in": testclient.Vars{"title": "", "idempotencyKey": "k"}}))
		created := harness.CreateTask(t, c, testclient.Vars{"title": "Milk", "idempotencyKey": "k"})
		harness.ChangeTask(t, c, "deleteTask", created.ID)
		again := harness.CreateTask(t, c, testclient.Vars{"title": "Milk", "idempotencyKey": "k"})
		require.Equal(t, created.ID, again.ID, "the task in its present state, in the trash")
		require.Empty(t, harness.AllTasks(t, c))
	})
}

// TestIdempotencyKey_AfterRetention_IsFree makes keys older. They no longer have an effect, and are purged as their
// user.
func TestIdempotencyKey_AfterRetention_IsFree(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c, ctx := b.Client(t, "alice"), rule.System(context.Background())
		id := harness.ViewerID(t, c)
		create := func(key string) string {
			return harness.CreateTask(t, c, testclient.Vars{"title": "Milk", "idempotencyKey": key}).ID
		}
		old, recent := create("old"), create("recent")
		for range 250 {
			key := fmt.Sprint("purged ", b.Count(t, "SELECT count(*) FROM idempotency_keys"))
			b.SystemClient(t).IdempotencyKey.Create().SetUserID(id).SetOperation("createTask").SetIdempotencyKey(key).
				SetRequestHash("x").SetCreatedAt(time.Now().Add(-idempotency.Retention - time.Hour)).ExecX(ctx)
		}
		age := func(key string, by time.Duration) {
			row := b.SystemClient(t).IdempotencyKey.Query().Where(idempotencykey.IdempotencyKey(key)).OnlyX(ctx)
			b.SystemClient(t).IdempotencyKey.Delete().Where(idempotencykey.ID(row.ID)).ExecX(ctx)
			b.SystemClient(t).IdempotencyKey.Create().SetUserID(id).SetOperation(row.Operation).SetIdempotencyKey(key).
				SetRequestHash(row.RequestHash).SetResultIds(row.ResultIds).SetCreatedAt(row.CreatedAt.Add(-by)).ExecX(ctx)
		}
		age("old", idempotency.Retention)
		age("recent", idempotency.Retention-time.Minute)
		require.Equal(t, recent, create("recent"))
		require.NotEqual(t, old, create("old"))

		require.NoError(t, idempotency.Purge(viewer.NewContext(t.Context(), viewer.Viewer{UserID: id}), b.DB.Client()))
		require.Equal(t, 2, b.Count(t, "SELECT count(*) FROM idempotency_keys"))
		require.Equal(t, recent, create("recent"))
		require.Error(t, idempotency.Purge(t.Context(), b.DB.Client()), "without a user")
	})
}

// TestIdempotencyKey_MoreThanLimit_OldestAreEvicted has 10,000 unexpired keys beside a new one.
func TestIdempotencyKey_MoreThanLimit_OldestAreEvicted(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		id := harness.ViewerID(t, c)
		yesterday := time.Now().UTC().AddDate(0, 0, -1).Format("2006-01-02 15:04:05")
		_, err := b.SystemClient(t).ExecContext(rule.System(t.Context()), `
			WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < 10000)
			INSERT INTO idempotency_keys (id, operation, idempotency_key, request_hash, result_ids, created_at, user_id)
			SELECT 'idem_' || n, 'createTask', 'key ' || n, 'x', '[]', '`+yesterday+`+00:00', '`+id+`' FROM g`)
		require.NoError(t, err)
		created := harness.CreateTask(t, c, testclient.Vars{"title": "Milk", "idempotencyKey": "new"})
		require.NoError(t, idempotency.Purge(viewer.NewContext(t.Context(), viewer.Viewer{UserID: id}), b.DB.Client()))
		kept := b.Count(t, "SELECT count(*) FROM idempotency_keys")
		require.LessOrEqual(t, kept, 10_000)
		require.Positive(t, kept)
		again := harness.CreateTask(t, c, testclient.Vars{"title": "Milk", "idempotencyKey": "new"})
		require.Equal(t, created.ID, again.ID, "the newest key is kept")
	})
}
