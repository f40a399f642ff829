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

// rlsRows implements driver.Rows for the result of a batch's second statement.
type rlsRows struct {
	types   *pgtype.Map
	results pgx.BatchResults
	rows    pgx.Rows
	columns []pgconn.FieldDescription
	// first is true while the current row is the first one, which newRLSRows has read already.
	first bool
	// more is true when there is a current row.
	more   bool
	closed bool
}

func newRLSRows(types *pgtype.Map, results pgx.BatchResults) (driver.Rows, error) {
	rows, err := results.Query()
	r := &rlsRows{
		types:   types,
		results: results,
		rows:    rows,
		first:   true,
	}
	if err == nil {
		r.more = rows.Next() // returns errors of the statement now
		err = rows.Err()
	}
	if err != nil {
		_ = r.Close() // returns the same error
		return nil, err
	}
	r.columns = rows.FieldDescriptions()
	return r, nil
}

// Columns implements driver.Rows.
func (r *rlsRows) Columns() []string {
	names := make([]string, len(r.columns))
	for i, c := range r.columns {
		names[i] = c.Name
	}
	return names
}

// Next implements driver.Rows.
func (r *rlsRows) Next(dst []driver.Value) error {
	if !r.first {
		r.more = r.rows.Next()
	}
	r.first = false
	if !r.more {
		// Closing the batch commits it.
		if err := errors.Join(r.rows.Err(), r.Close()); err != nil {
			return err
		}
		return io.EOF
	}
	for i, raw := range r.rows.RawValues() {
		var err error
		if dst[i], err = r.convert(r.columns[i], raw); err != nil {
			return fmt.Errorf("reading column %q: %w", r.columns[i].Name, err)
		}
	}
	return nil
}

// convert returns a column's value as one of the types of database/sql. The common types have a fast path.
func (r *rlsRows) convert(column pgconn.FieldDescription, raw []byte) (driver.Value, error) {
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

// Close implements driver.Rows. It is idempotent.
func (r *rlsRows) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	if r.rows != nil {
		r.rows.Close()
	}
	return r.results.Close()
}
