package due

import (
	"time"

	"github.com/olebedev/when"
	"github.com/olebedev/when/rules"
	"github.com/olebedev/when/rules/en"
)

// whenParser holds those rules of olebedev/when that hold up: clock times, weekdays ahead, and
// spans up to weeks. Its month, year and "tonight" rules do not (months never carry into
// the next year, 30 February rolls over), nor does its search for dates inside a sentence.
var whenParser = func() *when.Parser {
	w := when.New(nil)
	w.Add(en.Weekday(rules.Override), en.Hour(rules.Override), en.HourMinute(rules.Override), en.Deadline(rules.Override))
	return w
}()

// parseWithWhen reads a phrase that the library understands from its first to its last
// byte. base must be in UTC: the library adds days as 24 hours.
func parseWithWhen(phrase string, base time.Time) (time.Time, bool) {
	r, err := whenParser.Parse(phrase, base)
	if err != nil || r == nil || r.Text != phrase {
		return time.Time{}, false
	}
	return r.Time, true
}
