package due

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// clock is a time of day that ends before word end.
type clock struct {
	hour, minute int
	end          int
	// strong: it can mean nothing else; rough: a part of the day that an hour may still refine.
	strong, rough bool
	evening       bool
	bare          bool // an hour without am or pm
	fault         string
}

// on is the time of day on a day, in wall-clock terms.
func (c clock) on(day time.Time) time.Time {
	hour := c.hour
	// People who say "at 5" for a task mean the afternoon; "tonight at 9" the evening.
	if c.bare && (c.evening && hour <= 12 || hour >= 1 && hour <= 6) {
		hour += 12
	}
	return day.Add(time.Duration(hour)*time.Hour + time.Duration(c.minute)*time.Minute)
}

// within lets a part of the day named before ("tonight at 9") settle which half an hour is in.
func (c clock) within(part *clock) *clock {
	if part != nil {
		c.evening = c.evening || part.hour >= 12
		c.bare = c.bare && part.hour >= 12
	}
	return &c
}

// Hours for the parts of a day that people name without a time.
var dayParts = map[string]int{"morning": 9, "afternoon": 15, "evening": 18, "night": 20}

var clockWord = regexp.MustCompile(`^\d{1,2}([:.h]\d{2})?([ap]\.?m\.?)?$`)

// announcesTime lists the prepositions after which a bare number is a time.
var announcesTime = map[string]bool{
	"at":     true,
	"by":     true,
	"before": true,
	"@":      true,
	"around": true,
	"until":  true,
	"due":    true,
}

var namedHours = map[string]int{"noon": 12, "midday": 12, "midnight": 24}

// clock reads a time at i. intro is the preposition before it; beside is set when a
// day stands next to it.
func (p parser) clock(i int, intro string, beside bool) (clock, bool) {
	announced := announcesTime[intro]
	w := p.word(i)
	if hour := namedHours[w]; hour > 0 {
		return clock{hour: hour, end: i + 1, strong: announced}, announced || beside || p.whole
	}
	if hour := dayParts[w]; hour > 0 {
		return clock{hour: hour, end: i + 1, rough: true}, beside && p.word(i-1) != "for"
	}
	if hour := dayParts[p.word(i+2)]; hour > 0 && w == "in" && p.word(i+1) == "the" {
		return clock{hour: hour, end: i + 3, rough: true}, beside
	}
	if w == "half" || w == "quarter" {
		return p.spoken(i)
	}
	if strings.HasPrefix(w, "@") && len(w) > 1 {
		return p.digital(i, w[1:], true)
	}
	return p.digital(i, w, announced)
}

// spoken reads "half past 5", "quarter to 6".
func (p parser) spoken(i int) (clock, bool) {
	hour, err := strconv.Atoi(p.word(i + 2))
	if err != nil || hour < 1 || hour > 12 {
		return clock{}, false
	}
	c := clock{hour: hour, end: i + 3, strong: true, bare: true}
	switch p.word(i) + " " + p.word(i+1) {
	case "half past":
		c.minute = 30
	case "quarter past":
		c.minute = 15
	case "quarter to":
		c.minute = -15
	default:
		return clock{}, false
	}
	return c, true
}

// digital reads "5pm", "5 p.m.", "17:30", "5 oclock" and, when announced, "5".
func (p parser) digital(i int, w string, announced bool) (clock, bool) {
	if !clockWord.MatchString(w) {
		return clock{}, false
	}
	end := i + 1
	half := strings.ReplaceAll(p.word(end), ".", "")
	switch half {
	case "am", "pm":
		w += half
		end++
	case "oclock":
		return p.bareHour(w, end+1, true)
	}
	w = strings.NewReplacer(".m", "m", "m.", "m").Replace(w)
	if _, err := strconv.Atoi(w); err == nil {
		return p.bareHour(w, end, announced && p.mayEndHere(end))
	}
	if strings.Contains(w, ".") && !strings.HasSuffix(w, "m") && !announced {
		return clock{}, false
	}
	w = strings.NewReplacer(".", ":", "h", ":").Replace(w)
	hour, minute, ok := readClock(w)
	if !ok {
		return clock{end: end, strong: true, fault: "There is no time " + w + "."}, true
	}
	bare := !strings.HasSuffix(w, "m") && !strings.HasPrefix(w, "0")
	return p.halfOfDay(clock{hour: hour, minute: minute, end: end, strong: true, bare: bare}), true
}

func (p parser) bareHour(w string, end int, ok bool) (clock, bool) {
	hour, err := strconv.Atoi(w)
	if err != nil || hour > 24 {
		return clock{}, false
	}
	return p.halfOfDay(clock{hour: hour, end: end, strong: true, bare: true}), ok
}

// halfOfDay lets "in the morning" or "at night" behind an hour settle which half is meant.
func (p parser) halfOfDay(c clock) clock {
	next := strings.Join([]string{p.word(c.end), p.word(c.end + 1), p.word(c.end + 2)}, " ")
	switch {
	case !c.bare:
	case next == "in the morning":
		c.bare, c.end = false, c.end+3
	case next == "in the afternoon" || next == "in the evening":
		c.evening, c.end = true, c.end+3
	case strings.HasPrefix(next, "at night "):
		c.evening, c.end = true, c.end+2
	}
	return c
}

// mayEndHere tells "at 5" and "at 5 to call" from "at 5 Main Street".
func (p parser) mayEndHere(i int) bool {
	switch p.word(i) {
	case "",
		"to",
		"with",
		"for",
		"on",
		"and",
		"about",
		"that",
		"in",
		",",
		".",
		";",
		")",
		"(",
		"!",
		"?",
		"today",
		"tomorrow",
		"tonight",
		"this",
		"next",
		"sharp":
		return true
	}
	_, ok := p.day(i, "")
	return ok
}

// readClock asks the date library for a time with minutes or am/pm. Noon and midnight
// with am/pm are read here: the library takes 12am for noon.
func readClock(w string) (hour, minute int, ok bool) {
	if strings.HasPrefix(w, "12") && strings.HasSuffix(w, "am") {
		w = "00" + strings.TrimSuffix(w[2:], "am")
		if w == "00" {
			return 0, 0, true
		}
	}
	t, ok := parseWithWhen(w, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
	return t.Hour(), t.Minute(), ok
}
