package run

import (
	"context"
	stdsql "database/sql"
)

// querier is what an Ent client and an Ent transaction share for raw SQL. A statement that
// writes and returns rows goes through QueryContext too; outside of a transaction it commits by itself.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*stdsql.Rows, error)
}

// queryRows calls each for every row, which scans it.
func queryRows(
	ctx context.Context,
	q querier,
	query string,
	args []any,
	each func(scan func(...any) error) error,
) error {
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
