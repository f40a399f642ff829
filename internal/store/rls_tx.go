package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"errand/internal/viewer"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// rollbackTimeout bounds ROLLBACK. When it fails, the connection is closed, and the server rolls back itself.
const rollbackTimeout = time.Second

// errAborted is returned by the statements of a transaction after one that failed, as PostgreSQL would.
var errAborted = errors.New("the transaction has failed before this statement")

// connTx is an open transaction of a connection. BEGIN is sent with the first statement, in one batch and thus in one
// round trip. Statements of Queue are sent with the next other statement, or with COMMIT.
type connTx struct {
	conn *rlsConn
	ctx  context.Context // of BeginTx
	// unsent holds the statements that are not sent yet, in their order; nil for none.
	unsent *pgx.Batch
	// sent is true when BEGIN has been sent.
	sent bool
	// failed is true after a failed batch. PostgreSQL may not have begun the transaction then, so that further
	// statements must not be sent.
	failed bool
	// scope is the scope that the statements have set last, nil before the first one.
	scope *viewer.Rows
}

// BeginTx implements driver.ConnBeginTx. It sends nothing.
func (c *rlsConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	if c.Conn.Conn().IsClosed() {
		return nil, driver.ErrBadConn
	}
	begin, err := beginStatement(o)
	if err != nil {
		return nil, err
	}
	if err := c.assumeRole(ctx); err != nil {
		return nil, err
	}
	c.tx = &connTx{conn: c, ctx: ctx, unsent: &pgx.Batch{}}
	c.tx.unsent.Queue(begin)
	return c.tx, nil
}

func beginStatement(o driver.TxOptions) (string, error) {
	begin := "begin"
	switch level := sql.IsolationLevel(o.Isolation); level {
	case sql.LevelDefault:
	case sql.LevelReadCommitted, sql.LevelRepeatableRead, sql.LevelSerializable:
		begin += " isolation level " + level.String()
	default:
		return "", fmt.Errorf("PostgreSQL has no isolation level %s", level)
	}
	if o.ReadOnly {
		begin += " read only"
	}
	return begin, nil
}

// takeUnsent returns the unsent statements, for the caller to send.
func (t *connTx) takeUnsent() *pgx.Batch {
	b := t.unsent
	if t.unsent = nil; b == nil {
		return &pgx.Batch{}
	}
	t.sent = true
	return b
}

// flush sends the unsent statements alone.
func (t *connTx) flush(ctx context.Context) error {
	if t.failed {
		return errAborted
	}
	b := t.takeUnsent()
	if b.Len() == 0 {
		return nil
	}
	results, err := t.conn.sendBatch(ctx, b)
	if err != nil {
		return err
	}
	_, err = results.Exec()
	if closed := results.Close(); err == nil {
		err = closed
	}
	return t.conn.precedingError(err)
}

// enqueue adds a statement to those that are sent later. The number of its rows is not known.
func (c *rlsConn) enqueue(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	switch {
	case c.tx == nil:
		return nil, errors.New("a queued statement outside of a transaction")
	case c.tx.failed:
		return nil, errAborted
	case c.tx.unsent == nil:
		c.tx.unsent = &pgx.Batch{}
	}
	c.addScope(ctx, c.tx.unsent)
	c.tx.unsent.Queue(query, argValues(args)...)
	return driver.RowsAffected(0), nil
}

// precedingError returns the error for a failure of a statement that was sent in one batch before another one.
func (c *rlsConn) precedingError(err error) error {
	if err == nil || c.tx == nil {
		return badConnIfUnsent(err)
	}
	c.tx.failed = true
	var unsent pgx.ErrPreprocessingBatch // of any statement of the batch, most likely the last one: others are prepared
	var response *pgconn.PgError
	if !errors.As(err, &unsent) && errors.As(err, &response) {
		return &queuedError{response}
	}
	return badConnIfUnsent(err)
}

// queuedError is the error of a queued statement, which a later statement or COMMIT returns. Its text omits
// PostgreSQL's message, by which Ent recognizes violated constraints: Ent would report the later statement as the
// cause.
type queuedError struct{ cause *pgconn.PgError }

func (e *queuedError) Error() string {
	return fmt.Sprintf("a queued statement failed with SQLSTATE %s, table %q, constraint %q",
		e.cause.Code, e.cause.TableName, e.cause.ConstraintName)
}

func (e *queuedError) Unwrap() error { return e.cause }

// Commit implements driver.Tx. The unsent statements and COMMIT are one batch: after a statement that fails, PostgreSQL
// skips the rest of the batch.
func (t *connTx) Commit() error {
	c := t.conn
	err := t.commit()
	c.tx = nil
	if err != nil {
		_ = c.rollback(t.ctx) // the error is that of the commit
	}
	return err
}

func (t *connTx) commit() error {
	c := t.conn
	switch {
	case t.failed:
		return pgx.ErrTxCommitRollback
	case !t.sent && t.unsent.Len() == 1: // BEGIN alone
		return nil
	case t.unsent == nil:
		tag, err := c.Conn.Conn().Exec(t.ctx, "commit")
		return committed(tag, err)
	}
	b := t.takeUnsent()
	b.Queue("commit")
	results, err := c.sendBatch(t.ctx, b)
	if err != nil {
		return err
	}
	tag, err := results.Exec()
	if closed := results.Close(); err == nil {
		err = closed
	}
	return committed(tag, err)
}

// committed returns the error of COMMIT. For a failed transaction, PostgreSQL rolls back and reports no error.
func committed(tag pgconn.CommandTag, err error) error {
	if err == nil && tag.String() == "ROLLBACK" {
		return pgx.ErrTxCommitRollback
	}
	return err
}

// Rollback implements driver.Tx. It drops the unsent statements.
func (t *connTx) Rollback() error {
	t.conn.tx = nil
	return t.conn.rollback(t.ctx)
}

// rollback ends the transaction of the connection, if PostgreSQL has begun one. ctx may have ended.
func (c *rlsConn) rollback(ctx context.Context) error {
	conn := c.Conn.Conn()
	if conn.PgConn().TxStatus() == 'I' && !conn.IsClosed() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	_, err := conn.Exec(ctx, "rollback")
	if err != nil {
		cancel()
		_ = conn.Close(ctx) // at once, because the context has ended
	}
	return err
}
