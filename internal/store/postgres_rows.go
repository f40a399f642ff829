package store

import (
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// entityRows implements entsql.ColumnScanner for the rows of a query for entities. It scans the types that Ent scans
// entities into; values of the other types are converted as database/sql does.
type entityRows struct {
	*rlsRows
	conn   *sql.Conn // returned to the pool by Close
	row    [][]byte
	err    error
	closed bool
}

var _ entsql.ColumnScanner = (*entityRows)(nil)

// Columns implements entsql.ColumnScanner.
func (r *entityRows) Columns() ([]string, error) { return r.rlsRows.Columns(), nil }

// ColumnTypes implements entsql.ColumnScanner. Ent scans columns that it does not know into any then.
func (*entityRows) ColumnTypes() ([]*sql.ColumnType, error) {
	return nil, errors.New("the types of the columns are not known")
}

// NextResultSet implements entsql.ColumnScanner.
func (*entityRows) NextResultSet() bool { return false }

// Err implements entsql.ColumnScanner.
func (r *entityRows) Err() error { return r.err }

// Next implements entsql.ColumnScanner. It closes the rows after the last one.
func (r *entityRows) Next() bool {
	if r.closed {
		return false
	}
	var err error
	if r.row, err = r.advance(); err == nil {
		return true
	}
	if !errors.Is(err, io.EOF) {
		r.err = err
	}
	if err := r.Close(); r.err == nil {
		r.err = err
	}
	return false
}

// Close implements entsql.ColumnScanner. It is idempotent.
func (r *entityRows) Close() error {
	if r.closed {
		return nil
	}
	r.closed, r.row = true, nil
	return errors.Join(r.rlsRows.Close(), r.conn.Close())
}

// Scan implements entsql.ColumnScanner.
func (r *entityRows) Scan(dest ...any) error {
	if len(dest) != len(r.row) {
		return fmt.Errorf("the row has %d columns, and %d were to be scanned", len(r.row), len(dest))
	}
	text := r.copyText(r.row)
	for i, raw := range r.row {
		var value string
		if raw != nil && isText(r.columns[i]) {
			value, text = text[:len(raw)], text[len(raw):]
		}
		if err := r.scan(dest[i], r.columns[i], raw, value); err != nil {
			return fmt.Errorf("reading column %q: %w", r.columns[i].Name, err)
		}
	}
	return nil
}

// scan sets dest to a value, which is text for a column of text. The common types have a fast path.
func (r *entityRows) scan(dest any, column pgconn.FieldDescription, raw []byte, text string) error {
	switch {
	case raw == nil:
		return assign(dest, nil)
	case isText(column):
		if d, ok := dest.(*sql.NullString); ok {
			*d = sql.NullString{String: text, Valid: true}
			return nil
		}
		return assign(dest, text)
	case column.Format == pgtype.BinaryFormatCode && len(raw) == 8:
		number := int64(binary.BigEndian.Uint64(raw))
		switch d := dest.(type) {
		case *sql.NullInt64:
			if column.DataTypeOID == pgtype.Int8OID {
				*d = sql.NullInt64{Int64: number, Valid: true}
				return nil
			}
		case *sql.NullTime:
			if t, ok := finiteTime(number); ok && column.DataTypeOID == pgtype.TimestamptzOID {
				*d = sql.NullTime{Time: t, Valid: true}
				return nil
			}
		}
	}
	value, err := r.convert(column, raw)
	if err != nil {
		return err
	}
	return assign(dest, value)
}

// assign sets dest to a value as database/sql does.
func assign(dest any, value driver.Value) error {
	switch d := dest.(type) {
	case sql.Scanner:
		return d.Scan(value)
	case *any:
		*d = value
		return nil
	case *[]byte:
		return assignNullable(d, value)
	case *string:
		return assignValue(d, value)
	case *int:
		return assignValue(d, value)
	case *int64:
		return assignValue(d, value)
	case *bool:
		return assignValue(d, value)
	default:
		return fmt.Errorf("values cannot be scanned into %T", dest)
	}
}

func assignValue[T any](dest *T, value driver.Value) error {
	if value == nil {
		return fmt.Errorf("NULL cannot be scanned into %T", dest)
	}
	return assignNullable(dest, value)
}

// assignNullable sets dest to its zero value for NULL. sql.Null has the conversions of database/sql.
func assignNullable[T any](dest *T, value driver.Value) error {
	var n sql.Null[T]
	if err := n.Scan(value); err != nil {
		return err
	}
	*dest = n.V
	return nil
}
