// Package store opens the database, SQLite or PostgreSQL, and hands out the Ent
// client over pools that fit the engine. It also brings the schema up to date.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"errand/ent"

	"github.com/jackc/pgx/v5"

	_ "errand/ent/runtime" // Without it Ent knows no policies and refuses everything.
)

// DefaultStartupTimeout is how long Open waits for a PostgreSQL server that does not answer yet.
const DefaultStartupTimeout = 30 * time.Second

// Options say which database to open and how.
type Options struct {
	// URL is sqlite:PATH, postgres://… or postgresql://…; it may hold a password.
	URL string
	// MaxConns bounds the PostgreSQL pool; 0 means four per core. SQLite's pools are fixed.
	MaxConns int
	// StatementCache keeps prepared statements on each PostgreSQL connection. Switch it
	// off behind a pooler in transaction mode, where a connection changes servers between transactions.
	StatementCache bool
	// Logger is told of retries and migrations; nil means slog.Default().
	Logger *slog.Logger
	// RLS is PostgreSQL's own wall between people; none by default.
	RLS RLSMode
	// StartupTimeout is how long to wait for PostgreSQL; 0 means DefaultStartupTimeout, negative a single try.
	StartupTimeout time.Duration
}

// DB is an open database.
type DB struct {
	client  *ent.Client
	dialect string
	main    *sql.DB // may write; SQLite's writer
	// pools are all of them, in the order in which they close.
	pools    []*sql.DB
	ping     func(context.Context) error
	postgres *pgx.ConnConfig // nil on SQLite
	file     string          // absolute path of the SQLite file, "" on PostgreSQL
	log      *slog.Logger

	rowSecurity RLSMode
	wall        *wall // nil on SQLite, and where row security is not wanted
}

// Open opens the database and waits until it answers. It neither creates nor
// changes tables: see EnsureSchema. Errors never hold the URL's password.
func Open(ctx context.Context, o Options) (*DB, error) {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.StartupTimeout == 0 {
		o.StartupTimeout = DefaultStartupTimeout
	}
	scheme, rest, _ := strings.Cut(o.URL, ":")
	switch strings.ToLower(scheme) {
	case "sqlite":
		return openSQLite(ctx, strings.TrimPrefix(rest, "//"), o)
	case "postgres", "postgresql":
		return openPostgres(ctx, o)
	default:
		return nil, errors.New("the database URL must begin with sqlite: or postgres://")
	}
}

// Client is the root Ent client. Its queries read committed rows, and on SQLite
// run beside the one writer.
func (db *DB) Client() *ent.Client { return db.client }

// Dialect is dialect.SQLite or dialect.Postgres.
func (db *DB) Dialect() string { return db.dialect }

// Ping fails when the database does not answer.
func (db *DB) Ping(ctx context.Context) error { return db.ping(ctx) }

// PostgresConfig is a copy of the connection settings, for a connection of one's
// own outside the pool; nil on SQLite. It holds the password.
func (db *DB) PostgresConfig() *pgx.ConnConfig {
	if db.postgres == nil {
		return nil
	}
	return db.postgres.Copy()
}

// Close closes all pools; statements under way end first.
func (db *DB) Close() error {
	var errs []error
	for _, pool := range db.pools {
		errs = append(errs, pool.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("closing the database: %w", err)
	}
	return nil
}
