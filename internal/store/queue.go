package store

import (
	"context"
	stdsql "database/sql"
	"database/sql/driver"

	"errand/ent"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/jackc/pgx/v5"
)

// Queue returns a client that writes through tx without waiting for results. On PostgreSQL its statements are sent, in
// their order, in one round trip with the next statement of tx that has a result, or with COMMIT. On SQLite, which has
// no round trips, it is tx's own client.
//
// A queued statement returns no error. The statement that it is sent with, or WithTx, returns the error, and the
// transaction commits nothing. The number of changed rows is not known and is reported as 0. Queue only writes that
// need neither, such as a row with a new ID, or a change of a row that the transaction has locked. Queue no writes that
// may wait long for locks: when ctx ends during the round trip of COMMIT, the outcome is unknown. Reads through the
// client send the queue first.
func Queue(tx *ent.Tx) *ent.Client {
	if tx.Client().Dialect() != dialect.Postgres {
		return tx.Client()
	}
	return ent.NewClient(ent.Driver(queueDriver{tx}))
}

// QueueUserLock queues a statement that locks the user's row until tx ends. The caller must read through tx next, so
// that COMMIT does not wait for the lock. On SQLite it does nothing: write transactions are serial there.
func QueueUserLock(ctx context.Context, tx *ent.Tx, userID string) error {
	if tx.Client().Dialect() != dialect.Postgres {
		return nil
	}
	const lock = "SELECT id FROM users WHERE id = $1 FOR NO KEY UPDATE"
	_, err := tx.ExecContext(ctx, lock, markQueued([]any{userID})...)
	return err
}

// queuedArg marks the statements of Queue, as the first argument. database/sql passes it on to the connection.
type queuedArg struct{}

// RewriteQuery implements pgx.QueryRewriter: a connection that does not queue, such as that of a test, sends the
// statement at once.
func (queuedArg) RewriteQuery(_ context.Context, _ *pgx.Conn, sql string, args []any) (string, []any, error) {
	return sql, args, nil
}

// cutQueued removes the mark, and reports whether there was one.
func cutQueued(args []driver.NamedValue) ([]driver.NamedValue, bool) {
	if len(args) == 0 {
		return args, false
	}
	if _, queued := args[0].Value.(queuedArg); !queued {
		return args, false
	}
	return args[1:], true
}

func markQueued(args []any) []any {
	marked := make([]any, 1, 1+len(args))
	marked[0] = queuedArg{}
	return append(marked, args...)
}

// queueDriver is Ent's driver for Queue. It is part of a transaction, which it neither begins nor ends.
type queueDriver struct{ tx *ent.Tx }

// Exec implements dialect.ExecQuerier.
func (d queueDriver) Exec(ctx context.Context, query string, args, v any) error {
	result, err := d.tx.ExecContext(ctx, query, markQueued(args.([]any))...)
	if into, ok := v.(*stdsql.Result); ok {
		*into = result
	}
	return err
}

// ExecContext runs raw SQL for Ent's sql/execquery feature.
func (d queueDriver) ExecContext(ctx context.Context, query string, args ...any) (stdsql.Result, error) {
	return d.tx.ExecContext(ctx, query, markQueued(args)...)
}

// Query implements dialect.ExecQuerier.
func (d queueDriver) Query(ctx context.Context, query string, args, v any) error {
	return entsql.Conn{ExecQuerier: d.tx}.Query(ctx, query, args, v)
}

// QueryContext runs raw SQL for Ent's sql/execquery feature.
func (d queueDriver) QueryContext(ctx context.Context, query string, args ...any) (*stdsql.Rows, error) {
	return d.tx.QueryContext(ctx, query, args...)
}

// Tx implements dialect.Driver.
func (d queueDriver) Tx(context.Context) (dialect.Tx, error) { return d, nil }

// Commit implements dialect.Tx.
func (queueDriver) Commit() error { return nil }

// Rollback implements dialect.Tx.
func (queueDriver) Rollback() error { return nil }

// Close implements dialect.Driver.
func (queueDriver) Close() error { return nil }

// Dialect implements dialect.Driver.
func (queueDriver) Dialect() string { return dialect.Postgres }
