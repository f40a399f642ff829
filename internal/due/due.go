// Package due parses due dates in everyday English, relative to a given time and its zone.
//
// Words are passed in lower case without apostrophes ("what's" is "whats"); quoted text is passed as ""
// and never matches. Each result states which words it consumed.
package due

import (
	"fmt"
	"time"
)

// Date is a calendar day, or an instant when Timed is set.
type Date struct {
	// Day is midnight UTC of the calendar day.
	Day time.Time
	// At is the instant, in the user's zone; set only when Timed.
	At    time.Time
	Timed bool
	// AnyDay is set when the words hold only a time; Day is then its next occurrence.
	AnyDay bool
}

// On returns the day as YYYY-MM-DD.
func (d Date) On() string { return d.Day.Format(time.DateOnly) }

// Match is a due date found in words[Start:End].
type Match struct {
	Start, End int
	Due        Date
	// Fault is a full sentence that states why the words are no valid date ("There is no 30 February."). Due is
	// then zero.
	Fault string
}

// Find returns the first due date of a sentence. An ambiguous word ("friday", "noon", "5") counts only
// after a preposition, next to another part of a date, or at the start or end of the sentence.
func Find(words []string, now time.Time) (Match, bool) {
	p := parser{words: words, now: now}
	for i := range words {
		if m, ok := p.phrase(i); ok {
			return m, true
		}
	}
	return Match{}, false
}

// Exact parses words that are a due date and nothing else.
func Exact(words []string, now time.Time) (Match, bool) {
	p := parser{words: words, now: now, whole: true}
	m, ok := p.phrase(0)
	return m, ok && m.End == len(words)
}

// parser parses dates at positions in words.
type parser struct {
	words []string
	now   time.Time
	// whole is set when the words are the whole phrase, so that ambiguous words count.
	whole bool
}

func (p parser) word(i int) string {
	if i < 0 || i >= len(p.words) {
		return ""
	}
	return p.words[i]
}

// today is midnight UTC of the user's present day.
func (p parser) today() time.Time {
	y, m, d := p.now.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// wallClock is the user's present wall-clock time, as if in UTC: arithmetic on it
// is free of daylight-saving steps.
func (p parser) wallClock() time.Time {
	return p.today().Add(time.Duration(p.now.Hour())*time.Hour + time.Duration(p.now.Minute())*time.Minute)
}

// phrase reads one due date at i: a preposition, a day, a time, in either order.
func (p parser) phrase(i int) (Match, bool) {
	at, intro := p.intro(i)
	f := found{}
	for p.part(&f, &at, intro) {
		intro = ""
	}
	if f.day == nil && f.clock == nil && f.fault == "" || !f.strong && !p.atAnEnd(i, at) {
		return Match{}, false
	}
	m := Match{Start: i, End: at, Fault: f.fault}
	if m.Fault == "" {
		m.Due, m.Fault = p.resolve(f)
	}
	return m, true
}

func (p parser) atAnEnd(start, end int) bool { return p.whole || start == 0 || end == len(p.words) }

// found collects the parts of one phrase.
type found struct {
	day    *time.Time
	clock  *clock
	fault  string
	strong bool
}

// part reads a day or a time at *at, whichever is still missing.
func (p parser) part(f *found, at *int, intro string) bool {
	start := *at
	if f.day != nil || f.clock != nil {
		start, intro = p.joint(*at)
	}
	if f.day == nil {
		if d, ok := p.day(start, intro); ok {
			*at, f.day, f.fault = d.end, &d.day, d.fault
			f.strong = f.strong || d.strong || f.clock != nil
			if d.clock != nil && f.clock == nil {
				f.clock = d.clock
			}
			return f.fault == ""
		}
	}
	if f.clock == nil || f.clock.rough {
		if c, ok := p.clock(start, intro, f.day != nil); ok {
			*at, f.fault = c.end, c.fault
			f.strong = f.strong || c.strong || f.day != nil
			f.clock = c.within(f.clock)
			return f.fault == ""
		}
	}
	return false
}

// intro passes over the words that announce a date and returns the last of them.
func (p parser) intro(i int) (next int, intro string) {
	for announces[p.word(i)] {
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

// joint passes over what may stand between the parts of a date: "friday, at 5".
func (p parser) joint(i int) (next int, intro string) {
	if p.word(i) == "," {
		i++
	}
	return p.intro(i)
}

var announces = map[string]bool{
	"due": true, "by": true, "on": true, "at": true, "before": true, "until": true, "till": true,
	"for": true, "deadline": true, "@": true, "around": true, "from": true,
}

// resolve turns the parts into a due date. A time without a day is its next
// occurrence; a rough time that has passed today leaves just the day.
func (p parser) resolve(f found) (Date, string) {
	day := p.today()
	if f.day != nil {
		day = *f.day
	}
	if y := day.Year(); y < 1 || y > 9999 {
		return Date{}, "That date is too far away."
	}
	if f.clock == nil {
		return Date{Day: day}, ""
	}
	at := f.clock.on(day)
	past := !at.After(p.wallClock())
	switch {
	case past && f.day == nil && !f.clock.rough:
		at = f.clock.on(day.AddDate(0, 0, 1))
	case past && f.clock.rough:
		return Date{Day: day}, ""
	}
	local := time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), 0, 0, p.now.Location())
	return Date{Day: at.Truncate(24 * time.Hour), At: local, Timed: true, AnyDay: f.day == nil}, ""
}

func noSuchDay(day int, month time.Month, year int) string {
	if year == 0 {
		return fmt.Sprintf("There is no %d %s.", day, month)
	}
	return fmt.Sprintf("There is no %d %s %d.", day, month, year)
}
