package due

import (
	"time"

	"github.com/olebedev/when"
	"github.com/olebedev/when/rules"
	"github.com/olebedev/when/rules/en"
)

// whenParser has the reliable rules of olebedev/when: clock times, weekdays and spans up to weeks. Its month, year and
// "tonight" rules have defects (months do not advance to the next year, 30 February becomes March), and so has its
// search for dates within a sentence.
var whenParser = func() *when.Parser {
	w := when.New(nil)
	w.Add(en.Weekday(rules.Override), en.Hour(rules.Override), en.HourMinute(rules.Override), en.Deadline(rules.Override))
	return w
}()

// parseWithWhen parses a phrase that the library matches completely. base must be in UTC, because the library adds
// days as 24 hours.
func parseWithWhen(phrase string, base time.Time) (time.Time, bool) {
	r, err := whenParser.Parse(phrase, base)
	if err != nil || r == nil || r.Text != phrase {
		return time.Time{}, false
	}
	return r.Time, true
}
