package store

import (
	"database/sql"
	"encoding/binary"
	"math"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/stretchr/testify/require"
)

func binaryColumn(oid uint32) pgconn.FieldDescription {
	return pgconn.FieldDescription{Name: "c", DataTypeOID: oid, Format: pgtype.BinaryFormatCode}
}

// scanned are the types that Ent scans columns into.
func scanned() []any {
	return []any{
		new(sql.NullString), new(sql.NullInt64), new(sql.NullFloat64), new(sql.NullBool), new(sql.NullTime),
		new([]byte), new(any),
	}
}

func TestEntityRows_ScanFast_EqualsConvertedValues(t *testing.T) {
	number := binary.BigEndian.AppendUint64(nil, 848_318_400_123_456)
	infinite := binary.BigEndian.AppendUint64(nil, math.MaxInt64)
	for name, test := range map[string]struct {
		column pgconn.FieldDescription
		raw    []byte
	}{
		"text":          {binaryColumn(pgtype.TextOID), []byte("12")},
		"empty text":    {binaryColumn(pgtype.VarcharOID), []byte{}},
		"null text":     {binaryColumn(pgtype.TextOID), nil},
		"bigint":        {binaryColumn(pgtype.Int8OID), number},
		"null bigint":   {binaryColumn(pgtype.Int8OID), nil},
		"int":           {binaryColumn(pgtype.Int4OID), []byte{0, 0, 1, 0}},
		"bool":          {binaryColumn(pgtype.BoolOID), []byte{1}},
		"time":          {binaryColumn(pgtype.TimestamptzOID), number},
		"null time":     {binaryColumn(pgtype.TimestamptzOID), nil},
		"infinite time": {binaryColumn(pgtype.TimestamptzOID), infinite},
		"jsonb":         {binaryColumn(pgtype.JSONBOID), []byte("\x01[1]")},
		"bytea":         {binaryColumn(pgtype.ByteaOID), []byte{1, 2}},
	} {
		columns := []pgconn.FieldDescription{test.column}
		fast := &entityRows{rlsRows: &rlsRows{types: pgtype.NewMap(), columns: columns}, row: [][]byte{test.raw}}
		want, got := scanned(), scanned()
		for i := range want {
			wantErr := assignConverted(fast.rlsRows, want[i], test.raw)
			gotErr := fast.Scan(got[i])
			require.Equal(t, wantErr == nil, gotErr == nil, "%s into %T: %v, %v", name, want[i], wantErr, gotErr)
			if wantErr == nil {
				require.Equal(t, want[i], got[i], name)
			}
		}
	}
}

// assignConverted assigns the value of the only column as rlsRows.Next converts it.
func assignConverted(r *rlsRows, dest any, raw []byte) error {
	if raw != nil && isText(r.columns[0]) {
		return assign(dest, string(raw))
	}
	value, err := r.convert(r.columns[0], raw)
	if err != nil {
		return err
	}
	return assign(dest, value)
}

func TestEntityRows_ScanCommonTypes_AllocatesTextOnly(t *testing.T) {
	number := binary.BigEndian.AppendUint64(nil, 848_318_400_123_456)
	rows := &entityRows{
		rlsRows: &rlsRows{types: pgtype.NewMap(), columns: []pgconn.FieldDescription{
			binaryColumn(pgtype.TextOID), binaryColumn(pgtype.Int8OID), binaryColumn(pgtype.TimestamptzOID),
		}},
		row: [][]byte{[]byte("some text"), number, number},
	}
	var text sql.NullString
	var count sql.NullInt64
	var at sql.NullTime
	dest := []any{&text, &count, &at}
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { _ = rows.Scan(dest...) }), 1.0)
	require.Equal(t, "some text", text.String)
}

func TestEntityRows_ScanWrongTypes_ReturnsError(t *testing.T) {
	columns := []pgconn.FieldDescription{binaryColumn(pgtype.Int8OID)}
	rows := &entityRows{rlsRows: &rlsRows{types: pgtype.NewMap(), columns: columns}, row: [][]byte{nil}}
	require.ErrorContains(t, rows.Scan(new(int)), "NULL")
	require.ErrorContains(t, rows.Scan(new(struct{})), "*struct {}")
	require.ErrorContains(t, rows.Scan(), "1 columns")
}
