package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"errand/internal/dburl"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/cenkalti/backoff/v5"
	"github.com/jackc/pgx/v5"
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
func openPostgres(ctx context.Context, u dburl.URL, o Options) (*DB, error) {
	config, err := postgresConfig(u, o)
	if err != nil {
		return nil, err
	}
	direct, err := directConfig(config, o)
	if err != nil {
		return nil, err
	}
	if len(u.Dropped) > 0 {
		o.Logger.InfoContext(ctx, "options of the database URL are meant for other clients and have no effect",
			slog.Any("options", u.Dropped))
	}
	pooled, err := awaitPostgres(ctx, config, o)
	if err != nil {
		return nil, err
	}
	if pooled && config.DefaultQueryExecMode == pgx.QueryExecModeCacheStatement {
		o.Logger.WarnContext(ctx, "the database URL leads through a pooler in transaction mode: "+
			"statements are not prepared, and DATABASE_DIRECT_URL should lead around it")
		config.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	}
	rls := &rlsState{transactionPooling: config.DefaultQueryExecMode != pgx.QueryExecModeCacheStatement}
	primary := newPrimary()
	primary.watch(config)
	if direct != config {
		primary.watch(direct)
	}
	// pgx checks connections that were idle for more than a second before use.
	pool := sql.OpenDB(rlsConnector{
		Connector: stdlib.GetConnector(*config, stdlib.OptionAfterConnect(readTimesAsUTC)),
		state:     rls,
		primary:   primary,
	})
	size := cmp.Or(o.MaxConns, u.MaxConns)
	if size <= 0 {
		size = 4 * runtime.GOMAXPROCS(0)
	}
	pool.SetMaxOpenConns(size)
	pool.SetMaxIdleConns(size)
	pool.SetConnMaxLifetime(connMaxLifetime)
	db := &DB{
		dialect:  dialect.Postgres,
		writer:   pool,
		pools:    []*sql.DB{pool},
		ping:     pool.PingContext,
		postgres: direct,
		primary:  primary,
		pooled:   pooled && direct == config,
		log:      o.Logger,
		rlsMode:  o.RLS,
	}
	useDriver(db, &postgresDriver{Driver: entsql.OpenDB(dialect.Postgres, pool), pool: pool, rls: rls})
	if o.RLS != "" {
		db.rls = rls
	}
	if err := db.enableRLS(ctx); err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return db, nil
}

// usesStatementCache reports whether prepared statements may stay on a connection. They may not where a pooler is to be
// expected: the URL names one, or there is a second URL that leads around it.
func usesStatementCache(u dburl.URL, o Options) bool {
	return o.StatementCache && !u.NoPreparedStatements && o.DirectURL == ""
}

// postgresConfig returns the driver's settings for the URL, TLS among them, with defaults.
func postgresConfig(u dburl.URL, o Options) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(u.Postgres.Reveal())
	if err != nil {
		// The parser's error may quote the URL with its password, so it is not wrapped.
		return nil, errors.New("the database URL is not a valid PostgreSQL URL: check its hosts and options, " +
			"the files that they name, and that special characters in user and password are percent-encoded")
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
		if countHosts(config) > 1 {
			config.ConnectTimeout = severalHostsConnectTimeout
		}
	}
	config.DialFunc = postgresDialer(config, u.KeepAlive)
	config.ValidateConnect = rejectReadOnly
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "errand"
	}
	if !usesStatementCache(u, o) {
		// Unnamed statements, so that nothing on the server has to outlive a transaction.
		config.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	}
	return config, nil
}

// directConfig returns the settings for connections outside the pool: those of DirectURL, or the pool's.
func directConfig(pool *pgx.ConnConfig, o Options) (*pgx.ConnConfig, error) {
	if o.DirectURL == "" {
		return pool, nil
	}
	u, err := dburl.Parse(o.DirectURL)
	if err == nil && u.SQLitePath != "" {
		err = dburl.ErrPostgresURL
	}
	if err != nil {
		return nil, fmt.Errorf("the direct database URL %w", err)
	}
	config, err := postgresConfig(u, Options{StatementCache: true})
	if err != nil {
		return nil, fmt.Errorf("direct URL: %w", err)
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
// o.StartupTimeout has passed. It reports whether the connection leads through a pooler in transaction mode.
func awaitPostgres(ctx context.Context, config *pgx.ConnConfig, o Options) (pooled bool, err error) {
	attempts := 0
	connect := func() (*pgx.Conn, error) {
		attempts++
		conn, err := pgx.ConnectConfig(ctx, config)
		if err != nil && !isTransientConnectError(err) {
			err = backoff.Permanent(err)
		}
		return conn, err
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
	conn, err := backoff.Retry(ctx, connect, options...)
	if err == nil {
		defer disconnect(conn)
		pooled, err = isTransactionPooled(ctx, conn)
	}
	if err != nil {
		return false, fmt.Errorf("cannot use the PostgreSQL database %q at %s:%d as %q (attempts: %d): %w",
			config.Database, config.Host, config.Port, config.User, attempts, err)
	}
	return pooled, nil
}

// isTransactionPooled reports whether conn leads through a pooler that may change its server session between
// transactions. A server reports the process of the session itself, so that a direct connection needs no more than
// one statement. Otherwise another connection tries to get the same session while conn has no transaction.
func isTransactionPooled(ctx context.Context, conn *pgx.Conn) (bool, error) {
	before, err := backendPID(ctx, conn)
	if err != nil || before == conn.PgConn().PID() {
		return false, err
	}
	bounded, cancel := context.WithTimeout(ctx, poolerTimeout)
	defer cancel()
	shared, err := beginElsewhere(bounded, conn.Config())
	if err != nil {
		// A pooler in session mode may have no session left. Its sessions belong to one client each.
		return false, ctx.Err()
	}
	defer disconnect(shared.conn)
	after, err := backendPID(ctx, conn)
	return shared.pid == before || after != before, err
}

// poolerTimeout bounds the attempt to get a second session from a pooler.
const poolerTimeout = 2 * time.Second

// openTransaction is a connection with an open transaction, in the session of the server process.
type openTransaction struct {
	conn *pgx.Conn
	pid  uint32
}

// beginElsewhere begins a transaction on a new connection.
func beginElsewhere(ctx context.Context, config *pgx.ConnConfig) (openTransaction, error) {
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return openTransaction{}, err
	}
	var pid uint32
	if _, err = conn.Exec(ctx, "BEGIN", pgx.QueryExecModeSimpleProtocol); err == nil {
		pid, err = backendPID(ctx, conn)
	}
	if err != nil {
		disconnect(conn)
		return openTransaction{}, err
	}
	return openTransaction{conn, pid}, nil
}

// backendPID returns the process of the server session that executes the statement.
func backendPID(ctx context.Context, conn *pgx.Conn) (pid uint32, err error) {
	row := conn.QueryRow(ctx, "SELECT pg_backend_pid()", pgx.QueryExecModeSimpleProtocol)
	if err := row.Scan(&pid); err != nil {
		return 0, fmt.Errorf("reading the server process: %w", err)
	}
	return pid, nil
}

// disconnect closes a connection, which may be broken.
func disconnect(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Close(ctx) // a broken connection is released even if Close fails
}
