package page_test

import (
	"encoding/base64"
	"runtime"
	"strings"
	"testing"

	"errand/internal/apperr"
	"errand/internal/page"

	"github.com/stretchr/testify/require"
)

// FuzzCursor passes arbitrary strings as cursors. A string is accepted only if Encode returns it; otherwise the error
// names the argument.
func FuzzCursor(f *testing.F) {
	for _, text := range []string{
		`{"l":"l","k":[1,"x"]}`, `{"l":"l","k":[9007199254740993,"\u003cö\u2028"]}`,
		`{"l":"l","k":[1e3,"x"]}`, `{"l":"l","k":[-0,1]}`,
		`{"L":"l","K":[1,2]}`, `{"l":"l","k":[1,2]} `, `{"l":"l","k":[1,2],"k":[3,4]}`,
		`{"l":"l","k":[null,[[]]]}`, `null`, "{\"l\":\"l\",\"k\":[1,\"\xff\"]}",
	} {
		f.Add(base64.RawURLEncoding.EncodeToString([]byte(text)), "x", int64(1))
	}
	f.Add("", "", int64(0))
	f.Add("eyJsIjoibCIsImsiOlsxLDJdfQ\n", "\xff", int64(-1<<63))
	f.Fuzz(func(t *testing.T, given, text string, number int64) {
		w, err := page.Args{After: &given}.Window("l", 2)
		if err != nil {
			require.Equal(t, "after", invalidField(t, err))
		} else {
			require.Equal(t, given, w.After.Encode(), "accepted a string that Encode does not return")
			_, _ = w.After.Int(0), w.After.Text(1)
		}
		if position, err := page.ParsePosition("after", &given, "l"); err == nil {
			require.Equal(t, given, page.PositionCursor("l", position).Encode())
		} else {
			require.Equal(t, apperr.BadUserInput, apperr.CodeOf(err))
		}
		roundTrip(t, strings.ToValidUTF8(text, "?"), number)
	})
}

// roundTrip encodes and decodes a cursor with the given key.
func roundTrip(t *testing.T, text string, number int64) {
	t.Helper()
	encoded := page.Cursor{List: "l", Key: []any{text, number}}.Encode()
	w, err := page.Args{Before: &encoded}.Window("l", 2)
	if len(encoded) > 2048 {
		require.Equal(t, "before", invalidField(t, err))
		return
	}
	require.NoError(t, err)
	require.Equal(t, text, w.Before.Text(0))
	require.Equal(t, number, w.Before.Int(1))
	_, err = page.Args{Before: &encoded}.Window("other", 2)
	require.Equal(t, "before", invalidField(t, err))
}

func TestWindow_OversizedCursor_IsRejectedWithoutDecoding(t *testing.T) {
	long := base64.RawURLEncoding.EncodeToString([]byte(`{"l":"l","k":["` + strings.Repeat("x", 1<<20) + `"]}`))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := page.Args{After: &long}.Window("l", 1)
	runtime.ReadMemStats(&after)
	require.Equal(t, "after", invalidField(t, err))
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(100<<10))
}
