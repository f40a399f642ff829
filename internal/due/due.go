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
	// Invalid is a sentence for the user that states why the words are not a valid date ("There is no
	// 30 February."); "" when they are. Due is zero then.
	Invalid string
}

// Find returns the first due date of a sentence. An ambiguous word ("friday", "noon", "5") counts only
// after a preposition, next to another part of a date, or at the start or end of the sentence.
func Find(words []string, now Now) (Match, bool) {
	p := parser{words: words, now: now}
	for i := range words {
		if m, ok := p.phrase(i); ok {
			return m, true
		}
	}
	return Match{}, false
}

// Exact parses words that are a due date and nothing else.
func Exact(words []string, now Now) (Match, bool) {
	p := parser{words: words, now: now, whole: true}
	m, ok := p.phrase(0)
	return m, ok && m.End == len(words)
}

// parser parses dates at positions in words.
type parser struct {
	words []string
	now   Now
	// whole is set when the words consist of the date only, so that ambiguous words count as one.
	whole bool
}

func (p parser) word(i int) string {
	if i < 0 || i >= len(p.words) {
		return ""
	}
	return p.words[i]
}

// today returns midnight UTC of the user's current day.
func (p parser) today() time.Time {
	y, m, d := p.now.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// wallClock returns the user's current wall-clock time as if it were UTC, so that daylight-saving changes do not
// affect arithmetic on it.
func (p parser) wallClock() time.Time {
	return p.today().Add(time.Duration(p.now.Hour())*time.Hour + time.Duration(p.now.Minute())*time.Minute)
}

// phrase parses a due date at i: a preposition, a day and a time, the last two in either order.
func (p parser) phrase(i int) (Match, bool) {
	at, intro := p.skipIntro(i)
	f := dateParts{}
	for p.nextPart(&f, &at, intro) {
		intro = ""
	}
	if f.day == nil && f.clock == nil && f.invalid == "" || !f.unambiguous && !p.isAtEdge(i, at) {
		return Match{}, false
	}
	m := Match{Start: i, End: at, Invalid: f.invalid}
	if m.Invalid == "" {
		m.Due, m.Invalid = p.resolve(f)
	}
	return m, true
}

func (p parser) isAtEdge(start, end int) bool { return p.whole || start == 0 || end == len(p.words) }

// dateParts collects the parts of one phrase.
type dateParts struct {
	day         *time.Time
	clock       *clock
	invalid     string
	unambiguous bool
}

// nextPart parses a day or a time at *at, whichever f lacks, and moves *at to its end.
func (p parser) nextPart(f *dateParts, at *int, intro string) bool {
	start := *at
	if f.day != nil || f.clock != nil {
		start, intro = p.skipSeparator(*at)
	}
	if f.day == nil {
		if d, ok := p.day(start, intro); ok {
			*at, f.day, f.invalid = d.end, &d.day, d.invalid
			f.unambiguous = f.unambiguous || d.unambiguous || f.clock != nil
			if d.clock != nil && f.clock == nil {
				f.clock = d.clock
			}
			return f.invalid == ""
		}
	}
	if f.clock == nil || f.clock.approximate {
		if c, ok := p.clock(start, intro, f.day != nil); ok {
			*at, f.invalid = c.end, c.invalid
			f.unambiguous = f.unambiguous || c.unambiguous || f.day != nil
			f.clock = c.refine(f.clock)
			return f.invalid == ""
		}
	}
	return false
}

// skipIntro skips the words that introduce a date ("due by") and returns the last of them.
func (p parser) skipIntro(i int) (next int, intro string) {
	for introWords[p.word(i)] {
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

// skipSeparator skips the words between the parts of a date: "friday, at 5".
func (p parser) skipSeparator(i int) (next int, intro string) {
	if p.word(i) == "," {
		i++
	}
	return p.skipIntro(i)
}

var introWords = map[string]bool{
	"due": true, "by": true, "on": true, "at": true, "before": true, "until": true, "till": true,
	"for": true, "deadline": true, "@": true, "around": true, "from": true,
}

// resolve returns the due date of the parts. A time without a day means its next occurrence. An approximate time that
// is over today is dropped, which leaves the day.
func (p parser) resolve(f dateParts) (Date, string) {
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
	at := f.clock.at(day)
	past := !at.After(p.wallClock())
	switch {
	case past && f.day == nil && !f.clock.approximate:
		at = f.clock.at(day.AddDate(0, 0, 1))
	case past && f.clock.approximate:
		return Date{Day: day}, ""
	}
	local := time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), 0, 0, p.now.Location())
	return Date{Day: at.Truncate(24 * time.Hour), At: local, Timed: true, AnyDay: f.day == nil}, ""
}

func formatInvalidDay(day int, month time.Month, year int) string {
	if year == 0 {
		return fmt.Sprintf("There is no %d %s.", day, month)
	}
	return fmt.Sprintf("There is no %d %s %d.", day, month, year)
}
