package due

import (
	"slices"
	"strings"
	"time"
)

// Shift returns the due date that text makes of current: a span to move it by ("two days", "by an hour", "an hour
// earlier", "push back a week"), or its new day or time ("to friday", "5pm"). A new day keeps the time of day of
// current, and a new time keeps its day; a text with both replaces it. The zero current has no due date, so that only
// a new date is possible. Bounds and errors are those of Parse.
//
// current is the result of Of for the task. Store and repeat the result like that of Parse.
func Shift(s string, current Date, now Now) (Date, error) {
	words, err := wordsOf(s)
	if err != nil {
		return Date{}, err
	}
	return ShiftWords(words, current, now)
}

// ShiftWords is Shift for words as Find takes them.
func ShiftWords(words []string, current Date, now Now) (Date, error) {
	p := parser{words: slices.Clone(words), now: now, whole: true}
	d := p.direction()
	if d.invalid != "" {
		return Date{}, &UnclearError{Reason: d.invalid}
	}
	at, _ := p.anyAt(d.at, "by another", "by an extra", "by", "for another", "for", "another", "an extra", "out")
	at = max(at, d.at)
	if w, sign := spoken(p.word(at)); sign != 0 {
		p.words[at], d.sign = w, sign
	}
	if p.word(at-1) == "another" && !p.startsQuantity(at) { // "another week"
		at--
	}
	if a, end, invalid, ok := p.amount(at); ok {
		if p.trailing(&d, end) {
			if invalid == "" {
				current, invalid = a.times(d.sign).after(current)
			}
			if invalid != "" {
				return Date{}, &UnclearError{Reason: invalid}
			}
			return current, nil
		}
	}
	at = d.at
	if w := p.word(at); w == "to" || w == "until" || w == "till" || w == "for" {
		at++
	}
	if at >= len(p.words) {
		return Date{}, unclear("Please tell me how far to move the date, for example “by two days”.")
	}
	to, err := parseWhole(p.words[at:], now)
	if err != nil {
		return Date{}, err
	}
	return to.Onto(current, now)
}

// IsSpan reports whether words are a span by which ShiftWords moves a due date: "two days", "an hour earlier".
func IsSpan(words []string) bool {
	p := parser{words: words, whole: true}
	at, _ := p.anyAt(0, "another", "an extra")
	if !p.startsQuantity(at) {
		at = 0
	}
	_, end, _, ok := p.amount(at)
	if !ok {
		return false
	}
	return p.trailing(&direction{}, end)
}

func (p parser) startsQuantity(i int) bool {
	_, _, ok := p.quantity(i)
	return ok
}

// direction is the beginning of a shift.
type direction struct {
	at      int // the index after it
	sign    int // -1 for earlier
	invalid string
}

// direction parses "push it back", "postpone" and "bring forward" at the beginning.
func (p parser) direction() direction {
	d := direction{sign: 1}
	verb := p.word(0)
	if shiftVerbs[verb] {
		d.at = 1
	}
	if end, ok := p.anyAt(
		d.at,
		"it",
		"this",
		"that",
		"the due date",
		"due date",
		"the deadline",
		"deadline",
	); ok &&
		d.at == 1 {
		d.at = end
	}
	switch w := p.word(d.at); w {
	case "back", "later", "off":
		d.at++
	case "earlier", "sooner", "ahead":
		d.sign, d.at = -1, d.at+1
	case "up", "forward", "forwards":
		if verb != "bring" {
			d.invalid = "“" + strings.TrimSpace(verb+" "+w) + "” can mean earlier or later. Please write “earlier” or “later”."
		}
		d.sign, d.at = -1, d.at+1
	}
	return d
}

var shiftVerbs = map[string]bool{
	"push": true, "move": true, "postpone": true, "delay": true, "shift": true, "snooze": true, "defer": true,
	"bump": true, "extend": true, "reschedule": true, "bring": true,
}

// trailing parses "later" and "earlier" after a span, and reports whether nothing else follows.
func (p parser) trailing(d *direction, end int) bool {
	if _, ok := p.anyAt(end, "earlier", "sooner", "before"); ok {
		d.sign, end = -1, end+1
	} else if _, ok := p.anyAt(end, "later", "more", "back"); ok {
		d.sign, end = 1, end+1
	}
	return end == len(p.words)
}

// Onto returns the due date of a task with the due date current that is given a new one: a new day keeps the time of
// day of current, and a time without a day keeps its day unless that time is over.
func (d Date) Onto(current Date, now Now) (Date, error) {
	var wall time.Time
	switch {
	case current.Day.IsZero():
		return d, nil
	case d.AnyDay:
		wall = current.Day.Add(timeOfDay(d.At))
	case !d.Timed && current.Timed:
		wall = d.Day.Add(timeOfDay(current.At))
	default:
		return d, nil
	}
	at, invalid := localTime(wall, now.Location())
	if invalid != "" {
		return Date{}, &UnclearError{Reason: invalid}
	}
	if d.AnyDay && !at.After(now.Time) {
		return d, nil
	}
	return instant(at), nil
}

func timeOfDay(t time.Time) time.Duration {
	return time.Duration(
		t.Hour(),
	)*time.Hour + time.Duration(
		t.Minute(),
	)*time.Minute + time.Duration(
		t.Second(),
	)*time.Second
}
