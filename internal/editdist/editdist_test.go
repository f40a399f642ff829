package editdist_test

import (
	"testing"

	"errand/internal/editdist"

	"github.com/stretchr/testify/require"
)

func TestDistance_Edits_Counted(t *testing.T) {
	for _, tc := range []struct {
		a, b     string
		distance int
	}{
		{"", "", 0},
		{"", "ab", 2},
		{"ADDR", "ADDR", 0},
		{"ADR", "ADDR", 1},
		{"ADDRS", "ADDR", 1},
		{"ADRD", "ADDR", 1},
		{"MIGRTAE", "MIGRATE", 1},
		{"DATABSE_ULR", "DATABASE_URL", 2},
		{"PATH", "AUTH", 2},
		{"größe", "grösse", 2},
	} {
		require.Equal(t, tc.distance, editdist.Distance(tc.a, tc.b), tc.a)
		require.Equal(t, tc.distance, editdist.Distance(tc.b, tc.a), tc.b)
	}
}

func TestClosest_Names_NearestOnly(t *testing.T) {
	known := []string{"json", "min", "max-wrong", "max-wrong-changes", "file"}
	require.Equal(t, []string{"json"}, editdist.Closest("jsn", known))
	require.Equal(t, []string{"max-wrong"}, editdist.Closest("maxwrong", known))
	require.Empty(t, editdist.Closest("jjsn", []string{"json"}), "two letters of a short name")
	require.Equal(t, []string{"bb", "bc"}, editdist.Closest("ba", []string{"bc", "bb"}))
}
