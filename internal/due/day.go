package due

import (
	"time"
)

// day is a calendar day (midnight UTC) whose words end before index end.
type day struct {
	day         time.Time
	end         int
	unambiguous bool
	// clock is a time that the same words mean ("tonight"); at is the instant they mean ("in 20 minutes").
	clock *clock
	at    *time.Time
	// absolute is set if the words have a year, so that they may mean the past; weekday if they are only a weekday,
	// which a date may follow.
	absolute, weekday bool
	invalid           string
}

// relative returns d as a day of words without a year, which must not be past.
func (d day) relative(p parser) day {
	d.absolute = false
	if d.invalid == "" && !p.past && d.day.Before(p.today()) {
		d.invalid = Date{Day: d.day}.String() + " is in the past."
	}
	return d
}

// dayReader parses a day at i; intro is the preposition before it.
type dayReader func(p parser, i int, intro string) (day, bool)

var dayReaders []dayReader

func init() {
	// A reader of longer phrases precedes those of their prefixes. The list is set in init because some readers call
	// parser.day, which would be an initialization cycle.
	dayReaders = []dayReader{
		parser.isoDate, parser.numericDate, parser.beside, parser.namedDay, parser.periodEdge, parser.span,
		parser.ordinalWeekday, parser.pastDay, parser.weekday, parser.weekFirst, parser.period, parser.monthDate,
		parser.dayOfMonth, parser.holiday, parser.misspelt,
	}
}

