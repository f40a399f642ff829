package agent

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"errand/internal/task"
)

// daysAhead is how many days after today the time part names.
const daysAhead = 14

// timePart is the second part of the message to answer: the time in the user's zone, to the minute, and the coming
// days, since models miscount weekdays. It is not repeated when the turn is replayed, so that the instructions, the
// tools and the finished turns stay a prefix that providers cache. The offline model parses its second line.
func timePart(now time.Time, c task.Calendar) string {
	now = now.In(c.Zone)
	days := make([]string, 0, daysAhead+1)
	for i := range daysAhead + 1 {
		day := time.Date(now.Year(), now.Month(), now.Day()+i, 12, 0, 0, 0, time.UTC)
		layout := "Mon 2"
		switch {
		case day.YearDay() == 1:
			layout = "Mon 2 Jan 2006"
		case i == 0 || day.Day() == 1:
			layout = "Mon 2 Jan"
		}
		days = append(days, day.Format(layout))
	}
	return fmt.Sprintf("<current-time>\nCurrent time: %s (%s), weeks start on %s\nDays from today: %s\n</current-time>",
		now.Format("Mon 2006-01-02 15:04 -07:00"), c.Zone, c.WeekStart, strings.Join(days, ", "))
}

var timeTag = regexp.MustCompile(`(?i)<(\s*/?\s*current-time)`)

// escapeTimeTag replaces the "<" of text that imitates the tags of the time part. Some providers join the parts of a
// message: the time is then between the only such tags.
func escapeTimeTag(text string) string { return timeTag.ReplaceAllString(text, "‹$1") }
