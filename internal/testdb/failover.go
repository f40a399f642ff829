package testdb

import (
	"context"
	"testing"
	"time"

	"errand/internal/testdb/cluster"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// Pair is a PostgreSQL primary with a standby, which hold one migrated database.
type Pair struct {
	Primary, Standby *cluster.Cluster
	// URL names both servers.
	URL string
}

const pairDatabase = "errand_pair"

// NewPair starts a primary and a standby, which end with the test.
func NewPair(t testing.TB) *Pair {
	t.Helper()
	ctx := context.Background()
	primary, err := cluster.NewPrimary(ctx)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, primary.Close()) })
	require.NoError(t, execAdmin(primary, "CREATE DATABASE "+pairDatabase))
	require.NoError(t, migrate(ctx, primary.URL(pairDatabase)))
	standby, err := primary.NewStandby(ctx)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, standby.Close()) })
	return &Pair{Primary: primary, Standby: standby, URL: cluster.FailoverURL(pairDatabase, primary, standby)}
}

// PrimaryURL returns the URL of the database on the first primary only.
func (p *Pair) PrimaryURL() string { return p.Primary.URL(pairDatabase) }

// StandbyURL returns the URL of the database on the first standby only.
func (p *Pair) StandbyURL() string { return p.Standby.URL(pairDatabase) }

// Demote makes the primary read-only for all transactions that begin from now on. Its connections stay open.
func (p *Pair) Demote(t testing.TB) {
	t.Helper()
	require.NoError(t, execAdmin(p.Primary, "ALTER SYSTEM SET default_transaction_read_only = on"))
	require.NoError(t, execAdmin(p.Primary, "SELECT pg_reload_conf()"))
}

// AwaitStandby waits until the standby has every change of the primary.
func (p *Pair) AwaitStandby(t testing.TB) {
	t.Helper()
	var lsn string
	queryOne(t, p.PrimaryURL(), &lsn, "SELECT pg_current_wal_flush_lsn()::text")
	require.Eventually(t, func() bool {
		var applied bool
		queryOne(t, p.StandbyURL(), &applied, "SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn", lsn)
		return applied
	}, time.Minute, 5*time.Millisecond)
}

// Promote makes the standby the primary.
func (p *Pair) Promote(t testing.TB) {
	t.Helper()
	require.NoError(t, p.Standby.Promote(context.Background()))
}

func queryOne(t testing.TB, url string, into any, query string, args ...any) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	require.NoError(t, err)
	defer conn.Close(ctx)
	require.NoError(t, conn.QueryRow(ctx, query, args...).Scan(into))
}
