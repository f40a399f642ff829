package store

import (
	"context"
	"database/sql/driver"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"errand/internal/viewer"
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

// setScope says who is asking until the transaction ends. A statement outside of one travels with
// it in one batch, which is a transaction of its own: one round trip, and nothing stays
// on the connection, so that poolers may hand it on.
const setScope = `SELECT set_config('role', $1, true), set_config('errand.user_id', $2, true), set_config('errand.system', $3, true)`

// guardedConn tells PostgreSQL with every statement whose rows it may show. While the wall
// does not stand it is the plain connection. A prepared statement of database/sql's own would show no rows.
type guardedConn struct {
	*stdlib.Conn
	wall *wall
	// told is what this transaction was told last; nil outside of one and before its first statement.
	told *viewer.Scope
	inTx bool
}

// scope is what the next statement has to say first, and whether it has to.
func (c *guardedConn) scope(ctx context.Context) (role string, s viewer.Scope, say bool) {
	r := c.wall.role.Load()
	if r == nil {
		return "", s, false
	}
	s = viewer.ScopeOf(ctx)
	return *r, s, !c.inTx || c.told == nil || *c.told != s
}

// batch is the statement with what has to be said before it.
func batch(role string, s viewer.Scope, query string, args []driver.NamedValue) *pgx.Batch {
	system := ""
	if s.System {
		system = "on"
	}
	values := make([]any, len(args))
	for i, a := range args {
		values[i] = a.Value
	}
	b := &pgx.Batch{}
	b.Queue(setScope, role, s.UserID, system)
	b.Queue(query, values...)
	return b
}

// QueryContext implements driver.QueryerContext.
func (c *guardedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	role, s, say := c.scope(ctx)
	if !say {
		return c.Conn.QueryContext(ctx, query, args)
	}
	if c.Conn.Conn().IsClosed() {
		return nil, driver.ErrBadConn
	}
	results := c.Conn.Conn().SendBatch(ctx, batch(role, s, query, args))
	if _, err := results.Exec(); err != nil {
		_ = results.Close() // says the same
		return nil, retryable(err)
	}
	c.remember(s)
	return newGuardedRows(c.Conn.Conn().TypeMap(), results)
}

// ExecContext implements driver.ExecerContext.
func (c *guardedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	role, s, say := c.scope(ctx)
	if !say {
		return c.Conn.ExecContext(ctx, query, args)
	}
	if c.Conn.Conn().IsClosed() {
		return nil, driver.ErrBadConn
	}
	results := c.Conn.Conn().SendBatch(ctx, batch(role, s, query, args))
	if _, err := results.Exec(); err != nil {
		_ = results.Close() // says the same
		return nil, retryable(err)
	}
	c.remember(s)
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

func (c *guardedConn) remember(s viewer.Scope) {
	if c.inTx {
		c.told = &s
	}
}

// BeginTx implements driver.ConnBeginTx.
func (c *guardedConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
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
