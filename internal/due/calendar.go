package due

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	isoForm = regexp.MustCompile(
		`^(\d{4})([-/.])(\d{1,2})([-/.])(\d{1,2})(?:t(\d{2}:?\d{2}(?::?\d{2}(?:\.\d+)?)?)(z|[+-]\d{2}(?::?\d{2})?)?)?$`)
	slashForm = regexp.MustCompile(`^(\d{1,2})([-/.])(\d{1,2})(?:[-/.](\d{4}|\d{2}))?$`)
	namedForm = regexp.MustCompile(`^(\d{1,2})[-/.]?([a-z]{3,9})(?:[-/.](\d{4}|\d{2}))?$`)
)

// isoDate parses "2027-01-15", "2027/01/15" and "2027-01-15T17:00+01:00".
func (p parser) isoDate(i int, _ string) (day, bool) {
	m := isoForm.FindStringSubmatch(p.word(i))
	if m == nil || m[2] != m[4] {
		return day{}, false
	}
	d := p.calendarDate(parseNumber(m[1]), parseNumber(m[3]), parseNumber(m[5]), i+1)
	if m[6] == "" || d.invalid != "" {
		return d, true
	}
	c, ok := parseISOTime(m[6])
	if !ok {
		d.invalid = "There is no time " + m[6] + "."
		return d, true
	}
	c.end, c.unambiguous = i+1, true
	zone, end := p.now.Location(), i+1
	switch {
	case m[7] != "":
		var invalid string
		sub := parser{words: []string{m[7]}, now: p.now}
		if zone, _, invalid = sub.zone(0); invalid != "" {
			d.invalid = invalid
			return d, true
		}
	default:
		if loc, after, invalid := p.zone(i + 1); after > i+1 {
			zone, end, d.invalid = loc, after, invalid
		}
	}
	if d.end = end; d.invalid != "" {
		return d, true
	}
	at, invalid := localTime(c.at(d.day), zone)
	at = at.In(p.now.Location())
	d.at, d.invalid, d.day = &at, invalid, midnight(at)
	return d, true
}

func parseISOTime(s string) (clock, bool) {
	s, _, _ = strings.Cut(s, ".")
	s = strings.ReplaceAll(s, ":", "") + "00"
	c := clock{hour: parseNumber(s[:2]), minute: parseNumber(s[2:4]), second: parseNumber(s[4:6])}
	return c, c.hour < 24 && c.minute < 60 && c.second < 60 || c.hour == 24 && c.minute+c.second == 0
}

// numericDate parses "15/1/2027", "15.1.2027" and "15-jan-2027". Without a year, a numeric date counts only after a
// preposition, because "1/2" may be a fraction. A date whose day and month cannot be distinguished is invalid.
func (p parser) numericDate(i int, intro string) (day, bool) {
	if m := namedForm.FindStringSubmatch(p.word(i)); m != nil {
		month, ok := monthOf(m[2])
		if !ok {
			return day{}, false
		}
		if m[3] == "" {
			return p.optionalYear(month, parseNumber(m[1]), i+1), true
		}
		return p.nextDate(fullYear(m[3]), int(month), parseNumber(m[1]), i+1), true
	}
	m := slashForm.FindStringSubmatch(p.word(i))
	if m == nil {
		return day{}, false
	}
	a, b, year := parseNumber(m[1]), parseNumber(m[3]), fullYear(m[4])
	placed := intro != "" && intro != "for" && intro != "at" || p.whole || p.clockFollows(i+1)
	if m[4] == "" && (m[2] != "/" || !placed && !p.isLoneDate(i, a, b)) {
		return day{}, false
	}
	switch {
	case m[2] == "." || a > 12 && b <= 12:
		return p.nextDate(year, b, a, i+1), true
	case b > 12 || a == b:
		return p.nextDate(year, a, b, i+1), true
	}
	invalid := "I cannot tell the day from the month in " + p.word(i) + ". Please write the date like 2027-01-31."
	return day{end: i + 1, unambiguous: true, invalid: invalid}, true
}

// isLoneDate reports whether "12/25", as the last word, is a day and a month, and no fraction or "24/7".
func (p parser) isLoneDate(i, a, b int) bool {
	return p.lastWord(i) && min(a, b) >= 1 && min(a, b) <= 12 && max(a, b) > 12 && max(a, b) <= 31 && p.word(i) != "24/7"
}

// clockFollows reports whether an exact time of day is at i, with or without a preposition.
func (p parser) clockFollows(i int) bool {
	at, intro := p.skipSeparator(i)
	c, ok := p.clock(at, intro, true)
	return ok && !c.approximate
}

// fullYear returns the year of "2027" and "27", 0 for "".
func fullYear(s string) int {
	if len(s) == 2 {
		return 2000 + parseNumber(s)
	}
	return parseNumber(s)
}

// monthDate parses "jan 15", "15th of january", "january 15, 2027" and "the first of may".
func (p parser) monthDate(i int, _ string) (day, bool) {
	at := i
	if p.word(at) == "the" {
		at++
	}
	if d, end, ok := p.ordinal(at); ok {
		if p.word(end) == "of" {
			end++
		}
		if m, ok := monthOf(p.word(end)); ok {
			return p.optionalYear(m, d, end+1), true
		}
	}
	m, ok := monthOf(p.word(i))
	if !ok {
		return day{}, false
	}
	at = i + 1
	if p.word(at) == "." && len(p.word(i)) <= 4 { // "Apr. 15"
		at++
	}
	if p.word(at) == "the" {
		at++
	}
	// "may 5pm" has no day.
	if d, end, ok := p.ordinal(at); ok {
		return p.optionalYear(m, d, end), true
	}
	return day{}, false
}

