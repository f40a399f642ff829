// Package due parses due dates in everyday English, relative to a given time, its zone and the user's week.
//
// Parse is for a text that must be a date and nothing else, such as an argument of a tool. Shift moves an existing due
// date ("by two days", "to friday"). Find looks for a date within the words of a sentence. All of them return a date
// only if it is certain: if no words beside it look like a date, a time or a zone. Otherwise they state why it is
// unclear, and the caller asks the user. Date.String is the form in which dates are repeated to users.
//
// The time is linear in the length of the text.
package due

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"errand/internal/text"
)

// MaxText is the maximum length of a text for Parse and Shift, in characters.
const MaxText = 200

// Date is a calendar day, or an instant when Timed is set. The zero Date means no due date.
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

// String returns the date with its weekday, in the user's zone: "Fri 4 Dec 2026" or "Fri 4 Dec 2026, 15:00".
func (d Date) String() string {
	switch {
	case d.Timed:
		return d.At.Format("Mon 2 Jan 2006, 15:04")
	case d.Day.IsZero():
		return ""
	}
	return d.Day.Format("Mon 2 Jan 2006")
}

// Of returns the due date of a task: the day on (YYYY-MM-DD), or the instant at if it is not nil, or the zero Date.
func Of(on string, at *time.Time, zone *time.Location) Date {
	if at != nil {
		return instant(at.In(zone))
	}
	day, err := time.Parse(time.DateOnly, on)
	if err != nil {
		return Date{}
	}
	return Date{Day: day}
}

func instant(t time.Time) Date { return Date{Day: midnight(t), At: t, Timed: true} }

// midnight returns midnight UTC of t's calendar day.
func midnight(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// UnclearError is the error of texts that are not certainly a date.
type UnclearError struct {
	// Reason is a sentence for the user.
	Reason string
}

func (e *UnclearError) Error() string { return "unclear: " + e.Reason }

// Parse parses text that must be one due date and nothing else: "fri 4 dec at 10", "in 1 h 30 m", "3rd friday of next
// month", "2026-12-04T10:00+02:00". The text has at most MaxText characters. now is in the user's zone, which also
// holds for times without a zone. Any error is an *UnclearError, whose message begins with "unclear: ".
//
// To use it for an argument of a tool: on success store Date.On if Date.Timed is not set, else Date.At, and repeat
// Date.String to the user; on an error change nothing and return the message.
func Parse(s string, now Now) (Date, error) {
	words, err := wordsOf(s)
	if err != nil {
		return Date{}, err
	}
	return parseWhole(words, now)
}

func wordsOf(s string) ([]string, error) {
	if n := utf8.RuneCountInString(s); n > MaxText {
		return nil, unclear("A date must have at most %d characters; this text has %d.", MaxText, n)
	}
	if strings.Contains(s, "\n") {
		return nil, unclear("A date must be on one line.")
	}
	all := text.Tokenize(text.Clean(s)).Trim()
	if quoted, ok := all.Literal(); ok {
		all = text.Tokenize(quoted).Trim()
	}
	words := all.Keys()
	if len(words) == 0 {
		return nil, unclear("The text is empty. %s", example)
	}
	return words, nil
}

const example = "Please write the date like “Fri 4 Dec at 15:00” or 2026-12-04."

func unclear(format string, args ...any) error {
	return &UnclearError{Reason: fmt.Sprintf(format, args...)}
}

func parseWhole(words []string, now Now) (Date, error) {
	if start, end := Recurring(words); end > start {
		what := strings.Join(words[start:end], " ")
		return Date{}, unclear("“%s” is a repetition, and tasks do not repeat.", what)
	}
	p := parser{words: words, now: now, whole: true}
	m, ok := p.phrase(0)
	switch said := strings.Join(words, " "); {
	case !ok:
		return Date{}, unclear("“%s” is not a date that I understand. %s", said, example)
	case m.Unclear != "":
		return Date{}, unclear("%s", m.Unclear)
	case m.End != len(words):
		return Date{}, unclear("“%s” is not a date that I understand as a whole: “%s” is left. %s",
			said, strings.Join(words[m.End:], " "), example)
	}
	return m.Due, nil
}

// Match is a due date found in words[Start:End].
type Match struct {
	Start, End int
	Due        Date
	// Unclear is a sentence for the user that states why the date is not certain ("There is no 30 February."); "" if
	// it is. Due is zero then.
	Unclear string
}

// Find returns the first due date of a sentence. Words are in lower case without apostrophes ("what's" is "whats");
// quoted text is "" and never matches. An ambiguous word ("friday", "noon", "5") counts only after a preposition, next
// to another part of a date, or at the start or end of the sentence. Words that describe a thing ("the 6pm train") do
// not count. The match is unclear if other words look like a date too, or change its meaning ("after", "from").
func Find(words []string, now Now) (Match, bool) {
	p := parser{words: words, now: now}
	for i := 0; i < len(words); i++ {
		if end := max(p.describes(i), p.title(i)); end > i {
			i = end - 1
			continue
		}
		m, ok := p.phrase(i)
		if !ok {
			continue
		}
		if m.Unclear == "" {
			m.Unclear = p.leftover(m)
		}
		if m.Unclear != "" {
			m.Due = Date{}
		}
		return m, true
	}
	return Match{}, false
}

// parser parses dates at positions in words.
type parser struct {
	words []string
	now   Now
	// whole is set when the words consist of the date only, so that ambiguous words count as one.
	whole bool
	// past is set when dates may be past.
	past bool
	// depth is the number of dates that this one is relative to: "a week from friday" has 1.
	depth int
}

func (p parser) word(i int) string {
	if i < 0 || i >= len(p.words) {
		return ""
	}
	return p.words[i]
}

// said returns words[i:end] for a message.
func (p parser) said(i, end int) string {
	return "“" + strings.Join(p.words[max(i, 0):min(end, len(p.words))], " ") + "”"
}

// today returns midnight UTC of the user's current day.
func (p parser) today() time.Time { return midnight(p.now.Time) }
