package store

import (
	"encoding/binary"
	"math"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/stretchr/testify/require"
)

func TestConvert_BinaryTimes_EqualThoseOfPGX(t *testing.T) {
	column := pgconn.FieldDescription{DataTypeOID: pgtype.TimestamptzOID, Format: pgtype.BinaryFormatCode}
	rows := &rlsRows{types: pgtype.NewMap()}
	codec, ok := rows.types.TypeForOID(pgtype.TimestamptzOID)
	require.True(t, ok)
	last := time.Date(294276, 12, 31, 23, 59, 59, 999_999_000, time.UTC).UnixMicro() - postgresEpoch
	for _, microseconds := range []int64{
		0, 1, -1, 999_999, -999_999, -postgresEpoch, -postgresEpoch - 1, 848_318_400_123_456, -62_135_596_800_000_000,
		last, math.MaxInt64, math.MinInt64,
	} {
		raw := binary.BigEndian.AppendUint64(nil, uint64(microseconds))
		want, wantErr := codec.Codec.DecodeDatabaseSQLValue(rows.types, column.DataTypeOID, column.Format, raw)
		got, err := rows.convert(column, raw)
		require.Equal(t, wantErr, err, microseconds)
		require.Equal(t, want, got, microseconds)
	}
}

func TestConvert_BinaryTime_AllocatesOnce(t *testing.T) {
	column := pgconn.FieldDescription{DataTypeOID: pgtype.TimestamptzOID, Format: pgtype.BinaryFormatCode}
	rows := &rlsRows{types: pgtype.NewMap()}
	raw := binary.BigEndian.AppendUint64(nil, 848_318_400_123_456)
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { _, _ = rows.convert(column, raw) }), 1.0)
}
