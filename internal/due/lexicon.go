package due

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

var months = map[string]time.Month{
	"january": 1, "jan": 1, "february": 2, "feb": 2, "march": 3, "mar": 3, "april": 4, "apr": 4, "may": 5, "june": 6,
	"jun": 6, "july": 7, "jul": 7, "august": 8, "aug": 8, "september": 9, "sep": 9, "sept": 9, "october": 10, "oct": 10,
	"november": 11, "nov": 11, "december": 12, "dec": 12,
}

func monthOf(w string) (time.Month, bool) {
	m, ok := months[strings.TrimSuffix(w, ".")]
	return m, ok
}

var weekdays = map[string]time.Weekday{
	"monday": 1, "tuesday": 2, "wednesday": 3, "thursday": 4, "friday": 5, "saturday": 6, "sunday": 0,
	"mon": 1, "tue": 2, "tues": 2, "wed": 3, "weds": 3, "thu": 4, "thur": 4, "thurs": 4, "fri": 5, "sat": 6, "sun": 0,
}

func weekdayOf(w string) (time.Weekday, bool) {
	d, ok := weekdays[strings.TrimSuffix(w, ".")]
	return d, ok
}

// ambiguousNames are names of days and months that are also ordinary words or names of people.
var ambiguousNames = map[string]bool{
	"sat": true, "sun": true, "wed": true, "may": true, "march": true, "mar": true, "jan": true, "april": true,
	"june": true, "august": true,
}

var numberWords = map[string]int{
	"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
	"eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17,
	"eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "ninety": 90,
}

var ordinalWords = map[string]int{
	"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
	"tenth": 10, "eleventh": 11, "twelfth": 12, "thirteenth": 13, "fourteenth": 14, "fifteenth": 15, "sixteenth": 16,
	"seventeenth": 17, "eighteenth": 18, "nineteenth": 19, "twentieth": 20, "thirtieth": 30,
}

var ordinalForm = regexp.MustCompile(`^(\d{1,2})(st|nd|rd|th)$`)

// namedOrdinal parses "15th", "first", "twenty first" and "thirty-first", but not "15".
func (p parser) namedOrdinal(i int) (n, end int, ok bool) {
	w := p.word(i)
	if m := ordinalForm.FindStringSubmatch(w); m != nil {
		return parseNumber(m[1]), i + 1, true
	}
	if n = ordinalWords[w]; n > 0 {
		return n, i + 1, true
	}
	end = i + 2
	tens, unit, hyphen := strings.Cut(w, "-")
	if hyphen {
		end = i + 1
	} else {
		unit = p.word(i + 1)
	}
	if n = ordinalWords[unit]; (tens == "twenty" || tens == "thirty") && n > 0 && n < 10 {
		return numberWords[tens] + n, end, true
	}
	return 0, 0, false
}

// ordinal parses "15" and what namedOrdinal does.
func (p parser) ordinal(i int) (n, end int, ok bool) {
	if n, end, ok = p.namedOrdinal(i); ok {
		return n, end, true
	}
	w := p.word(i)
	if len(w) == 0 || len(w) > 2 || !digits(w) {
		return 0, 0, false
	}
	return parseNumber(w), i + 1, true
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

func parseNumber(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}

// The units of a span, in ascending order.
type unit int

const (
	noUnit unit = iota
	second
	minute
	hour
	dayUnit
	workday
	week
	month
	year
)

var units = map[string]unit{
	"sec": second, "seconds": second, "secs": second, "min": minute, "mins": minute, "minute": minute, "minutes": minute,
	"hr": hour, "hrs": hour, "hour": hour, "hours": hour, "day": dayUnit, "days": dayUnit, "week": week, "weeks": week,
	"wk": week, "wks": week, "fortnight": week, "fortnights": week, "month": month, "months": month, "mth": month,
	"mths": month, "year": year, "years": year, "yr": year, "yrs": year, "weekday": workday, "weekdays": workday,
	"workday": workday, "workdays": workday,
}

// unitAt parses a unit at i. factor is 2 for fortnights, which are weeks.
func (p parser) unitAt(i int) (u unit, factor, end int) {
	w := strings.TrimSuffix(p.word(i), ".")
	if (w == "business" || w == "working" || w == "work") && units[p.word(i+1)] == dayUnit {
		return workday, 1, i + 2
	}
	if w == "fortnight" || w == "fortnights" {
		return week, 2, i + 1
	}
	return units[w], 1, i + 1
}

func (p parser) isUnit(i int) bool {
	u, _, _ := p.unitAt(i)
	return u != noUnit
}

// phraseAt reports whether the words of s are at i, and returns their end.
func (p parser) phraseAt(i int, s string) (end int, ok bool) {
	for {
		w := p.word(i)
		rest, ok := strings.CutPrefix(s, w)
		i++
		switch {
		case !ok || w == "":
			return 0, false
		case rest == "":
			return i, true
		case rest[0] != ' ':
			return 0, false
		}
		s = rest[1:]
	}
}

// anyAt is phraseAt for the first of several phrases that matches.
func (p parser) anyAt(i int, phrases ...string) (end int, ok bool) {
	for _, s := range phrases {
		if end, ok = p.phraseAt(i, s); ok {
			return end, true
		}
	}
	return 0, false
}
