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

// isoDate reads "2027-01-15" and "2027-01-15T17:00".
func (p parser) isoDate(i int, _ string) (day, bool) {
	m := isoForm.FindStringSubmatch(p.word(i))
	if m == nil {
		return day{}, false
	}
	d := p.exactDay(number(m[1]), number(m[2]), number(m[3]), i+1)
	if m[4] == "" || d.fault != "" {
		return d, true
	}
	hour, minute, ok := readClock(m[4])
	if !ok {
		d.fault = "There is no time " + m[4] + "."
	}
	d.clock = &clock{hour: hour, minute: minute, end: i + 1}
	return d, true
}

// numericDate reads "15/1/2027" and "15.1.2027", and without a year only behind a
// preposition: "1/2" may be half a pint.
func (p parser) numericDate(i int, intro string) (day, bool) {
	m := slashForm.FindStringSubmatch(p.word(i))
	if m == nil || m[4] == "" && (intro == "" || intro == "for" || intro == "at" || m[2] == ".") {
		return day{}, false
	}
	a, b, year := number(m[1]), number(m[3]), number(m[4])
	if len(m[4]) == 2 {
		year += 2000
	}
	switch {
	case m[2] == "." || a > 12:
		return p.someDay(year, b, a, i+1), true
	case b > 12:
		return p.someDay(year, a, b, i+1), true
	case a == b:
		return p.someDay(year, a, b, i+1), true
	}
	fault := "I cannot tell the day from the month in " + p.word(i) + ". Please write the date like 2027-01-31."
	return day{end: i + 1, strong: true, fault: fault}, true
}

// monthDate reads "jan 15", "15th of january", "january 15, 2027" and "the first of may".
func (p parser) monthDate(i int, intro string) (day, bool) {
	at := i
	if p.word(at) == "the" {
		at++
	}
	if d, end, ok := p.ordinal(at); ok {
		if p.word(end) == "of" {
			end++
		}
		if m, ok := month(p.word(end)); ok {
			return p.withYear(m, d, end+1), true
		}
	}
	m, ok := month(p.word(i))
	if !ok {
		return day{}, false
	}
	at = i + 1
	if p.word(at) == "the" {
		at++
	}
	if d, end, ok := p.ordinal(at); ok {
		return p.withYear(m, d, end), true
	}
	return day{}, false
}

// dayOfMonth reads "the 15th" behind a preposition: the next day with that number.
func (p parser) dayOfMonth(i int, intro string) (day, bool) {
	at := i
	if p.word(at) == "the" {
		at++
	}
	m := ordinalForm.FindStringSubmatch(p.word(at))
	if m == nil || intro == "" && !p.whole || intro == "for" {
		return day{}, false
	}
	n := number(m[1])
	y, month, _ := p.today().Date()
	for ahead := time.Month(0); ahead <= 12; ahead++ {
		d := time.Date(y, month+ahead, n, 0, 0, 0, 0, time.UTC)
		if d.Day() == n && !d.Before(p.today()) {
			return day{day: d, end: at + 1, strong: true}, true
		}
	}
	return day{end: at + 1, strong: true, fault: "No month has a day " + p.word(at) + "."}, true
}

func month(w string) (int, bool) {
	m, ok := en.MONTH_OFFSET[w]
	return m, ok
}

// ordinal reads "15", "15th", "first", "twenty first".
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

// withYear takes a year behind a month and a day when one stands there.
func (p parser) withYear(month, d, end int) day {
	at := end
	if p.word(at) == "," {
		at++
	}
	if w := p.word(at); len(w) == 4 {
		if year, err := strconv.Atoi(w); err == nil && year >= 1900 {
			return p.exactDay(year, month, d, at+1)
		}
	}
	return p.someDay(0, month, d, end)
}

// someDay is the next such day when the year is 0.
func (p parser) someDay(year, month, d, end int) day {
	if year != 0 {
		return p.exactDay(year, month, d, end)
	}
	for ahead := range 9 { // 29 February may be eight years away
		found := p.exactDay(p.today().Year()+ahead, month, d, end)
		if found.fault == "" && !found.day.Before(p.today()) {
			return found
		}
	}
	return day{end: end, strong: true, fault: impossible(0, month, d)}
}

// exactDay refuses days that the calendar lacks; Go would roll them over.
func (p parser) exactDay(year, month, d, end int) day {
	t := time.Date(year, time.Month(month), d, 0, 0, 0, 0, time.UTC)
	if t.Year() != year || int(t.Month()) != month || t.Day() != d || year < 1 {
		return day{end: end, strong: true, fault: impossible(year, month, d)}
	}
	return day{day: t, end: end, strong: true}
}

func impossible(year, month, d int) string {
	if month < 1 || month > 12 {
		return "There is no month " + strconv.Itoa(month) + "."
	}
	return noSuchDay(d, time.Month(month), year)
}

func number(s string) int {
	n, err := strconv.Atoi(strings.TrimLeft(s, "0"))
	if err != nil {
		return 0
	}
	return n
}
