package store

import (
	"context"
	"database/sql/driver"

	"errand/internal/viewer"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// rlsConnector opens connections that set the row-level security scope for each statement.
type rlsConnector struct {
	driver.Connector
	state   *rlsState
	primary *primary
}

// Connect implements driver.Connector.
func (c rlsConnector) Connect(ctx context.Context) (driver.Conn, error) {
	generation := c.primary.generation.Load()
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &rlsConn{Conn: conn.(*stdlib.Conn), state: c.state, primary: c.primary, generation: generation}, nil
}

// The scope is set until the end of the transaction. Outside of one, the setting and the statement are sent as
// one batch, which is a transaction of its own: one round trip, and no user's scope remains on the connection.
//
// A user's statements use indexes whatever PostgreSQL's statistics are: they describe all users, and one user may have
// a thousand times the average number of rows. A bitmap scan reads all matching entries of an index before the first
// row, and a sequential scan the whole table, where an index scan stops at the LIMIT. The engine's statements over all
// users combine indexes with bitmap scans.
const (
	setUser = `SELECT set_config('errand.user_id', $1, true), set_config('enable_bitmapscan', 'off', true), ` +
		`set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)`
	setSystem = `SELECT set_config('errand.user_id', $1, true), set_config('enable_bitmapscan', 'on', true), ` +
		`set_config('enable_seqscan', 'on', true), set_config('jit', 'off', true)`
	withRole = `, set_config('role', $2, true)`
	setRole  = `SELECT set_config('role', $1, false)`
)

// systemScope is the setting for the server's own work. No user ID equals it.
const systemScope = "system"

// rlsConn sets the scope of the context's viewer (viewer.Rows) before every statement. While row-level
// security is not enabled it passes statements through. Statements prepared by database/sql are not
// supported: without a scope they see no rows.
type rlsConn struct {
	*stdlib.Conn
	state   *rlsState
	primary *primary
	// generation is that of primary when the connection was opened.
	generation uint64
	// role is the role set on the connection, "" for none yet.
	role string
	// txScope is the scope set last in this transaction; nil outside of one and before its first statement.
	txScope *viewer.Rows
	inTx    bool
}

// IsValid implements driver.Validator: a connection from before a failover is not reused.
func (c *rlsConn) IsValid() bool {
	return !c.Conn.Conn().IsClosed() && c.generation == c.primary.generation.Load()
}

// ResetSession implements driver.SessionResetter.
func (c *rlsConn) ResetSession(ctx context.Context) error {
	if !c.IsValid() {
		return driver.ErrBadConn
	}
	return c.Conn.ResetSession(ctx)
}

// assumeRole sets the role on the connection, before a transaction begins.
func (c *rlsConn) assumeRole(ctx context.Context) error {
	role := c.state.role.Load()
	if role == nil || c.state.transactionPooling || c.inTx || c.role == *role {
		return nil
	}
	if _, err := c.Conn.Conn().Exec(ctx, setRole, *role); err != nil {
		return badConnIfUnsent(err)
	}
	c.role = *role
	return nil
}

// withScope returns a batch that sets the scope and runs the statement, or nil when no setting is needed.
func (c *rlsConn) withScope(ctx context.Context, query string, args []driver.NamedValue) *pgx.Batch {
	role, scope := c.state.role.Load(), viewer.RowsFromContext(ctx)
	if role == nil || c.inTx && c.txScope != nil && *c.txScope == scope {
		return nil
	}
	if c.inTx {
		c.txScope = &scope // if setting it fails, the transaction is aborted anyway
	}
	setScope, setting := setUser, scope.UserID
	if scope.System {
		setScope, setting = setSystem, systemScope
	}
	b := &pgx.Batch{}
	if c.state.transactionPooling {
		b.Queue(setScope+withRole, setting, *role)
	} else {
		b.Queue(setScope, setting)
	}
	values := make([]any, len(args))
	for i, a := range args {
		values[i] = a.Value
	}
	b.Queue(query, values...)
	return b
}

// sendBatch sends the batch and reads up to the statement's own results.
func (c *rlsConn) sendBatch(ctx context.Context, b *pgx.Batch) (pgx.BatchResults, error) {
	results := c.Conn.Conn().SendBatch(ctx, b)
	if _, err := results.Exec(); err != nil {
		_ = results.Close() // returns the same error
		return nil, badConnIfUnsent(err)
	}
	return results, nil
}

// sendScoped sends a statement with its scope in one batch. The results are nil if the connection already has the
// scope, or needs none; the statement has then not been sent.
func (c *rlsConn) sendScoped(ctx context.Context, query string, args []driver.NamedValue) (pgx.BatchResults, error) {
	if c.Conn.Conn().IsClosed() {
		return nil, driver.ErrBadConn
	}
	if err := c.assumeRole(ctx); err != nil {
		return nil, err
	}
	b := c.withScope(ctx, query, args)
	if b == nil {
		return nil, nil
	}
	return c.sendBatch(ctx, b)
}

// QueryContext implements driver.QueryerContext.
func (c *rlsConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	results, err := c.sendScoped(ctx, query, args)
	if err != nil {
		return nil, err
	}
	if results == nil {
		return c.Conn.QueryContext(ctx, query, args)
	}
	return newRLSRows(c.Conn.Conn().TypeMap(), results)
}

// ExecContext implements driver.ExecerContext.
func (c *rlsConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	results, err := c.sendScoped(ctx, query, args)
	if err != nil {
		return nil, err
	}
	if results == nil {
		return c.Conn.ExecContext(ctx, query, args)
	}
	tag, err := results.Exec()
	if closed := results.Close(); err == nil { // the batch commits when it ends
		err = closed
	}
	return driver.RowsAffected(tag.RowsAffected()), err
}

// badConnIfUnsent makes database/sql retry on another connection when nothing was sent on this one.
func badConnIfUnsent(err error) error {
	if pgconn.SafeToRetry(err) {
		return driver.ErrBadConn
	}
	return err
}

// BeginTx implements driver.ConnBeginTx.
func (c *rlsConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	if c.Conn.Conn().IsClosed() {
		return nil, driver.ErrBadConn
	}
	if err := c.assumeRole(ctx); err != nil {
		return nil, err
	}
	tx, err := c.Conn.BeginTx(ctx, o)
	if err != nil {
		return nil, err
	}
	c.inTx, c.txScope = true, nil
	return rlsTx{Tx: tx, conn: c}, nil
}

type rlsTx struct {
	driver.Tx
	conn *rlsConn
}

// Commit implements driver.Tx.
func (t rlsTx) Commit() error {
	t.conn.inTx, t.conn.txScope = false, nil
	return t.Tx.Commit()
}

// Rollback implements driver.Tx.
func (t rlsTx) Rollback() error {
	t.conn.inTx, t.conn.txScope = false, nil
	return t.Tx.Rollback()
}
