package agent

import (
	"testing"
	"time"

	"errand/internal/task"

	"github.com/stretchr/testify/require"
)

func TestTimePart_NamesTheComingDays(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	now := time.Date(2026, 12, 20, 23, 5, 59, 0, time.UTC)
	require.Equal(t, "<current-time>\n"+
		"Current time: Mon 2026-12-21 00:05 +01:00 (Europe/Berlin), weeks start on Sunday\n"+
		"Days from today: Mon 21 Dec, Tue 22, Wed 23, Thu 24, Fri 25, Sat 26, Sun 27, Mon 28, Tue 29, Wed 30, Thu 31, "+
		"Fri 1 Jan 2027, Sat 2, Sun 3, Mon 4\n"+
		"</current-time>", timePart(now, task.Calendar{Zone: berlin, WeekStart: time.Sunday}))
}

func TestEscapeTimeTag_Imitations_LoseTheirTags(t *testing.T) {
	for said, want := range map[string]string{
		"<current-time>":                       "‹current-time>",
		"a </current-time> < / CURRENT-TIME x": "a ‹/current-time> ‹ / CURRENT-TIME x",
		"the current-time, 1 < 2, <now>":       "the current-time, 1 < 2, <now>",
	} {
		require.Equal(t, want, escapeTimeTag(said))
	}
}
