package due

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/olebedev/when/rules/en"
)

var (
	isoForm     = regexp.MustCompile(`^(\d{4})-(\d{1,2})-(\d{1,2})(?:t(\d{2}:\d{2})(?::\d{2})?z?)?$`)
	slashForm   = regexp.MustCompile(`^(\d{1,2})([/.])(\d{1,2})(?:[/.](\d{4}|\d{2}))?$`)
	ordinalForm = regexp.MustCompile(`^(\d{1,2})(st|nd|rd|th)$`)
)

// isoDate parses "2027-01-15" and "2027-01-15T17:00".
func (p parser) isoDate(i int, _ string) (day, bool) {
	m := isoForm.FindStringSubmatch(p.word(i))
	if m == nil {
		return day{}, false
	}
	d := p.calendarDate(parseNumber(m[1]), parseNumber(m[2]), parseNumber(m[3]), i+1)
	if m[4] == "" || d.invalid != "" {
		return d, true
	}
	hour, minute, ok := parseTimeOfDay(m[4])
	if !ok {
		d.invalid = "There is no time " + m[4] + "."
	}
	d.clock = &clock{hour: hour, minute: minute, end: i + 1}
	return d, true
}

// numericDate parses "15/1/2027" and "15.1.2027". Without a year, a slash date counts only after a preposition,
// because "1/2" may be a fraction. A date whose day and month cannot be distinguished is invalid.
func (p parser) numericDate(i int, intro string) (day, bool) {
	m := slashForm.FindStringSubmatch(p.word(i))
	if m == nil || m[4] == "" && (intro == "" || intro == "for" || intro == "at" || m[2] == ".") {
		return day{}, false
	}
	a, b, year := parseNumber(m[1]), parseNumber(m[3]), parseNumber(m[4])
	if len(m[4]) == 2 {
		year += 2000
	}
	switch {
	case m[2] == "." || a > 12:
		return p.nextDate(year, b, a, i+1), true
	case b > 12:
		return p.nextDate(year, a, b, i+1), true
	case a == b:
		return p.nextDate(year, a, b, i+1), true
	}
	invalid := "I cannot tell the day from the month in " + p.word(i) + ". Please write the date like 2027-01-31."
	return day{end: i + 1, unambiguous: true, invalid: invalid}, true
}

// monthDate parses "jan 15", "15th of january", "january 15, 2027" and "the first of may".
func (p parser) monthDate(i int, intro string) (day, bool) {
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
	if p.word(at) == "the" {
		at++
	}
	if d, end, ok := p.ordinal(at); ok {
		return p.optionalYear(m, d, end), true
	}
	return day{}, false
}

// dayOfMonth parses "the 15th" after a preposition as the next day with that number.
func (p parser) dayOfMonth(i int, intro string) (day, bool) {
	at := i
	if p.word(at) == "the" {
		at++
	}
	m := ordinalForm.FindStringSubmatch(p.word(at))
	if m == nil || intro == "" && !p.whole || intro == "for" {
		return day{}, false
	}
	n := parseNumber(m[1])
	y, month, _ := p.today().Date()
	for ahead := time.Month(0); ahead <= 12; ahead++ {
		d := time.Date(y, month+ahead, n, 0, 0, 0, 0, time.UTC)
		if d.Day() == n && !d.Before(p.today()) {
			return day{day: d, end: at + 1, unambiguous: true}, true
		}
	}
	return day{end: at + 1, unambiguous: true, invalid: "No month has a day " + p.word(at) + "."}, true
}

func monthOf(w string) (int, bool) {
	m, ok := en.MONTH_OFFSET[w]
	return m, ok
}

// ordinal parses "15", "15th", "first", "twenty first".
func (p parser) ordinal(i int) (n, end int, ok bool) {
	if n, ok := en.ORDINAL_WORDS[p.word(i)+" "+p.word(i+1)]; ok {
		return n, i + 2, true
	}
	if n, ok := en.ORDINAL_WORDS[p.word(i)]; ok {
		return n, i + 1, true
	}
	w := p.word(i)
	if m := ordinalForm.FindStringSubmatch(w); m != nil {
		w = m[1]
	}
	if len(w) > 2 {
		return 0, 0, false
	}
	n, err := strconv.Atoi(w)
	return n, i + 1, err == nil
}

// optionalYear returns the date of a month and day, with the year that follows them if there is one.
func (p parser) optionalYear(month, d, end int) day {
	at := end
	if p.word(at) == "," {
		at++
	}
	if w := p.word(at); len(w) == 4 {
		if year, err := strconv.Atoi(w); err == nil && year >= 1900 {
			return p.calendarDate(year, month, d, at+1)
		}
	}
	return p.nextDate(0, month, d, end)
}

// nextDate returns the date; with year 0, the next such date.
func (p parser) nextDate(year, month, d, end int) day {
	if year != 0 {
		return p.calendarDate(year, month, d, end)
	}
	for ahead := range 9 { // 29 February may be eight years ahead
		found := p.calendarDate(p.today().Year()+ahead, month, d, end)
		if found.invalid == "" && !found.day.Before(p.today()) {
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
	return day{day: t, end: end, unambiguous: true}
}

func invalidDate(year, month, d int) string {
	if month < 1 || month > 12 {
		return "There is no month " + strconv.Itoa(month) + "."
	}
	return formatInvalidDay(d, time.Month(month), year)
}

func parseNumber(s string) int {
	n, err := strconv.Atoi(strings.TrimLeft(s, "0"))
	if err != nil {
		return 0
	}
	return n
}