// dayOfMonth parses "the 15th" after a preposition as the next day with that number, "the 15th of next month", and
// "friday the 13th" after a weekday.
func (p parser) dayOfMonth(i int, intro string) (day, bool) {
	at := i
	if p.word(at) == "the" {
		at++
	}
	n, end, ok := p.namedOrdinal(at)
	if !ok || n > 31 {
		return day{}, false
	}
	if month, after, ok := p.monthPhrase(end); ok {
		return p.calendarDate(month.Year(), int(month.Month()), n, after).relative(p), true
	}
	if ordinalForm.FindString(p.word(at)) == "" || intro == "" && !p.whole || intro == "for" {
		return day{}, false
	}
	y, month, _ := p.today().Date()
	for ahead := time.Month(0); ahead <= 12; ahead++ {
		d := time.Date(y, month+ahead, n, 0, 0, 0, 0, time.UTC)
		if d.Day() == n && !d.Before(p.today()) {
			return day{day: d, end: at + 1, unambiguous: true}, true
		}
	}
	return day{end: at + 1, unambiguous: true, invalid: "No month has a day " + p.word(at) + "."}, true
}

// monthPhrase parses "of next month", "of the month" and "in january 2027", and returns the first day of the month.
func (p parser) monthPhrase(i int) (first time.Time, end int, ok bool) {
	if w := p.word(i); w != "of" && w != "in" {
		return time.Time{}, 0, false
	}
	i++
	y, m, _ := p.today().Date()
	if end, ok := p.anyAt(i, "next month", "the next month", "the following month"); ok {
		return time.Date(y, m+1, 1, 0, 0, 0, 0, time.UTC), end, true
	}
	if end, ok := p.anyAt(i, "the month", "this month", "month"); ok {
		return time.Date(y, m, 1, 0, 0, 0, 0, time.UTC), end, true
	}
	named, ok := monthOf(p.word(i))
	if !ok {
		return time.Time{}, 0, false
	}
	if year, end, ok := p.year(i + 1); ok {
		return time.Date(year, named, 1, 0, 0, 0, 0, time.UTC), end, true
	}
	if named < m {
		y++
	}
	return time.Date(y, named, 1, 0, 0, 0, 0, time.UTC), i + 1, true
}

// year parses "2027" and ", 2027". Years before 1950 may be times.
func (p parser) year(i int) (year, end int, ok bool) {
	if p.word(i) == "," {
		i++
	}
	w := p.word(i)
	year = parseNumber(w)
	return year, i + 1, len(w) == 4 && digits(w) && year >= 1950 && year < 2400
}

// ordinalWeekday parses "3rd friday of next month", "the last monday in may" and "last day of the month".
func (p parser) ordinalWeekday(i int, _ string) (day, bool) {
	at := i
	if p.word(at) == "the" {
		at++
	}
	start := at
	n, at, ok := p.namedOrdinal(at)
	if p.word(start) == "last" {
		n, at, ok = -1, start+1, true
	}
	if !ok {
		return day{}, false
	}
	weekday, isWeekday := weekdayOf(p.word(at))
	first, end, ok := p.monthPhrase(at + 1)
	if !ok || !isWeekday && p.word(at) != "day" {
		return day{}, false
	}
	last := first.AddDate(0, 1, -1)
	var found time.Time
	switch {
	case !isWeekday && n < 0:
		found = last
	case !isWeekday:
		found = first.AddDate(0, 0, n-1)
	case n < 0:
		found = last.AddDate(0, 0, -daysBetween(weekday, last.Weekday()))
	default:
		found = first.AddDate(0, 0, daysBetween(first.Weekday(), weekday)+7*(n-1))
	}
	if found.Month() != first.Month() {
		return day{end: end, unambiguous: true, invalid: "There is no " + strings.Trim(p.said(start, end), "“”") + "."}, true
	}
	return day{day: found, end: end, unambiguous: true}.relative(p), true
}

// optionalYear returns the date of a month and day, with the year that follows them if there is one.
func (p parser) optionalYear(m time.Month, d, end int) day {
	if year, after, ok := p.year(end); ok {
		return p.calendarDate(year, int(m), d, after)
	}
	return p.nextDate(0, int(m), d, end)
}

// nextDate returns the date; with year 0, the next such date.
func (p parser) nextDate(year, month, d, end int) day {
	if year != 0 {
		return p.calendarDate(year, month, d, end)
	}
	for ahead := range 9 { // 29 February may be eight years ahead
		found := p.calendarDate(p.today().Year()+ahead, month, d, end)
		if found.invalid == "" && !found.day.Before(p.today()) {
			found.absolute = false
			return found
		}
	}
	return day{end: end, unambiguous: true, invalid: invalidDate(0, month, d)}
}

// calendarDate returns the date. Dates that do not exist are invalid; time.Date would normalize them.
func (p parser) calendarDate(year, month, d, end int) day {
	t := time.Date(year, time.Month(month), d, 0, 0, 0, 0, time.UTC)
	if t.Year() != year || int(t.Month()) != month || t.Day() != d || year < 1 {
		return day{end: end, unambiguous: true, invalid: invalidDate(year, month, d)}
	}
	return day{day: t, end: end, unambiguous: true, absolute: true}
}

func invalidDate(year, month, d int) string {
	switch {
	case month < 1 || month > 12:
		return "There is no month " + strconv.Itoa(month) + "."
	case year == 0:
		return fmt.Sprintf("There is no %d %s.", d, time.Month(month))
	}
	return fmt.Sprintf("There is no %d %s %d.", d, time.Month(month), year)
}
