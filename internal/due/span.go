package due

import (
	"fmt"
	"strings"
	"time"
)

// span parses a duration from now: "in 3 days", "within an hour", "two weeks from now", "in half an hour".
func (p parser) span(i int, _ string) (day, bool) {
	at, leads := p.anyAt(i, "in the next", "within the next", "in", "within")
	if !leads {
		at = i
	}
	if end, ok := p.anyAt(at, "half an hour", "half hour"); ok && leads {
		return p.dayWithTime(p.wallClock().Add(30*time.Minute), end), true
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
	return p.afterUnits(n, unit, end)
}

var units = map[string]string{
	"min": "minute", "mins": "minute", "minute": "minute", "hr": "hour", "hrs": "hour", "hour": "hour",
	"day": "day", "week": "week", "wk": "week", "wks": "week", "fortnight": "fortnight", "month": "month",
	"year": "year", "yr": "year", "yrs": "year",
}

func unitOf(w string) string {
	if u := units[w]; u != "" {
		return u
	}
	return units[strings.TrimSuffix(w, "s")]
}

// afterUnits returns the day or time n units from now. Minutes to weeks are computed by the library. Months and years
// keep the day of the month, or use the month's last day.
func (p parser) afterUnits(n int, unit string, end int) (day, bool) {
	switch unit {
	case "fortnight":
		return p.afterUnits(2*n, "week", end)
	case "month":
		return day{day: addMonths(p.today(), n), end: end, unambiguous: true}, true
	case "year":
		return day{day: addMonths(p.today(), 12*n), end: end, unambiguous: true}, true
	}
	if n > 100000 {
		return day{end: end, unambiguous: true, invalid: "That date is too far away."}, true
	}
	t, ok := parseWithWhen(fmt.Sprintf("in %d %ss", n, unit), p.wallClock())
	if !ok {
		return day{}, false
	}
	if unit == "minute" || unit == "hour" {
		return p.dayWithTime(t, end), true
	}
	return day{day: t.Truncate(24 * time.Hour), end: end, unambiguous: true}, true
}

func (p parser) dayWithTime(t time.Time, end int) day {
	midnight := t.Truncate(24 * time.Hour)
	return day{day: midnight, end: end, unambiguous: true, clock: &clock{hour: t.Hour(), minute: t.Minute(), end: end}}
}

// addMonths adds n months and stays within the resulting month: 31 January plus one month is the last of February.
func addMonths(t time.Time, n int) time.Time {
	y, m, d := t.Date()
	last := time.Date(y, m+time.Month(n)+1, 0, t.Hour(), t.Minute(), 0, 0, time.UTC)
	return last.AddDate(0, 0, min(d, last.Day())-last.Day())
}

// Span is a duration in calendar units: Count of Unit ("minute", "hour", "day", "week", "month" or "year").
type Span struct {
	Count int
	Unit  string
}

// Distance parses words that are a span and nothing else: "2 days", "a week", "half an hour".
func Distance(words []string) (Span, bool) {
	p := parser{words: words}
	if end, ok := p.anyAt(0, "half an hour", "half hour"); ok && end == len(words) {
		return Span{30, "minute"}, true
	}
	at, _ := p.anyAt(0, "another")
	n, unitAt, ok := p.number(at)
	unit := unitOf(p.word(unitAt))
	if !ok || unit == "" || unitAt+1 != len(words) || n < 1 || n > 100000 {
		return Span{}, false
	}
	if unit == "fortnight" {
		return Span{2 * n, "week"}, true
	}
	return Span{n, unit}, true
}

// IsBelowDay reports whether the unit is shorter than a day.
func (s Span) IsBelowDay() bool { return s.Unit == "minute" || s.Unit == "hour" }

// After returns the wall-clock time t plus the span; t must be in UTC. ok is
// false beyond the year 9999.
func (s Span) After(t time.Time) (after time.Time, ok bool) {
	switch s.Unit {
	case "minute":
		after = t.Add(time.Duration(s.Count) * time.Minute)
	case "hour":
		after = t.Add(time.Duration(s.Count) * time.Hour)
	case "day":
		after = t.AddDate(0, 0, s.Count)
	case "week":
		after = t.AddDate(0, 0, 7*s.Count)
	case "month":
		after = addMonths(t, s.Count)
	case "year":
		after = addMonths(t, 12*s.Count)
	}
	return after, after.Year() >= 1 && after.Year() <= 9999
}
