package due

import (
	"cmp"
	"fmt"
	"time"
)

// maxParts is the maximum number of parts of one date: weekday, day, time, zone, and their repetitions.
const maxParts = 6

// dateParts collects the parts of one phrase.
type dateParts struct {
	day *day
	// weekdays are weekdays beside another day; they must agree with it.
	weekday *time.Weekday
	clock   *clock
	zone    *time.Location
	// partOfDay is the part of the day named after an exact time.
	partOfDay *clock
	// closing is set by "eod", which stands for the day alone.
	closing     bool
	invalid     string
	unambiguous bool
}

// phrase parses a due date at i: prepositions, then a day, a time and a zone in any order.
func (p parser) phrase(i int) (Match, bool) {
	at, intro := p.skipIntro(i)
	f := dateParts{}
	for range maxParts {
		if !p.nextPart(&f, &at, intro) {
			break
		}
		intro = ""
	}
	if f.closing && f.day == nil {
		f.day = &day{day: p.today(), unambiguous: true}
	}
	if f.day != nil && f.day.weekday && f.clock == nil && p.loneNumber(at) { // "friday 5"
		f.invalid = p.said(i, at+1) + " can mean a time or a day of the month. " + example
		at, f.unambiguous = at+1, true
	}
	if f.day == nil && f.clock == nil && f.invalid == "" || !f.unambiguous && !p.isAtEdge(i, at) {
		return Match{}, false
	}
	m := Match{Start: i, End: p.skipOutro(at), Unclear: cmp.Or(f.invalid, p.vague(f.clock, i, at))}
	if m.Unclear == "" {
		m.Due, m.Unclear = p.resolve(f)
	}
	return m, true
}

// vague returns a sentence for the user if a time is "7ish" without a part of the day, which the words from i contain.
func (p parser) vague(c *clock, i, end int) string {
	if c == nil || !c.vague || !c.noHalf || c.evening || c.hour != 7 && c.hour != 8 {
		return ""
	}
	return p.said(i, end) + " can mean the morning or the evening. " + example
}

// loneNumber reports whether the last word of a sentence, at i, is a number up to 31.
func (p parser) loneNumber(i int) bool {
	n := parseNumber(p.word(i))
	return !p.whole && 1 <= n && n <= 31 && i == len(p.words)-1
}

func (p parser) isAtEdge(start, end int) bool { return p.whole || start == 0 || end == len(p.words) }

// nextPart parses one part at *at that f lacks, and moves *at to its end.
func (p parser) nextPart(f *dateParts, at *int, intro string) bool {
	start, first := *at, f.day == nil && f.clock == nil && !f.closing
	if !first {
		start, intro = p.skipSeparator(*at)
	}
	if !p.whole && p.title(start) > start {
		return false
	}
	ok := p.dayPart(f, at, start, intro) || p.clockPart(f, at, start, intro)
	if ok && !first && p.word(*at) == ")" && p.word(start-1) == "(" {
		*at++
	}
	return ok && f.invalid == ""
}

func (p parser) dayPart(f *dateParts, at *int, start int, intro string) bool {
	if end, ok := p.anyAt(
		start,
		"eod",
		"cob",
		"close of play",
		"end of day",
		"end of the day",
		"close of business",
		"end of business",
	); ok {
		*at, f.closing, f.unambiguous = end, true, true
		return true
	}
	if f.day == nil {
		if f.clock != nil && intro == "" {
			intro = "on" // "9am 12/25"
		}
		d, ok := p.day(start, intro)
		if !ok {
			return false
		}
		*at, f.day, f.invalid = d.end, &d, d.invalid
		f.unambiguous = f.unambiguous || d.unambiguous || f.clock != nil
		if d.clock != nil && f.clock == nil {
			f.clock = d.clock
		}
		return true
	}
	if f.weekday != nil {
		return false
	}
	if w, ok := weekdayOf(p.word(start)); ok && !f.day.weekday && p.nameIsDay(start) {
		*at, f.weekday = start+1, &w
		return true
	}
	if !f.day.weekday {
		return false
	}
	for _, read := range []dayReader{parser.isoDate, parser.numericDate, parser.monthDate, parser.dayOfMonth} {
		if d, ok := read(p, start, "on"); ok {
			w := f.day.day.Weekday()
			*at, f.day, f.invalid, f.weekday, f.unambiguous = d.end, &d, d.invalid, &w, true
			return true
		}
	}
	return false
}

// nameIsDay reports whether the weekday at i cannot be an ordinary word.
func (p parser) nameIsDay(i int) bool {
	if !ambiguousNames[p.word(i)] {
		return true
	}
	return p.endsPhrase(i + 1)
}

func (p parser) clockPart(f *dateParts, at *int, start int, intro string) bool {
	c, ok := p.clock(start, intro, f.day != nil)
	if f.clock != nil && !f.clock.approximate {
		if ok = ok && c.approximate && f.partOfDay == nil; ok { // "6:30 tomorrow morning"
			*at, f.partOfDay = c.end, &c
			f.clock, f.invalid = f.clock.within(c)
		}
		return ok
	}
	if !ok {
		return false
	}
	*at, f.invalid = c.end, c.invalid
	f.unambiguous = f.unambiguous || c.unambiguous || f.day != nil
	f.clock = c.refine(f.clock)
	if c.zone != nil {
		f.zone = c.zone
	} else if !c.approximate && f.invalid == "" {
		if zone, end, invalid := p.zone(c.end); end > c.end {
			*at, f.zone, f.invalid = end, zone, invalid
		}
	}
	return true
}

