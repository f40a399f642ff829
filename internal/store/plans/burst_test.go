package plans_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"errand/internal/run"
	"errand/internal/testdb"

	"github.com/stretchr/testify/require"
)

// burstStatements add 5,000 queued runs and 500 running ones to the finished ones of loadStatements, whose statistics
// know of 40 and 10. Each of 100 users has 50 conversations with a queued run, and 5 with a running one before a queued
// one.
var burstStatements = []string{
	`SET session_replication_role = replica`,

	`INSERT INTO runs (id, user_id, conversation_id, message_id, position, state, worker, lease_until)
	SELECT 'burst_' || u || '_' || c || '_' || p, 'user_' || u, 'conv_' || u || '_' || c,
		'burst_' || u || '_' || c || '_' || p,
		1000 + p, CASE WHEN p = 0 THEN 'RUNNING' ELSE 'QUEUED' END, CASE WHEN p = 0 THEN 'other' ELSE '' END,
		CASE WHEN p = 0 THEN 32503680000000 ELSE 0 END
	FROM generate_series(51, 150) u, generate_series(10, 59) c, generate_series(0, 1) p
	WHERE p = 1 OR c < 15`,
}

// TestPlans_ClaimInABurst_ReadsUnfinishedRunsOnce checks that the pages that a claim reads grow with the number of
// unfinished runs, not with its product with that of the running ones.
func TestPlans_ClaimInABurst_ReadsUnfinishedRunsOnce(t *testing.T) {
	owner := testdb.Postgres(t)
	loadData(t, owner, loadStatements...)
	loadData(t, owner, burstStatements...)
	client, sent := newRecordedClient(t, owner)
	db := openServed(t, owner)
	ctx := context.Background()
	engine, err := run.NewEngine(run.Options{
		Client: client, SQL: db.SQL(), Concurrency: 50, SweepInterval: time.Minute, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	require.NoError(t, engine.Start(ctx, func(ctx context.Context, _ run.Job) error {
		<-ctx.Done()
		return ctx.Err()
	}))
	sent.await("SKIP LOCKED")
	require.NoError(t, engine.Stop(ctx))
	for _, query := range sent.take(t, "SKIP LOCKED") {
		plan, text := explain(t, db, query)
		scans := slices.DeleteFunc(plan.on("runs"), func(n node) bool { return n.Index != "run_state_available_at" })
		require.Len(t, scans, 1, text)
		require.Equal(t, 1, scans[0].Loops, text)
		require.LessOrEqual(t, scans[0].Hit+scans[0].Read, 1000, text)
		require.LessOrEqual(t, plan.Hit+plan.Read, 10_000, text)
	}
}
