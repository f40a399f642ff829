package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime"
	"strings"
	"time"

	"errand/ent"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/cenkalti/backoff/v5"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	connMaxLifetime = time.Hour
	// connectTimeout bounds one connection attempt when the URL has no connect_timeout.
	connectTimeout = 5 * time.Second
	// minConnectDelay and maxConnectDelay bound the exponential backoff between attempts.
	minConnectDelay = 100 * time.Millisecond
	maxConnectDelay = 2 * time.Second
)

// openPostgres opens a pool that keeps all its connections: PostgreSQL forks a process for each new one, so
// closing idle ones (database/sql keeps two by default) would cost most of the throughput.
func openPostgres(ctx context.Context, o Options) (*DB, error) {
	config, err := postgresConfig(o)
	if err != nil {
		return nil, err
	}
	rls := &rlsState{transactionPooling: !o.StatementCache}
	// pgx checks connections that were idle for more than a second before use.
	pool := sql.OpenDB(rlsConnector{stdlib.GetConnector(*config, stdlib.OptionAfterConnect(readTimesAsUTC)), rls})
	size := o.MaxConns
	if size <= 0 {
		size = 4 * runtime.GOMAXPROCS(0)
	}
	pool.SetMaxOpenConns(size)
	pool.SetMaxIdleConns(size)
	pool.SetConnMaxLifetime(connMaxLifetime)
	if err := awaitPostgres(ctx, pool, config, o); err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	db := &DB{
		client:   ent.NewClient(ent.Driver(entsql.OpenDB(dialect.Postgres, pool))),
		dialect:  dialect.Postgres,
		writer:   pool,
		pools:    []*sql.DB{pool},
		ping:     pool.PingContext,
		postgres: config,
		log:      o.Logger,
		rlsMode:  o.RLS,
	}
	if o.RLS != "" {
		db.rls = rls
	}
	if err := db.enableRLS(ctx); err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return db, nil
}

// postgresConfig parses the URL with all its options, TLS among them, and sets defaults.
func postgresConfig(o Options) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(o.URL)
	if err != nil {
		// The parser's error may quote the URL with its password, so it is not wrapped.
		return nil, errors.New("the database URL is not a valid PostgreSQL URL: " +
			"check its options, and that special characters in user and password are percent-encoded")
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	// pool_… options configure pgxpool; the server would reject them as unknown parameters.
	maps.DeleteFunc(config.RuntimeParams, func(name, _ string) bool { return strings.HasPrefix(name, "pool_") })
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "errand"
	}
	if !o.StatementCache {
		// Unnamed statements, so that nothing on the server has to outlive a transaction.
		config.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	}
	return config, nil
}

// readTimesAsUTC makes timestamptz values scan as UTC, as on SQLite.
func readTimesAsUTC(_ context.Context, conn *pgx.Conn) error {
	conn.TypeMap().RegisterType(&pgtype.Type{
		Name: "timestamptz", OID: pgtype.TimestamptzOID,
		Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
	})
	return nil
}

// awaitPostgres connects, and retries until the server accepts the connection, rejects it permanently, or
// o.StartupTimeout has passed.
func awaitPostgres(ctx context.Context, pool *sql.DB, config *pgx.ConnConfig, o Options) error {
	attempts := 0
	connect := func() (struct{}, error) {
		attempts++
		err := pool.PingContext(ctx)
		if isPermanentConnectError(err) {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}
	options := []backoff.RetryOption{
		backoff.WithBackOff(&backoff.ExponentialBackOff{
			InitialInterval: minConnectDelay,
			MaxInterval:     maxConnectDelay,
			Multiplier:      2,
		}),
		backoff.WithMaxElapsedTime(o.StartupTimeout),
		backoff.WithNotify(func(err error, _ time.Duration) {
			if attempts == 1 {
				o.Logger.WarnContext(ctx, "waiting for PostgreSQL", slog.String("host", config.Host),
					slog.Duration("for", o.StartupTimeout), slog.Any("error", err))
			}
		}),
	}
	if o.StartupTimeout < 0 {
		options = append(options, backoff.WithMaxTries(1))
	}
	if _, err := backoff.Retry(ctx, connect, options...); err != nil {
		return fmt.Errorf("cannot use the PostgreSQL database %q at %s:%d as %q (attempts: %d): %w",
			config.Database, config.Host, config.Port, config.User, attempts, err)
	}
	return nil
}

// isPermanentConnectError reports whether the server has rejected the connection for good: the role or its
// password (class 28), or the database name.
func isPermanentConnectError(err error) bool {
	var response *pgconn.PgError
	if !errors.As(err, &response) {
		return false
	}
	const invalidCatalogName = "3D000"
	return strings.HasPrefix(response.Code, "28") || response.Code == invalidCatalogName
}
