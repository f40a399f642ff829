package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"

	"entgo.io/ent"
	entsql "entgo.io/ent/dialect/sql"
)

// postgresDriver is an Ent driver. Its reads of entities outside of transactions scan PostgreSQL's values straight into
// those of Ent: database/sql would allocate a driver.Value for most of them, and start a goroutine for each statement.
type postgresDriver struct {
	*entsql.Driver
	pool *sql.DB
	rls  *rlsState
}

// Query implements dialect.ExecQuerier.
func (d *postgresDriver) Query(ctx context.Context, query string, args, v any) error {
	rows, isRows := v.(*entsql.Rows)
	argv, isList := args.([]any)
	if isRows && isList && d.rls.role.Load() != nil && readsEntities(ctx) && isReadOnly(query) {
		scanner, err := d.query(ctx, query, argv)
		if err == nil {
			rows.ColumnScanner = scanner
			return nil
		}
		if !errors.Is(err, driver.ErrBadConn) {
			return err
		}
		// Nothing was sent. database/sql retries on other connections, and on a new one at last.
	}
	return d.Driver.Query(ctx, query, args, v)
}

// readsEntities reports whether the statement is that of a query for entities, which scans the types of entityRows.
func readsEntities(ctx context.Context) bool {
	q := ent.QueryFromContext(ctx)
	return q != nil && (q.Op == ent.OpQueryAll || q.Op == ent.OpQueryFirst || q.Op == ent.OpQueryOnly)
}

// query sends the statement on a connection of the pool, which the rows return when they are closed. The error is
// driver.ErrBadConn if nothing was sent.
func (d *postgresDriver) query(ctx context.Context, query string, args []any) (*entityRows, error) {
	conn, err := d.pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	rows := &entityRows{conn: conn}
	err = conn.Raw(func(c any) (err error) {
		rows.rlsRows, err = c.(*rlsConn).queryRows(ctx, query, args)
		return err
	})
	if err != nil {
		_ = conn.Close() // it was closed if it is bad
		return nil, err
	}
	return rows, nil
}

// queryRows sends a query outside of a transaction, while row-level security is enabled. The error is driver.ErrBadConn
// if nothing was sent.
func (c *rlsConn) queryRows(ctx context.Context, query string, args []any) (*rlsRows, error) {
	results, err := c.sendBatched(ctx, query, args)
	if err != nil {
		return nil, err
	}
	if results == nil {
		return nil, errors.New("the connection sets no scope")
	}
	return newRLSRows(c.Conn.Conn().TypeMap(), results)
}
