package due_test

import (
	"testing"
	"time"

	"errand/internal/due"

	"github.com/stretchr/testify/require"
)

func TestExact_WeekStart_DecidesWeeks(t *testing.T) {
	for _, c := range []struct{ words, monday, sunday, saturday string }{
		{"next week", "2026-11-30", "2026-11-29", "2026-11-28"},
		{"this week", "2026-11-29", "2026-11-28", "2026-11-27"},
		{"end of week", "2026-11-29", "2026-11-28", "2026-11-27"},
		{"eow", "2026-11-29", "2026-11-28", "2026-11-27"},
		{"end of next week", "2026-12-06", "2026-12-05", "2026-12-04"},
		{"sunday next week", "2026-12-06", "2026-11-29", "2026-11-29"},
		{"monday next week", "2026-11-30", "2026-11-30", "2026-11-30"},
		{"saturday next week", "2026-12-05", "2026-12-05", "2026-11-28"},
		{"this weekend", "2026-11-28", "2026-11-28", "2026-11-28"},
		{"next weekend", "2026-12-05", "2026-12-05", "2026-12-05"},
		{"next sunday", "2026-11-29", "2026-11-29", "2026-11-29"},
	} {
		for start, want := range map[time.Weekday]string{
			time.Monday: c.monday, time.Sunday: c.sunday, time.Saturday: c.saturday,
		} {
			require.Equal(t, want, parse(c.words, weeksFrom(t, start)), "%s, weeks from %s", c.words, start)
		}
	}
}

func TestRangeAt_EachWeekStart_CoversSevenDaysAroundToday(t *testing.T) {
	for start := time.Sunday; start <= time.Saturday; start++ {
		n := weeksFrom(t, start)
		for day := range 7 {
			today := due.At(n.AddDate(0, 0, day), start)
			this, _, _, ok := due.RangeAt([]string{"this", "week"}, 0, today)
			require.True(t, ok)
			require.Equal(t, start, this.From.Weekday())
			require.Equal(t, this.From.AddDate(0, 0, 6), this.To)
			date := today.Format(time.DateOnly)
			require.LessOrEqual(t, this.From.Format(time.DateOnly), date)
			require.GreaterOrEqual(t, this.To.Format(time.DateOnly), date)
			next, _, _, ok := due.RangeAt([]string{"next", "week"}, 0, today)
			require.True(t, ok)
			require.Equal(t, this.To.AddDate(0, 0, 1), next.From)
		}
	}
}
