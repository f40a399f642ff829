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
// security is not enabled it sets none. Statements prepared by database/sql are not supported: without a scope they
// see no rows.
type rlsConn struct {
	*stdlib.Conn
	state   *rlsState
	primary *primary
	// generation is that of primary when the connection was opened.
	generation uint64
	// role is the role set on the connection, "" for none yet.
	role string
	// tx is the open transaction, nil outside of one.
	tx *connTx
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
	if role == nil || c.state.transactionPooling || c.tx != nil || c.role == *role {
		return nil
	}
	if _, err := c.Conn.Conn().Exec(ctx, setRole, *role); err != nil {
		return badConnIfUnsent(err)
	}
	c.role = *role
	return nil
}

// addScope adds the statement that sets the scope to a batch, unless the transaction has the scope already.
func (c *rlsConn) addScope(ctx context.Context, b *pgx.Batch) {
	role, scope := c.state.role.Load(), viewer.RowsFromContext(ctx)
	if role == nil || c.tx != nil && c.tx.scope != nil && *c.tx.scope == scope {
		return
	}
	if c.tx != nil {
		c.tx.scope = &scope // if setting it fails, the transaction is aborted anyway
	}
	setScope, setting := setUser, scope.UserID
	if scope.System {
		setScope, setting = setSystem, systemScope
	}
	if c.state.transactionPooling {
		b.Queue(setScope+withRole, setting, *role)
	} else {
		b.Queue(setScope, setting)
	}
}

// sendBatched sends a statement in one batch with what must precede it: the transaction's unsent statements, and the
// scope. The results are positioned at the statement's own. They are nil if nothing precedes the statement, which has
// then not been sent.
func (c *rlsConn) sendBatched(ctx context.Context, query string, args []any) (pgx.BatchResults, error) {
	if c.Conn.Conn().IsClosed() {
		return nil, driver.ErrBadConn
	}
	if err := c.assumeRole(ctx); err != nil {
		return nil, err
	}
	b := &pgx.Batch{}
	if c.tx != nil {
		if c.tx.failed {
			return nil, errAborted
		}
		b = c.tx.takeUnsent()
	}
	c.addScope(ctx, b)
	if b.Len() == 0 {
		return nil, nil
	}
	b.Queue(query, args...)
	return c.sendBatch(ctx, b)
}

// sendBatch sends the batch and reads up to the results of its last statement.
func (c *rlsConn) sendBatch(ctx context.Context, b *pgx.Batch) (pgx.BatchResults, error) {
	results := c.Conn.Conn().SendBatch(ctx, b)
	for range b.Len() - 1 {
		if _, err := results.Exec(); err != nil {
			_ = results.Close() // returns the same error
			return nil, c.precedingError(err)
		}
	}
	return results, nil
}

func argValues(args []driver.NamedValue) []any {
	values := make([]any, len(args))
	for i, a := range args {
		values[i] = a.Value
	}
	return values
}

// QueryContext implements driver.QueryerContext.
func (c *rlsConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	results, err := c.sendBatched(ctx, query, argValues(args))
	if err != nil {
		return nil, err
	}
	if results == nil {
		return c.Conn.QueryContext(ctx, query, args)
	}
	return newRLSRows(c.Conn.Conn().TypeMap(), results)
}

// ExecContext implements driver.ExecerContext. A statement of Queue is not sent yet.
func (c *rlsConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if args, queued := cutQueued(args); queued {
		return c.enqueue(ctx, query, args)
	}
	if c.tx != nil && len(args) == 0 { // it may be several statements, which a batch does not take
		if err := c.tx.flush(ctx); err != nil {
			return nil, err
		}
	}
	results, err := c.sendBatched(ctx, query, argValues(args))
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
