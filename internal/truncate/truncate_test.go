package truncate_test

import (
	"fmt"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"errand/internal/truncate"
)

func Example() {
	fmt.Println(truncate.Bytes("Käse", 2))
	fmt.Println(truncate.Runes("Käse", 2))
	fmt.Println(truncate.Ellipsis("Käsekuchen", 5))
	// Output:
	// K
	// Kä
	// Käse…
}

func TestTruncate_AnyText_StaysWithinLimitAndWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, limit := rapid.String().Draw(t, "s"), rapid.IntRange(1, 30).Draw(t, "limit")
		for name, got := range map[string]string{
			"bytes": truncate.Bytes(s, limit), "runes": truncate.Runes(s, limit),
		} {
			require.True(t, utf8.ValidString(got), name)
			require.Equal(t, s[:len(got)], got, name)
		}
		require.LessOrEqual(t, len(truncate.Bytes(s, limit)), limit)
		require.Equal(t, min(limit, utf8.RuneCountInString(s)), utf8.RuneCountInString(truncate.Runes(s, limit)))
		require.Equal(t, min(limit, utf8.RuneCountInString(s)), utf8.RuneCountInString(truncate.Ellipsis(s, limit)))
	})
}