func (p parser) day(i int, intro string) (day, bool) {
	if p.word(i) == "" {
		return day{}, false
	}
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

// beside parses "the day after tomorrow", "the day before christmas" and "the week after next".
func (p parser) beside(i int, _ string) (day, bool) {
	if end, ok := p.anyAt(i, "the week after next", "week after next"); ok {
		return day{day: p.startOfWeek(2), end: end, unambiguous: true}, true
	}
	if end, ok := p.anyAt(i, "the day after tomorrow", "day after tomorrow", "overmorrow"); ok {
		return p.daysAhead(2, end), true
	}
	end, ok := p.anyAt(i, "the day after", "the day before")
	if !ok {
		return day{}, false
	}
	days := 1
	if p.word(end-1) == "before" {
		days = -1
	}
	return p.from(amount{days: days}, end)
}

// namedDay parses words for days near today, with common misspellings: "tomorrow", "tonight".
func (p parser) namedDay(i int, _ string) (day, bool) {
	if end, ok := p.anyAt(i, "today", "2day", "later today", "this day"); ok {
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
		"2morrow",
	); ok {
		return p.daysAhead(1, end), true
	}
	if end, ok := p.anyAt(
		i,
		"tonight",
		"tonite",
		"2nite",
		"2night",
		"this evening",
		"this morning",
		"this afternoon",
		"later tonight",
	); ok {
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

// pastDay parses "yesterday", "last friday" and "last week", which cannot be due dates.
func (p parser) pastDay(i int, _ string) (day, bool) {
	if p.word(i) == "yesterday" {
		return p.daysAhead(-1, i+1).relative(p), true
	}
	w := p.word(i + 1)
	_, isMonth := monthOf(w)
	_, isWeekday := weekdayOf(w)
	if p.word(i) != "last" && p.word(i) != "previous" || !isWeekday && !isMonth && !qualified[w] && !p.isUnit(i+1) {
		return day{}, false
	}
	if about[p.word(i-1)] && !p.past {
		return day{}, false
	}
	if target, ok := weekdayOf(w); ok && p.past {
		back := daysBetween(target, p.today().Weekday())
		if back == 0 {
			back = 7
		}
		return p.daysAhead(-back, i+2), true
	}
	return day{end: i + 2, invalid: p.said(i, i+2) + " is in the past."}, true
}

// about are words before a past date that belongs to a title: "notes from last friday".
var about = map[string]bool{
	"from": true, "of": true, "about": true, "since": true, "the": true, "my": true, "our": true, "in": true,
}

// weekday parses "friday" and "next friday" (the next one after today), "this friday" (may be today), "friday next
// week", "friday this week" and "friday week".
func (p parser) weekday(i int, intro string) (day, bool) {
	at, which := i, p.word(i)
	if end, ok := p.anyAt(i, "this", "next", "the coming", "the following", "coming", "following"); ok {
		at = end
	}
	target, ok := weekdayOf(p.word(at))
	if before := p.word(i - 1); before == "last" || before == "previous" { // pastDay has rejected it
		return day{}, false
	}
	d := day{end: at + 1, unambiguous: at > i || intro != "", weekday: at == i}
	// "sat" and "sun" are also ordinary words.
	next := at + 1
	if p.word(next) == "." {
		next++
	}
	if w := p.word(at); !ok || ambiguousNames[w] && !d.unambiguous && !p.whole && !p.clockAt(next) {
		return day{}, false
	}
	ahead := daysBetween(p.today().Weekday(), target)
	if which != "this" && ahead == 0 {
		ahead = 7
	}
	d.day = p.today().AddDate(0, 0, ahead)
	if end, ok := p.anyAt(d.end, "next week", "of next week"); ok {
		return day{day: p.inWeek(1, target), end: end, unambiguous: true}, true
	}
	if end, ok := p.anyAt(d.end, "this week", "of this week"); ok {
		return day{day: p.inWeek(0, target), end: end, unambiguous: true}.relative(p), true
	}
	if end, ok := p.phraseAt(d.end, "week"); ok && p.endsPhrase(end) {
		return day{day: d.day.AddDate(0, 0, 7), end: end, unambiguous: true}, true
	}
	return d, true
}

// endsPhrase reports whether the words before i may end a phrase there.
func (p parser) endsPhrase(i int) bool {
	switch p.word(i) {
	case "", ",", ".", ")", "!", "?", ";", "at", "by", "on":
		return true
	}
	return p.clockAt(i)
}

// clockAt reports whether a time of day with minutes or am or pm is at i, or "at".
func (p parser) clockAt(i int) bool {
	c, ok := p.clock(i, "", true)
	return ok && !c.approximate || p.word(i) == "at"
}

// weekFirst parses "next week friday" and "this week on friday".
func (p parser) weekFirst(i int, _ string) (day, bool) {
	at, ok := p.anyAt(i, "next week", "next wk", "this week", "this wk")
	if !ok {
		return day{}, false
	}
	weeks := 0
	if p.word(i) == "next" {
		weeks = 1
	}
	if w := p.word(at); w == "on" || w == "," {
		at++
	}
	target, ok := weekdayOf(p.word(at))
	if !ok || ambiguousNames[p.word(at)] && !p.nameIsDay(at) {
		return day{}, false
	}
	return day{day: p.inWeek(weeks, target), end: at + 1, unambiguous: true}.relative(p), true
}

// inWeek returns a day of the user's week that is a number of weeks after the current one.
func (p parser) inWeek(weeks int, target time.Weekday) time.Time {
	first := p.startOfWeek(weeks)
	return first.AddDate(0, 0, daysBetween(first.Weekday(), target))
}

// period parses "next week" (its first day), "this weekend", "next month" (the first) and "next year".
func (p parser) period(i int, intro string) (day, bool) {
	today := p.today()
	y, m, _ := today.Date()
	var d time.Time
	switch p.word(i) + " " + p.word(i+1) {
	case "next week", "next wk":
		d = p.startOfWeek(1)
	case "this week", "this wk":
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

var endAbbreviations = map[string]string{"eow": "week", "eom": "month", "eoq": "quarter", "eoy": "year"}

// periodEdge parses "end of the month", "start of next week", "end of january" and "eom".
func (p parser) periodEdge(i int, _ string) (day, bool) {
	if name := endAbbreviations[p.word(i)]; name != "" {
		return day{day: p.startOf(name, 1).AddDate(0, 0, -1), end: i + 1, unambiguous: true}, true
	}
	at, atEnd := p.anyAt(i, "the end of", "end of")
	if !atEnd {
		var ok bool
		if at, ok = p.anyAt(i, "the start of", "start of", "the beginning of", "beginning of"); !ok {
			return day{}, false
		}
	}
	ahead := 0
	if p.word(at) == "next" {
		ahead = 1
	}
	if end, ok := p.anyAt(at, "the", "this", "next"); ok {
		at = end
	}
	name := p.word(at)
	var d time.Time
	switch m, ok := monthOf(name); {
	case ok:
		d = p.monthEdge(m, atEnd)
	case name != "week" && name != "month" && name != "quarter" && name != "year":
		return day{}, false
	case atEnd:
		d = p.startOf(name, ahead+1).AddDate(0, 0, -1)
	default:
		d = p.startOf(name, ahead)
	}
	return day{day: d, end: at + 1, unambiguous: true}.relative(p), true
}

// startOf returns the first day of a period, a number of periods after the current one.
func (p parser) startOf(period string, ahead int) time.Time {
	y, m, _ := p.today().Date()
	switch period {
	case "week":
		return p.startOfWeek(ahead)
	case "month":
		return time.Date(y, m+time.Month(ahead), 1, 0, 0, 0, 0, time.UTC)
	case "quarter":
		return time.Date(y, (m-1)/3*3+1+time.Month(3*ahead), 1, 0, 0, 0, 0, time.UTC)
	}
	return time.Date(y+ahead, 1, 1, 0, 0, 0, 0, time.UTC)
}

// monthEdge returns the first or last day of the current or next such month that is not past.
func (p parser) monthEdge(m time.Month, last bool) time.Time {
	for y := p.today().Year(); ; y++ {
		d := time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)
		if last {
			d = d.AddDate(0, 1, -1)
		}
		if !d.Before(p.today()) {
			return d
		}
	}
}

// holidays have the same date each year. Others depend on the country.
var holidays = []struct {
	name  string
	month time.Month
	day   int
}{
	{"christmas eve", 12, 24},
	{"xmas eve", 12, 24},
	{"christmas day", 12, 25},
	{"christmas", 12, 25},
	{"xmas", 12, 25},
	{"boxing day", 12, 26},
	{"new years eve", 12, 31},
	{"new year eve", 12, 31},
	{"new years day", 1, 1},
	{"new years", 1, 1},
	{"new year", 1, 1},
	{"valentines day", 2, 14},
	{"valentines", 2, 14},
	{"halloween", 10, 31},
	{"st patricks day", 3, 17},
	{"leap day", 2, 29},
}

// holiday parses the name of a holiday as its next date. Within a sentence it counts after a preposition or at an edge.
func (p parser) holiday(i int, intro string) (day, bool) {
	for _, h := range holidays {
		if end, ok := p.phraseAt(i, h.name); ok {
			if intro == "" && !p.whole && !p.endsPhrase(end) { // "xmas shopping"
				return day{}, false
			}
			d := p.nextDate(0, int(h.month), h.day, end)
			d.unambiguous = intro != "" && intro != "for"
			return d, true
		}
	}
	end := i + 1
	if p.word(i) != "easter" {
		return day{}, false
	}
	after, name := 0, p.word(end)
	if name == "sunday" || name == "monday" {
		end++
	}
	if name == "monday" {
		after = 1
	}
	if intro == "" && !p.whole && !p.endsPhrase(end) {
		return day{}, false
	}
	d := easter(p.today().Year()).AddDate(0, 0, after)
	if d.Before(p.today()) {
		d = easter(p.today().Year()+1).AddDate(0, 0, after)
	}
	return day{day: d, end: end, unambiguous: intro != "" && intro != "for"}, true
}

// easter returns Easter Sunday of the Gregorian calendar, by the algorithm of Meeus, Jones and Butcher.
func easter(y int) time.Time {
	a, b, c := y%19, y/100, y%100
	h := (19*a + b - b/4 - (b-(b+8)/25+1)/3 + 15) % 30
	l := (32 + 2*(b%4) + 2*(c/4) - h - c%4) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return time.Date(y, time.Month(n/31), n%31+1, 0, 0, 0, 0, time.UTC)
}
