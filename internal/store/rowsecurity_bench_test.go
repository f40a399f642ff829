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
	benchPeople  = 50
	benchTasks   = 200 // of each
	benchWorkers = 8
)

// BenchmarkRowSecurity says which part of its throughput a database keeps behind row security: the
// same work on the same rows, with and without, in turns so that the machine's moods fall on both.
//
//	go test ./internal/store -run '^$' -bench RowSecurity -benchtime 8000x
func BenchmarkRowSecurity(b *testing.B) {
	url := testdb.PostgresURL(b)
	people := populate(b, url)
	open := func(mode store.RLSMode) *ent.Client {
		db, err := store.Open(context.Background(), store.Options{
			URL: url, StatementCache: true, RLS: mode, StartupTimeout: -1, MaxConns: benchWorkers,
		})
		require.NoError(b, err)
		b.Cleanup(func() { require.NoError(b, db.Close()) })
		return db.Client()
	}
	plain, guarded := open(store.RLSOff), open(store.RLSOn)
	for _, work := range []struct {
		name string
		do   func(ctx context.Context, c *ent.Client) error
	}{{"page of 20", readPage}, {"one row", readOne}, {"transaction of 3", writeThree}} {
		b.Run(work.name, func(b *testing.B) {
			const turn = 200
			var with, without []time.Duration
			for done := 0; done < b.N; done += turn {
				without = append(without, together(b, plain, people, work.do, turn))
				with = append(with, together(b, guarded, people, work.do, turn))
			}
			// The quickest turns are those that nothing else disturbed.
			b.ReportMetric(slices.Min(without).Seconds()/slices.Min(with).Seconds(), "of-plain-throughput")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// populate makes people with tasks.
func populate(b *testing.B, url string) (ids []string) {
	b.Helper()
	client := testdb.Open(b, url).Client()
	for p := range benchPeople {
		u, err := client.User.Create().SetSubject(fmt.Sprint("person ", p)).Save(system())
		require.NoError(b, err)
		ids = append(ids, u.ID)
		batch := make([]*ent.TaskCreate, benchTasks)
		for i := range batch {
			batch[i] = client.Task.Create().
				SetUserID(u.ID).
				SetNumber(i + 1).
				SetTitle("Something to do").
				SetDescription("At some length, as people write.")
		}
		require.NoError(b, client.Task.CreateBulk(batch...).Exec(system()))
	}
	_, err := client.ExecContext(system(), "ANALYZE")
	require.NoError(b, err)
	return ids
}

// together does the work n times by several workers, each time for another person.
func together(
	b *testing.B,
	c *ent.Client,
	people []string,
	do func(context.Context, *ent.Client) error,
	n int,
) time.Duration {
	b.Helper()
	var all sync.WaitGroup
	faults := make(chan error, n)
	started := time.Now()
	for w := range benchWorkers {
		all.Go(func() {
			for i := w; i < n; i += benchWorkers {
				ctx := viewer.NewContext(context.Background(), viewer.Viewer{UserID: people[i%len(people)]})
				if err := do(ctx, c); err != nil {
					faults <- err
				}
			}
		})
	}
	all.Wait()
	took := time.Since(started)
	select {
	case err := <-faults:
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
