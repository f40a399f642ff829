package store

import (
	"context"
	"database/sql/driver"

	"errand/internal/viewer"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// guardedConnector makes connections whose statements say who is asking.
type guardedConnector struct {
	driver.Connector
	wall *wall
}

// Connect implements driver.Connector.
func (c guardedConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &guardedConn{Conn: conn.(*stdlib.Conn), wall: c.wall}, nil
}

// What is said before a statement holds until the transaction ends. Outside of one, the two travel in
// one batch, which is a transaction of its own: one round trip, and no trace of a person on the connection.
const (
	setScope        = `SELECT set_config('errand.user_id', $1, true)`
	setScopeAndRole = `SELECT set_config('errand.user_id', $1, true), set_config('role', $2, true)`
	setRole         = `SELECT set_config('role', $1, false)`
)

// systemScope is the setting for the server's own work; no id looks like it.
const systemScope = "system"

// guardedConn tells PostgreSQL with every statement whose rows it may show. While the wall
// does not stand it is the plain connection. A prepared statement of database/sql's own would show no rows.
type guardedConn struct {
	*stdlib.Conn
	wall *wall
	// role is whom the connection was made, "" for nobody yet.
	role string
	// told is what this transaction was told last; nil outside of one and before its first statement.
	told *viewer.Scope
	inTx bool
}

// become takes the wall's role, before a transaction begins.
func (c *guardedConn) become(ctx context.Context) error {
	role := c.wall.role.Load()
	if role == nil || c.wall.pooled || c.inTx || c.role == *role {
		return nil
	}
	if _, err := c.Conn.Conn().Exec(ctx, setRole, *role); err != nil {
		return retryable(err)
	}
	c.role = *role
	return nil
}

// batch is the statement with what has to be said before it; nil when it may go alone.
func (c *guardedConn) batch(ctx context.Context, query string, args []driver.NamedValue) *pgx.Batch {
	role, scope := c.wall.role.Load(), viewer.ScopeFromContext(ctx)
	if role == nil || c.inTx && c.told != nil && *c.told == scope {
		return nil
	}
	if c.inTx {
		c.told = &scope // should this fail, the transaction is over
	}
	asking := scope.UserID
	if scope.System {
		asking = systemScope
	}
	b := &pgx.Batch{}
	if c.wall.pooled {
		b.Queue(setScopeAndRole, asking, *role)
	} else {
		b.Queue(setScope, asking)
	}
	values := make([]any, len(args))
	for i, a := range args {
		values[i] = a.Value
	}
	b.Queue(query, values...)
	return b
}

// send sends the batch and reads as far as the statement's own results.
func (c *guardedConn) send(ctx context.Context, b *pgx.Batch) (pgx.BatchResults, error) {
	results := c.Conn.Conn().SendBatch(ctx, b)
	if _, err := results.Exec(); err != nil {
		_ = results.Close() // says the same
		return nil, retryable(err)
	}
	return results, nil
}

// QueryContext implements driver.QueryerContext.
func (c *guardedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if c.Conn.Conn().IsClosed() {
		return nil, driver.ErrBadConn
	}
	if err := c.become(ctx); err != nil {
		return nil, err
	}
	b := c.batch(ctx, query, args)
	if b == nil {
		return c.Conn.QueryContext(ctx, query, args)
	}
	results, err := c.send(ctx, b)
	if err != nil {
		return nil, err
	}
	return newGuardedRows(c.Conn.Conn().TypeMap(), results)
}

// ExecContext implements driver.ExecerContext.
func (c *guardedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if c.Conn.Conn().IsClosed() {
		return nil, driver.ErrBadConn
	}
	if err := c.become(ctx); err != nil {
		return nil, err
	}
	b := c.batch(ctx, query, args)
	if b == nil {
		return c.Conn.ExecContext(ctx, query, args)
	}
	results, err := c.send(ctx, b)
	if err != nil {
		return nil, err
	}
	tag, err := results.Exec()
	if closed := results.Close(); err == nil { // the batch commits when it ends
		err = closed
	}
	return driver.RowsAffected(tag.RowsAffected()), err
}

// retryable lets database/sql take another connection when nothing was sent on this one.
func retryable(err error) error {
	if pgconn.SafeToRetry(err) {
		return driver.ErrBadConn
	}
	return err
}

// BeginTx implements driver.ConnBeginTx.
func (c *guardedConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	if c.Conn.Conn().IsClosed() {
		return nil, driver.ErrBadConn
	}
	if err := c.become(ctx); err != nil {
		return nil, err
	}
	tx, err := c.Conn.BeginTx(ctx, o)
	if err != nil {
		return nil, err
	}
	c.inTx, c.told = true, nil
	return guardedTx{Tx: tx, conn: c}, nil
}

type guardedTx struct {
	driver.Tx
	conn *guardedConn
}

// Commit implements driver.Tx.
func (t guardedTx) Commit() error {
	t.conn.inTx, t.conn.told = false, nil
	return t.Tx.Commit()
}

// Rollback implements driver.Tx.
func (t guardedTx) Rollback() error {
	t.conn.inTx, t.conn.told = false, nil
	return t.Tx.Rollback()
}
