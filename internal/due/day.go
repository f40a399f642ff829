package due

import (
	"strconv"
	"strings"
	"time"

	"github.com/olebedev/when/rules/en"
)

// day is a calendar day (midnight UTC) whose words end before index end.
type day struct {
	day         time.Time
	end         int
	unambiguous bool
	clock       *clock // "tonight", "in 20 minutes"
	invalid     string
}

// dayReader parses a day at i; intro is the preposition before it.
type dayReader func(p parser, i int, intro string) (day, bool)

var dayReaders []dayReader

func init() {
	// A reader of longer phrases precedes those of their prefixes. The list is set in init because some readers call
	// parser.day, which would be an initialization cycle.
	dayReaders = []dayReader{
		parser.isoDate, parser.numericDate, parser.namedDay, parser.endOfPeriod, parser.span,
		parser.weekday, parser.period, parser.monthDate, parser.dayOfMonth,
	}
}

func (p parser) day(i int, intro string) (day, bool) {
	for _, read := range dayReaders {
		if d, ok := read(p, i, intro); ok {
			return d, true
		}
	}
	return day{}, false
}

func (p parser) daysAhead(days, end int) day {
	return day{day: p.today().AddDate(0, 0, days), end: end, unambiguous: true}
}

// phraseAt reports whether the words of s are at i, and returns their end.
func (p parser) phraseAt(i int, s string) (end int, ok bool) {
	for _, w := range strings.Fields(s) {
		if p.word(i) != w {
			return 0, false
		}
		i++
	}
	return i, true
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

// namedDay parses words for days near today, with common misspellings: "tomorrow", "tonight".
func (p parser) namedDay(i int, _ string) (day, bool) {
	if end, ok := p.anyAt(i, "the day after tomorrow", "day after tomorrow", "overmorrow"); ok {
		return p.daysAhead(2, end), true
	}
	if end, ok := p.anyAt(i, "today", "later today", "this day", "eod", "cob"); ok {
		return p.daysAhead(0, end), true
	}
	if end, ok := p.anyAt(
		i,
		"tomorrow",
		"tomorow",
		"tommorow",  //nolint:misspell // a common typing error
		"tommorrow", //nolint:misspell // a common typing error
		"tmrw",
		"tmr",
		"tmw",
		"2moro",
	); ok {
		return p.daysAhead(1, end), true
	}
	if end, ok := p.phraseAt(i, "yesterday"); ok {
		return p.daysAhead(-1, end), true
	}
	if end, ok := p.anyAt(i, "tonight", "this evening", "this morning", "this afternoon", "later tonight"); ok {
		d := p.daysAhead(0, end)
		hour := dayParts["night"]
		if h := dayParts[p.word(end-1)]; h > 0 {
			hour = h
		}
		d.clock = &clock{hour: hour, approximate: true, end: end}
		return d, true
	}
	return day{}, false
}

var weekdays = map[string]time.Weekday{
	"monday": 1, "tuesday": 2, "wednesday": 3, "thursday": 4, "friday": 5, "saturday": 6, "sunday": 0,
	"mon": 1, "tue": 2, "tues": 2, "wed": 3, "weds": 3, "thu": 4, "thur": 4, "thurs": 4, "fri": 5, "sat": 6, "sun": 0,
}

// weekday parses "friday" and "next friday" (the next one after today), "this friday" (may be today),
// "friday next week", and "a week from friday".
func (p parser) weekday(i int, intro string) (day, bool) {
	at, which := i, p.word(i)
	if end, ok := p.anyAt(i, "this", "next", "the coming", "the following", "coming", "following"); ok {
		at = end
	}
	target, ok := weekdays[p.word(at)]
	d := day{end: at + 1, unambiguous: at > i || intro != ""}
	// "sat" and "sun" are also ordinary words.
	if w := p.word(at); !ok || (w == "sat" || w == "sun") && !d.unambiguous && !p.whole {
		return day{}, false
	}
	switch end, nextWeek := p.phraseAt(d.end, "next week"); {
	case nextWeek:
		next := p.startOfWeek(1)
		d.day, d.end, d.unambiguous = next.AddDate(0, 0, daysBetween(next.Weekday(), target)), end, true
	case which == "this":
		d.day = p.today().AddDate(0, 0, daysBetween(p.today().Weekday(), target))
	default:
		d.day, ok = parseWithWhen("next "+strings.ToLower(target.String()), p.today())
	}
	return d, ok
}

// period parses "next week" (its first day), "this weekend", "next month" (the first) and "next year".
func (p parser) period(i int, intro string) (day, bool) {
	today := p.today()
	y, m, _ := today.Date()
	var d time.Time
	switch p.word(i) + " " + p.word(i+1) {
	case "next week":
		d = p.startOfWeek(1)
	case "this week":
		d = p.startOfWeek(1).AddDate(0, 0, -1)
	case "next month":
		d = time.Date(y, m+1, 1, 0, 0, 0, 0, time.UTC)
	case "this month":
		d = time.Date(y, m+1, 0, 0, 0, 0, 0, time.UTC)
	case "next year":
		d = time.Date(y+1, 1, 1, 0, 0, 0, 0, time.UTC)
	case "this weekend", "the weekend":
		d = p.saturday()
	case "next weekend":
		d = p.monday(1).AddDate(0, 0, 5)
	default:
		return day{}, false
	}
	strong := p.word(i) != "the" || intro != ""
	return day{day: d, end: i + 2, unambiguous: strong}, true
}

// saturday returns the Saturday of the current or next weekend; on a Sunday it returns that day.
func (p parser) saturday() time.Time {
	if p.today().Weekday() == time.Sunday {
		return p.today()
	}
	return p.monday(0).AddDate(0, 0, 5)
}

var endAbbreviations = map[string]string{"eow": "week", "eom": "month", "eoy": "year"}

// endOfPeriod parses "end of the month", "end of next week", "end of january", "eom".
func (p parser) endOfPeriod(i int, _ string) (day, bool) {
	if unit := endAbbreviations[p.word(i)]; unit != "" {
		return day{day: p.endOf(unit, 0), end: i + 1, unambiguous: true}, true
	}
	at, ok := p.anyAt(i, "the end of", "end of")
	if !ok {
		return day{}, false
	}
	ahead := 0
	if p.word(at) == "next" {
		ahead = 1
	}
	if end, ok := p.anyAt(at, "the", "this", "next"); ok {
		at = end
	}
	if m, ok := en.MONTH_OFFSET[p.word(at)]; ok {
		return day{day: p.lastOf(time.Month(m)), end: at + 1, unambiguous: true}, true
	}
	switch p.word(at) {
	case "day", "week", "month", "year":
		return day{day: p.endOf(p.word(at), ahead), end: at + 1, unambiguous: true}, true
	}
	return day{}, false
}

func (p parser) endOf(unit string, ahead int) time.Time {
	y, m, _ := p.today().Date()
	switch unit {
	case "week":
		return p.startOfWeek(ahead+1).AddDate(0, 0, -1)
	case "month":
		return time.Date(y, m+time.Month(ahead)+1, 0, 0, 0, 0, 0, time.UTC)
	case "year":
		return time.Date(y+ahead, 12, 31, 0, 0, 0, 0, time.UTC)
	}
	return p.today().AddDate(0, 0, ahead)
}

// lastOf returns the last day of the current or next such month.
func (p parser) lastOf(m time.Month) time.Time {
	d := time.Date(p.today().Year(), m+1, 0, 0, 0, 0, 0, time.UTC)
	if d.Before(p.today()) {
		d = time.Date(p.today().Year()+1, m+1, 0, 0, 0, 0, 0, time.UTC)
	}
	return d
}

// number parses "3", "three", "a", "a couple of", "a few".
func (p parser) number(i int) (n, end int, ok bool) {
	if end, ok := p.anyAt(i, "a couple of", "a couple", "couple of"); ok {
		return 2, end, true
	}
	if end, ok := p.anyAt(i, "a few", "few"); ok {
		return 3, end, true
	}
	switch w := p.word(i); {
	case w == "a" || w == "an":
		return 1, i + 1, true
	case en.INTEGER_WORDS[w] > 0:
		return en.INTEGER_WORDS[w], i + 1, true
	case len(w) > 6:
		return 0, 0, false
	default:
		n, err := strconv.Atoi(w)
		return n, i + 1, err == nil && n >= 0
	}
}
