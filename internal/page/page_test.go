package page_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"testing"

	"errand/internal/apperr"
	"errand/internal/page"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func ptr[T any](v T) *T { return &v }

// invalidField returns the argument that a BadUserInput error names.
func invalidField(t *testing.T, err error) string {
	t.Helper()
	require.Equal(t, apperr.BadUserInput, apperr.CodeOf(err))
	return apperr.From(err).Field
}

func TestWindow_Arguments_AreValidated(t *testing.T) {
	cursor := page.Cursor{List: "l", Key: []any{1, "x"}}.Encode()
	w, err := page.Args{}.Window("l", 2)
	require.NoError(t, err)
	require.Equal(t, page.Window{Size: page.DefaultSize}, w)
	w, err = page.Args{Last: ptr(5), Before: &cursor}.Window("l", 2)
	require.NoError(t, err)
	require.True(t, w.Backward)
	require.EqualValues(t, 1, w.Before.Int(0))
	require.Equal(t, "x", w.Before.Text(1))
	w, err = page.Args{Before: &cursor}.Window("l", 2)
	require.NoError(t, err)
	require.True(t, w.Backward, "before alone selects the page that ends there")

	for want, bad := range map[string][]page.Args{
		"first": {{First: ptr(0)}, {First: ptr(-5)}, {First: ptr(101)}, {First: ptr(1), Last: ptr(1)}},
		"last":  {{Last: ptr(0)}, {Last: ptr(101)}},
		"after": {
			{After: ptr("")},
			{After: ptr("%")},
			{After: ptr(cursor + "x")},
			{After: ptr(page.Cursor{List: "other", Key: []any{1, 2}}.Encode())},
			{After: ptr(page.Cursor{List: "l", Key: []any{1}}.Encode())},
			{After: ptr(base64.RawURLEncoding.EncodeToString([]byte("null")))},
		},
		"before": {{Before: ptr("x")}},
	} {
		for _, args := range bad {
			_, err := args.Window("l", 2)
			require.Equal(t, want, invalidField(t, err), "%+v", args)
		}
	}
}

func TestCursor_KeyOfOtherType_ReturnsZeroValue(t *testing.T) {
	c := page.Cursor{Key: []any{"text", 5.0, nil, map[string]any{}}}
	require.Zero(t, c.Int(0))
	require.Empty(t, c.Text(1))
	require.Zero(t, c.Int(2))
	require.Empty(t, c.Text(3))
}

// readWindow reads a list of the items 1 to n as a query would, with one extra item.
func readWindow(n int, w page.Window) []int {
	var items []int
	for i := 1; i <= n; i++ {
		if (w.After == nil || int64(i) > w.After.Int(0)) && (w.Before == nil || int64(i) < w.Before.Int(0)) {
			items = append(items, i)
		}
	}
	if w.Backward {
		slices.Reverse(items)
	}
	return items[:min(len(items), w.Size+1)]
}

func cursorOf(position int) page.Cursor { return page.PositionCursor("l", position) }

// Both kinds of lists are paged through in both directions.
func TestBuild_PagingThroughList_ReturnsEveryItemOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, size := rapid.IntRange(0, 30).Draw(t, "n"), rapid.IntRange(1, 8).Draw(t, "size")
		backward, byRange := rapid.Bool().Draw(t, "backward"), rapid.Bool().Draw(t, "byRange")
		args := page.Args{First: &size}
		if backward {
			args = page.Args{Last: &size}
		}
		var seen []int
		for pages := 0; ; pages++ {
			c := readPage(t, n, args, byRange)
			require.LessOrEqual(t, len(c.Edges), size)
			require.Less(t, pages, n+1, "paging does not end")
			if backward {
				seen = append(c.Nodes(), seen...)
				args.Before = c.PageInfo.StartCursor()
			} else {
				seen = append(seen, c.Nodes()...)
				args.After = c.PageInfo.EndCursor()
			}
			if more := c.PageInfo.HasNextPage; !backward && !more || backward && !c.PageInfo.HasPreviousPage {
				break
			}
		}
		require.Len(t, seen, n)
		require.True(t, slices.IsSorted(seen))
	})
}

func readPage(t *rapid.T, n int, args page.Args, byRange bool) *page.Connection[int] {
	if byRange {
		r, err := args.Range("l", n)
		require.NoError(t, err)
		var items []int
		for i := r.From; i <= r.To; i++ {
			items = append(items, i)
		}
		return page.BuildRange(r, items, cursorOf)
	}
	w, err := args.Window("l", 1)
	require.NoError(t, err)
	return page.Build(
		w,
		readWindow(n, w),
		cursorOf,
		func(context.Context) (page.Total, error) { return page.Total{Count: n}, nil },
	)
}

func TestRange_CursorsBeyondList_ReturnsEmptyPage(t *testing.T) {
	for _, args := range []page.Args{
		{After: ptr(cursorOf(10).Encode())},
		{After: ptr(cursorOf(1 << 40).Encode())},
		{Before: ptr(cursorOf(1).Encode())},
		{Before: ptr(cursorOf(-5).Encode())},
		{After: ptr(cursorOf(3).Encode()), Before: ptr(cursorOf(2).Encode())},
	} {
		r, err := args.Range("l", 10)
		require.NoError(t, err)
		require.Greater(t, r.From, r.To, "%+v", args)
		c := page.BuildRange(r, nil, cursorOf)
		require.Empty(t, c.Edges)
		require.Nil(t, c.PageInfo.StartCursor())
		total, err := c.TotalCount(t.Context())
		require.NoError(t, err)
		require.Equal(t, 10, total)
	}
}

func TestBuild_TotalCountNotSelected_RunsNoCount(t *testing.T) {
	errCounted := errors.New("counted")
	c := page.Build(
		page.Window{Size: 2},
		[]int{1, 2, 3},
		cursorOf,
		func(context.Context) (page.Total, error) { return page.Total{}, errCounted },
	)
	require.Equal(t, []int{1, 2}, c.Nodes())
	require.True(t, c.PageInfo.HasNextPage)
	_, err := c.TotalCount(t.Context())
	require.ErrorIs(t, err, errCounted)
}

func TestParsePosition_Cursor_ReturnsPosition(t *testing.T) {
	position, err := page.ParsePosition("after", ptr(cursorOf(7).Encode()), "l")
	require.NoError(t, err)
	require.Equal(t, 7, position)
	for _, bad := range []string{"", cursorOf(-1).Encode(), page.PositionCursor("other", 1).Encode(), fmt.Sprint(7)} {
		_, err := page.ParsePosition("after", &bad, "l")
		require.Equal(t, "after", invalidField(t, err))
	}
}
