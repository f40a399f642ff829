package store

import (
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// rlsRows implements driver.Rows for the result of a batch's last statement.
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

func newRLSRows(types *pgtype.Map, results pgx.BatchResults) (*rlsRows, error) {
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

// advance moves to the next row and returns its values, which are valid until the next call. After the last row it
// closes the batch and returns io.EOF.
func (r *rlsRows) advance() ([][]byte, error) {
	if !r.first {
		r.more = r.rows.Next()
	}
	r.first = false
	if r.more {
		return r.rows.RawValues(), nil
	}
	// Closing the batch commits it.
	if err := errors.Join(r.rows.Err(), r.Close()); err != nil {
		return nil, err
	}
	return nil, io.EOF
}

// Next implements driver.Rows.
func (r *rlsRows) Next(dst []driver.Value) error {
	row, err := r.advance()
	if err != nil {
		return err
	}
	text := r.copyText(row)
	for i, raw := range row {
		if raw != nil && isText(r.columns[i]) {
			dst[i], text = text[:len(raw)], text[len(raw):]
			continue
		}
		if dst[i], err = r.convert(r.columns[i], raw); err != nil {
			return fmt.Errorf("reading column %q: %w", r.columns[i].Name, err)
		}
	}
	return nil
}

func isText(c pgconn.FieldDescription) bool {
	return c.DataTypeOID == pgtype.TextOID || c.DataTypeOID == pgtype.VarcharOID
}

// copyText returns the values of a row's text columns in one string, which is one allocation instead of one a column.
func (r *rlsRows) copyText(row [][]byte) string {
	size := 0
	for i, raw := range row {
		if isText(r.columns[i]) {
			size += len(raw)
		}
	}
	var b strings.Builder
	b.Grow(size)
	for i, raw := range row {
		if isText(r.columns[i]) {
			b.Write(raw)
		}
	}
	return b.String()
}

// convert returns the value of a column that is not text as one of the types of database/sql. The common types have a
// fast path.
func (r *rlsRows) convert(column pgconn.FieldDescription, raw []byte) (driver.Value, error) {
	if raw == nil {
		return nil, nil
	}
	isBinary := column.Format == pgtype.BinaryFormatCode
	switch {
	case isBinary && column.DataTypeOID == pgtype.Int8OID && len(raw) == 8:
		return int64(binary.BigEndian.Uint64(raw)), nil
	case isBinary && column.DataTypeOID == pgtype.BoolOID && len(raw) == 1:
		return raw[0] == 1, nil
	case isBinary && column.DataTypeOID == pgtype.TimestamptzOID && len(raw) == 8:
		if t, ok := finiteTime(int64(binary.BigEndian.Uint64(raw))); ok {
			return t, nil
		}
	}
	t, ok := r.types.TypeForOID(column.DataTypeOID)
	if !ok {
		return string(raw), nil
	}
	return t.Codec.DecodeDatabaseSQLValue(r.types, column.DataTypeOID, column.Format, raw)
}

// postgresEpoch is 2000-01-01 UTC, the zero of PostgreSQL's binary times, in Unix microseconds.
const postgresEpoch = 946_684_800_000_000

// finiteTime returns a binary timestamptz as a time, false for the infinite ones.
func finiteTime(microseconds int64) (time.Time, bool) {
	if microseconds == math.MinInt64 || microseconds > math.MaxInt64-postgresEpoch {
		return time.Time{}, false
	}
	return time.UnixMicro(microseconds + postgresEpoch), true
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
