package store

import (
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// guardedRows are the rows of a batch's second statement, as database/sql wants them.
type guardedRows struct {
	types   *pgtype.Map
	results pgx.BatchResults
	rows    pgx.Rows
	columns []pgconn.FieldDescription
	// first says that the row at hand is the first, which was read to learn the columns.
	first, more bool
	closed      bool
}

func newGuardedRows(types *pgtype.Map, results pgx.BatchResults) (driver.Rows, error) {
	rows, err := results.Query()
	r := &guardedRows{types: types, results: results, rows: rows, first: true}
	if err == nil {
		r.more = rows.Next() // reports faults of the statement now
		err = rows.Err()
	}
	if err != nil {
		_ = r.Close() // says the same
		return nil, err
	}
	r.columns = rows.FieldDescriptions()
	return r, nil
}

// Columns implements driver.Rows.
func (r *guardedRows) Columns() []string {
	names := make([]string, len(r.columns))
	for i, c := range r.columns {
		names[i] = c.Name
	}
	return names
}

// Next implements driver.Rows.
func (r *guardedRows) Next(into []driver.Value) error {
	if !r.first {
		r.more = r.rows.Next()
	}
	r.first = false
	if !r.more {
		// The end of the rows is the end of the batch, which commits.
		if err := errors.Join(r.rows.Err(), r.Close()); err != nil {
			return err
		}
		return io.EOF
	}
	for i, raw := range r.rows.RawValues() {
		var err error
		if into[i], err = r.value(r.columns[i], raw); err != nil {
			return fmt.Errorf("reading column %q: %w", r.columns[i].Name, err)
		}
	}
	return nil
}

// value is a column's value in one of the types of database/sql.
func (r *guardedRows) value(column pgconn.FieldDescription, raw []byte) (driver.Value, error) {
	if raw == nil {
		return nil, nil
	}
	isBinary := column.Format == pgtype.BinaryFormatCode
	switch {
	case column.DataTypeOID == pgtype.TextOID || column.DataTypeOID == pgtype.VarcharOID:
		return string(raw), nil
	case isBinary && column.DataTypeOID == pgtype.Int8OID && len(raw) == 8:
		return int64(binary.BigEndian.Uint64(raw)), nil
	case isBinary && column.DataTypeOID == pgtype.BoolOID && len(raw) == 1:
		return raw[0] == 1, nil
	}
	t, ok := r.types.TypeForOID(column.DataTypeOID)
	if !ok {
		return string(raw), nil
	}
	return t.Codec.DecodeDatabaseSQLValue(r.types, column.DataTypeOID, column.Format, raw)
}

// Close implements driver.Rows. It may be called again.
func (r *guardedRows) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	if r.rows != nil {
		r.rows.Close()
	}
	return r.results.Close()
}
