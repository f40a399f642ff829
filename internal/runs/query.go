package runs

import (
	"context"
	stdsql "database/sql"

	"entgo.io/ent/dialect"
)

// querier is what an Ent client and an Ent transaction share for raw SQL.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*stdsql.Rows, error)
	ExecContext(ctx context.Context, query string, args ...any) (stdsql.Result, error)
}

// writing runs fn where it may write. A single statement needs no transaction on PostgreSQL; on
// SQLite a query outside of one may be sent to a connection that only reads.
func (e *Engine) writing(ctx context.Context, fn func(q querier) error) error {
	if e.o.Dialect != dialect.SQLite {
		return fn(e.o.Client)
	}
	tx, err := e.o.Client.Tx(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to roll back
	if err := fn(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// queryRows calls each for every row, which scans it.
func queryRows(ctx context.Context, q querier, query string, args []any, each func(scan func(...any) error) error) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// queryRow scans the only row, if there is one.
func queryRow(ctx context.Context, q querier, query string, args []any, into ...any) (found bool, err error) {
	err = queryRows(ctx, q, query, args, func(scan func(...any) error) error {
		found = true
		return scan(into...)
	})
	return found, err
}