// maxIntros bounds the prepositions before a date.
const maxIntros = 4

// skipIntro skips the words that introduce a date ("due by") and returns the last of them.
func (p parser) skipIntro(i int) (next int, intro string) {
	if end, ok := p.anyAt(i, "no later than", "not later than", "sometime", "some time", "latest"); ok {
		i, intro = end, "by"
	}
	for range maxIntros {
		if !introWords[p.word(i)] {
			break
		}
		intro = p.word(i)
		i++
		if end, ok := p.anyAt(i, "date of", "date is", "date"); ok && intro == "due" {
			i = end
		} else if intro == "deadline" && (p.word(i) == "of" || p.word(i) == "is") {
			i++
		}
	}
	if intro != "" && p.word(i) == ":" {
		i++
	}
	return i, intro
}

// skipSeparator skips the words between the parts of a date: "friday, at 5", "dec 4 (fri)".
func (p parser) skipSeparator(i int) (next int, intro string) {
	switch p.word(i) {
	case ",", "(":
		i++
	case ".":
		if p.abbreviates(i - 1) {
			i++
		}
	}
	return p.skipIntro(i)
}

// abbreviates reports whether the word at i is a short name of a weekday or month, whose full stop ends no sentence.
func (p parser) abbreviates(i int) bool {
	w := p.word(i)
	_, isDay := weekdays[w]
	_, isMonth := months[w]
	return (isDay || isMonth) && len(w) <= 5 && w != "march" && w != "april"
}

// skipOutro skips the words that may follow a date without changing it.
func (p parser) skipOutro(i int) int {
	if end, ok := p.anyAt(i, "at the latest", "latest", "sharp", "or so", "or thereabouts"); ok {
		return end
	}
	return i
}

var introWords = map[string]bool{
	"due": true, "by": true, "on": true, "at": true, "before": true, "until": true, "till": true,
	"for": true, "deadline": true, "@": true, "around": true,
}

// resolve returns the due date of the parts. A time without a day means its next occurrence. An approximate time that
// is over today is dropped, which leaves the day.
func (p parser) resolve(f dateParts) (Date, string) { //nolint:gocyclo // one case per form of the words
	if f.day == nil {
		return p.nextTime(*f.clock, f.zone)
	}
	if y := f.day.day.Year(); y < 1 || y > 9999 {
		return Date{}, "That date is too far away."
	}
	if w := f.weekday; w != nil && *w != f.day.day.Weekday() {
		return Date{}, fmt.Sprintf("%s is a %s, not a %s.", f.day.day.Format("2 January 2006"), f.day.day.Weekday(), *w)
	}
	switch {
	case f.day.at != nil && f.clock != nil:
		return Date{}, "The text names two times."
	case f.day.at != nil:
		return instant(*f.day.at), ""
	case f.clock == nil:
		return Date{Day: f.day.day}, ""
	}
	c, zone := *f.clock, f.zone
	if zone == nil {
		zone = p.now.Location()
	}
	at, invalid := localTime(c.at(f.day.day), zone)
	if invalid != "" || f.day.absolute || at.After(p.now.Time) {
		return instant(at.In(p.now.Location())), invalid
	}
	if c.approximate {
		return Date{Day: f.day.day}, ""
	}
	if later := c.at(f.day.day).Add(12 * time.Hour); c.noHalf && c.hour < 12 && midnight(later).Equal(f.day.day) {
		if at, invalid = localTime(later, zone); invalid == "" && at.After(p.now.Time) {
			return instant(at.In(p.now.Location())), ""
		}
	}
	return Date{}, instant(at.In(p.now.Location())).String() + " is in the past."
}

// nextTime returns the next occurrence of a time of day.
func (p parser) nextTime(c clock, zone *time.Location) (Date, string) {
	if zone == nil {
		zone = p.now.Location()
	}
	today := midnight(p.now.In(zone))
	at, invalid := localTime(c.at(today), zone)
	if invalid == "" && !at.After(p.now.Time) {
		at, invalid = localTime(c.at(today.AddDate(0, 0, 1)), zone)
	}
	d := instant(at.In(p.now.Location()))
	d.AnyDay = true
	return d, invalid
}

// localTime returns the instant of a wall-clock time, given in UTC, in a zone. A time that occurs twice, because the
// clocks are put back, is the first of the two. A time that the clocks skip is invalid.
func localTime(wall time.Time, zone *time.Location) (t time.Time, invalid string) {
	if y := wall.Year(); y < 1 || y > 9999 {
		return time.Time{}, "That date is too far away."
	}
	y, m, d := wall.Date()
	t = time.Date(y, m, d, wall.Hour(), wall.Minute(), wall.Second(), 0, zone)
	if !sameWall(t, wall) {
		return t, fmt.Sprintf("On %s the clocks skip %s.", wall.Format("Mon 2 Jan 2006"), wall.Format("15:04"))
	}
	_, offset := t.Add(-24 * time.Hour).Zone()
	first := wall.Add(-time.Duration(offset) * time.Second).In(zone)
	if sameWall(first, wall) && first.Before(t) {
		return first, ""
	}
	return t, ""
}

func sameWall(t, wall time.Time) bool {
	return t.Format(time.DateTime) == wall.Format(time.DateTime)
}
