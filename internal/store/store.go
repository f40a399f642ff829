// Package store opens the database, SQLite or PostgreSQL, and provides the Ent client over connection pools
// that suit the engine. It migrates the schema, enables PostgreSQL's row-level security, and holds all SQL
// in which the engines differ: other packages do not branch on the dialect.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"errand/ent"
	"errand/internal/dburl"

	"github.com/jackc/pgx/v5"

	_ "errand/ent/runtime" // registers the entities' privacy policies, without which Ent denies everything
)

// defaultStartupTimeout is how long Open waits for a PostgreSQL server that does not accept connections yet.
const defaultStartupTimeout = 30 * time.Second

// Options configure Open.
type Options struct {
	// URL is sqlite:PATH or postgres://…, in any form that package dburl knows; it may contain a password.
	URL string
	// DirectURL is a URL of the same PostgreSQL database that does not lead through a pooler, "" for URL. Migrations
	// and the connections of PostgresConfig use it.
	DirectURL string
	// MaxConns is the size of the PostgreSQL pool; 0 means what the URL requests, or four per core. SQLite's pools
	// are fixed.
	MaxConns int
	// StatementCache keeps prepared statements on each PostgreSQL connection. It must be off behind a pooler in
	// transaction mode, where a connection changes servers between transactions.
	StatementCache bool
	// Logger receives connection retries and migrations; nil means slog.Default().
	Logger *slog.Logger
	// RLS is the mode of PostgreSQL's row-level security; "" does not set the scope on connections at all.
	RLS RLSMode
	// StartupTimeout is how long to wait for PostgreSQL; 0 means defaultStartupTimeout, negative a single attempt.
	StartupTimeout time.Duration
}

// DB is an open database. It is safe for concurrent use.
type DB struct {
	client   *ent.Client
	dialect  string
	writer   *sql.DB   // the PostgreSQL pool, or SQLite's writer
	pools    []*sql.DB // all pools, in the order in which they close
	ping     func(context.Context) error
	postgres *pgx.ConnConfig // for connections outside the pool; nil on SQLite
	primary  *primary        // nil on SQLite
	pooled   bool            // connections outside the pool lead through a pooler in transaction mode
	file     string          // absolute path of the SQLite file without symbolic links, "" on PostgreSQL
	fileInfo os.FileInfo     // the SQLite file as it was opened
	lock     *serverLock     // the server lock of the SQLite file; nil while this DB does not hold it
	log      *slog.Logger
	faults   chan struct{} // see Faults; capacity 1

	rlsMode RLSMode
	rls     *rlsState // nil on SQLite, and with an empty mode
}

// Open opens the database and waits until it accepts connections. It neither creates nor changes tables: see
// EnsureSchema. Errors never contain the URL's password.
func Open(ctx context.Context, o Options) (*DB, error) {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.StartupTimeout == 0 {
		o.StartupTimeout = defaultStartupTimeout
	}
	u, err := dburl.Parse(o.URL)
	if err != nil {
		return nil, fmt.Errorf("the database URL %w", err)
	}
	if u.SQLitePath != "" {
		return openSQLite(ctx, u.SQLitePath, o)
	}
	return openPostgres(ctx, u, o)
}

// Client returns the root Ent client. Its queries read committed rows; on SQLite they run concurrently with the writer.
func (db *DB) Client() *ent.Client { return db.client }

// Dialect returns dialect.SQLite or dialect.Postgres.
func (db *DB) Dialect() string { return db.dialect }

// Ping returns an error when the database does not respond.
func (db *DB) Ping(ctx context.Context) error { return db.ping(ctx) }

// Now returns the time of the database's clock.
func (db *DB) Now(ctx context.Context) (time.Time, error) {
	var ms int64
	if err := db.writer.QueryRowContext(ctx, "SELECT "+db.SQL().Now).Scan(&ms); err != nil {
		return time.Time{}, fmt.Errorf("reading the database's clock: %w", err)
	}
	return time.UnixMilli(ms), nil
}

// PostgresConfig returns a copy of the connection settings for a connection outside the pool and without a pooler, or
// nil on SQLite. It contains the password.
func (db *DB) PostgresConfig() *pgx.ConnConfig {
	if db.postgres == nil {
		return nil
	}
	return db.postgres.Copy()
}

// Close closes all pools. It waits for statements in progress.
func (db *DB) Close() error {
	var errs []error
	for _, pool := range db.pools {
		errs = append(errs, pool.Close())
	}
	errs = append(errs, db.lock.release()) // last: the next server starts with no writer left
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("closing the database: %w", err)
	}
	return nil
}

// PoolStats is the state of the connection pools, SQLite's two added together.
type PoolStats struct {
	// Open, InUse and Idle are the current numbers of connections; Max is the limit of Open.
	Open  int `json:"open"`
	InUse int `json:"in_use"`
	Idle  int `json:"idle"`
	Max   int `json:"max"`
	// WaitCount is how often callers have waited for a connection since start, and WaitMS how long in
	// total, in milliseconds.
	WaitCount int64 `json:"wait_count"`
	WaitMS    int64 `json:"wait_ms"`
}

// PoolStats returns the state of the connection pools.
func (db *DB) PoolStats() PoolStats {
	var p PoolStats
	var waited time.Duration
	for _, pool := range db.pools {
		s := pool.Stats()
		p.Open += s.OpenConnections
		p.InUse += s.InUse
		p.Idle += s.Idle
		p.Max += s.MaxOpenConnections
		p.WaitCount += s.WaitCount
		waited += s.WaitDuration
	}
	p.WaitMS = waited.Milliseconds()
	return p
}

// ByID returns the rows of a query keyed by ID. It takes the query's results directly:
//
//	store.ByID(client.Task.Query().Where(task.IDIn(ids...)).All(ctx))
//
// IDs without a row have no entry. An error is wrapped with the type of the rows.
func ByID[T interface{ NodeID() string }](rows []T, err error) (map[string]T, error) {
	if err != nil {
		var row T
		return nil, fmt.Errorf("reading %T rows by id: %w", row, err)
	}
	byID := make(map[string]T, len(rows))
	for _, row := range rows {
		byID[row.NodeID()] = row
	}
	return byID, nil
}
