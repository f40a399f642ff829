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
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	connMaxLifetime = time.Hour
	// connectTimeout bounds one attempt when the URL names no connect_timeout.
	connectTimeout = 5 * time.Second
	firstBackoff   = 100 * time.Millisecond
	maxBackoff     = 2 * time.Second
)

// openPostgres opens a pool that keeps its connections: a server process is
// forked for each new one, so closing idle ones (Go keeps two) costs most of the throughput.
func openPostgres(ctx context.Context, o Options) (*DB, error) {
	config, err := postgresConfig(o)
	if err != nil {
		return nil, err
	}
	// Connections idle for more than a second are checked before use.
	guard := &wall{pooled: !o.StatementCache}
	pool := sql.OpenDB(guardedConnector{stdlib.GetConnector(*config, stdlib.OptionAfterConnect(readTimesAsUTC)), guard})
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
		main:     pool,
		pools:    []*sql.DB{pool},
		ping:     pool.PingContext,
		postgres: config,
		log:      o.Logger,

		rowSecurity: o.RLS,
	}
	if o.RLS != "" {
		db.wall = guard
	}
	if err := db.raiseWall(ctx); err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return db, nil
}

// postgresConfig keeps everything the URL says, TLS options among them.
func postgresConfig(o Options) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(o.URL)
	if err != nil {
		// The parser's own words may quote the URL, password included.
		return nil, errors.New("the database URL is not a valid PostgreSQL URL: " +
			"check its options, and that special characters in user and password are percent-encoded")
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	// Settings of other clients' pools, which a server would refuse as unknown.
	maps.DeleteFunc(config.RuntimeParams, func(name, _ string) bool { return strings.HasPrefix(name, "pool_") })
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "errand"
	}
	if !o.StatementCache {
		// Statements are unnamed, so nothing on the server has to survive a transaction.
		config.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	}
	return config, nil
}

// readTimesAsUTC makes both engines give times in UTC.
func readTimesAsUTC(_ context.Context, conn *pgx.Conn) error {
	conn.TypeMap().RegisterType(&pgtype.Type{
		Name: "timestamptz", OID: pgtype.TimestamptzOID,
		Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
	})
	return nil
}

// awaitPostgres tries until the server answers, refuses who is asking, or the time is up.
func awaitPostgres(ctx context.Context, pool *sql.DB, config *pgx.ConnConfig, o Options) error {
	deadline := time.Now().Add(o.StartupTimeout)
	backoff := firstBackoff
	for try := 1; ; try++ {
		err := pool.PingContext(ctx)
		if err == nil {
			return nil
		}
		if isRefusal(err) || ctx.Err() != nil || !time.Now().Add(backoff).Before(deadline) {
			return fmt.Errorf("cannot use the PostgreSQL database %q at %s:%d as %q (tries: %d): %w",
				config.Database, config.Host, config.Port, config.User, try, err)
		}
		if try == 1 {
			o.Logger.WarnContext(ctx, "waiting for PostgreSQL", slog.String("host", config.Host),
				slog.Duration("for", o.StartupTimeout), slog.Any("error", err))
		}
		if err := sleep(ctx, backoff); err != nil {
			return err
		}
		backoff = min(2*backoff, maxBackoff)
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// isRefusal tells a server that answered and said no for good (who is asking,
// or which database) from one that is not there yet.
func isRefusal(err error) bool {
	var answer *pgconn.PgError
	if !errors.As(err, &answer) {
		return false
	}
	const invalidCatalogName = "3D000"
	return strings.HasPrefix(answer.Code, "28") || answer.Code == invalidCatalogName
}
