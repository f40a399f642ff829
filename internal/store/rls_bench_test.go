package store_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"errand/ent"
	"errand/ent/task"
	"errand/internal/store"
	"errand/internal/testdb"
	"errand/internal/viewer"

	"entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"
)

const (
	benchUsers   = 50
	benchTasks   = 200 // of each user
	benchWorkers = 8
)

// BenchmarkRLS measures the relative throughput under row-level security: the same work on the same rows, with and
// without, in alternating rounds so that other load affects both.
//
//	go test ./internal/store -run '^$' -bench RLS -benchtime 8000x
func BenchmarkRLS(b *testing.B) {
	url := testdb.PostgresURL(b)
	users := populate(b, url)
	open := func(mode store.RLSMode) *ent.Client {
		db, err := store.Open(context.Background(), store.Options{
			URL: url, StatementCache: true, RLS: mode, StartupTimeout: -1, MaxConns: benchWorkers,
		})
		require.NoError(b, err)
		b.Cleanup(func() { require.NoError(b, db.Close()) })
		return db.Client()
	}
	without, with := open(store.RLSOff), open(store.RLSOn)
	for _, work := range []struct {
		name string
		do   func(ctx context.Context, c *ent.Client) error
	}{{"page of 20", readPage}, {"one row", readOne}, {"transaction of 3", writeThree}} {
		b.Run(work.name, func(b *testing.B) {
			const round = 200
			var withTimes, withoutTimes []time.Duration
			for done := 0; done < b.N; done += round {
				withoutTimes = append(withoutTimes, runConcurrently(b, without, users, work.do, round))
				withTimes = append(withTimes, runConcurrently(b, with, users, work.do, round))
			}
			// The fastest rounds are those with the least other load.
			b.ReportMetric(slices.Min(withoutTimes).Seconds()/slices.Min(withTimes).Seconds(), "of-plain-throughput")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// populate creates users with tasks.
func populate(b *testing.B, url string) (ids []string) {
	b.Helper()
	client := testdb.Open(b, url).Client()
	for p := range benchUsers {
		u, err := client.User.Create().SetSubject(fmt.Sprint("user ", p)).Save(system())
		require.NoError(b, err)
		ids = append(ids, u.ID)
		batch := make([]*ent.TaskCreate, benchTasks)
		for i := range batch {
			batch[i] = client.Task.Create().
				SetUserID(u.ID).
				SetNumber(i + 1).
				SetTitle("Something to do").
				SetDescription("A description of typical length.")
		}
		require.NoError(b, client.Task.CreateBulk(batch...).Exec(system()))
	}
	_, err := client.ExecContext(system(), "ANALYZE")
	require.NoError(b, err)
	return ids
}

// runConcurrently runs do n times on several workers, for a different user each time.
func runConcurrently(
	b *testing.B,
	c *ent.Client,
	users []string,
	do func(context.Context, *ent.Client) error,
	n int,
) time.Duration {
	b.Helper()
	var all sync.WaitGroup
	errs := make(chan error, n)
	started := time.Now()
	for w := range benchWorkers {
		all.Go(func() {
			for i := w; i < n; i += benchWorkers {
				ctx := viewer.NewContext(context.Background(), viewer.Viewer{UserID: users[i%len(users)]})
				if err := do(ctx, c); err != nil {
					errs <- err
				}
			}
		})
	}
	all.Wait()
	took := time.Since(started)
	select {
	case err := <-errs:
		require.NoError(b, err)
	default:
	}
	return took
}

func readPage(ctx context.Context, c *ent.Client) error {
	found, err := c.Task.Query().Where(task.DeletedAtIsNil()).Order(task.ByNumber(sql.OrderDesc())).Limit(20).All(ctx)
	if err == nil && len(found) != 20 {
		err = fmt.Errorf("%d rows", len(found))
	}
	return err
}

func readOne(ctx context.Context, c *ent.Client) error {
	_, err := c.Task.Query().Where(task.Number(7)).Only(ctx)
	return err
}

func writeThree(ctx context.Context, c *ent.Client) error {
	return store.WithTx(ctx, c, func(tx *ent.Tx) error {
		t, err := tx.Task.Query().Where(task.Number(7)).Only(ctx)
		if err != nil {
			return err
		}
		if err := tx.Task.Update().Where(task.ID(t.ID)).AddVersion(1).Exec(ctx); err != nil {
			return err
		}
		return tx.User.Update().AddLastChange(1).Exec(ctx)
	})
}
