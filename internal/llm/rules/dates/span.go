package dates

import (
	"fmt"
	"strings"
	"time"
)

// span reads a distance from now: "in 3 days", "within an hour", "two weeks from now", "in half an hour".
func (p parser) span(i int, _ string) (day, bool) {
	at, leads := p.anyAt(i, "in the next", "within the next", "in", "within")
	if !leads {
		at = i
	}
	if end, ok := p.anyAt(at, "half an hour", "half hour"); ok && leads {
		return p.moment(p.wall().Add(30*time.Minute), end), true
	}
	n, unitAt, ok := p.number(at)
	if !ok {
		return day{}, false
	}
	unit := unitOf(p.word(unitAt))
	end, trails := p.anyAt(unitAt+1, "from now", "from today", "later", "time")
	if !trails {
		end = unitAt + 1
	}
	if unit == "" || !leads && (!trails || p.word(end-1) == "time") {
		return day{}, false
	}
	return p.after(n, unit, end)
}

var units = map[string]string{
	"min": "minute", "mins": "minute", "minute": "minute", "hr": "hour", "hrs": "hour", "hour": "hour",
	"day": "day", "week": "week", "wk": "week", "wks": "week", "fortnight": "fortnight", "month": "month", "year": "year", "yr": "year", "yrs": "year",
}

func unitOf(w string) string {
	if u := units[w]; u != "" {
		return u
	}
	return units[strings.TrimSuffix(w, "s")]
}

// after is n units from now. Minutes to weeks go through the library; months and
// years keep the day of the month, or take the last one there is.
func (p parser) after(n int, unit string, end int) (day, bool) {
	switch unit {
	case "fortnight":
		return p.after(2*n, "week", end)
	case "month":
		return day{day: addMonths(p.today(), n), end: end, strong: true}, true
	case "year":
		return day{day: addMonths(p.today(), 12*n), end: end, strong: true}, true
	}
	if n > 100000 {
		return day{end: end, strong: true, fault: "That date is too far away."}, true
	}
	t, ok := viaWhen(fmt.Sprintf("in %d %ss", n, unit), p.wall())
	if !ok {
		return day{}, false
	}
	if unit == "minute" || unit == "hour" {
		return p.moment(t, end), true
	}
	return day{day: t.Truncate(24 * time.Hour), end: end, strong: true}, true
}

func (p parser) moment(t time.Time, end int) day {
	midnight := t.Truncate(24 * time.Hour)
	return day{day: midnight, end: end, strong: true, clock: &clock{hour: t.Hour(), minute: t.Minute(), end: end}}
}

// addMonths keeps within the month: 31 January plus one month is the last of February.
func addMonths(t time.Time, n int) time.Time {
	y, m, d := t.Date()
	last := time.Date(y, m+time.Month(n)+1, 0, 0, 0, 0, 0, time.UTC)
	return last.AddDate(0, 0, min(d, last.Day())-last.Day())
}
