package due

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// clock is a time of day whose words end before index end.
type clock struct {
	hour, minute int
	end          int
	// unambiguous means that the words cannot mean anything else; approximate that they name a part of the day,
	// which an hour may refine.
	unambiguous, approximate bool
	evening                  bool
	noHalf                   bool // the hour has no am or pm
	invalid                  string
}

// at returns the wall-clock time of c on a day.
func (c clock) at(day time.Time) time.Time {
	hour := c.hour
	// "at 5" for a task means the afternoon; "tonight at 9" means the evening.
	if c.noHalf && (c.evening && hour <= 12 || hour >= 1 && hour <= 6) {
		hour += 12
	}
	return day.Add(time.Duration(hour)*time.Hour + time.Duration(c.minute)*time.Minute)
}

// refine returns c with am or pm chosen by a part of the day that precedes it ("tonight at 9"). part may be nil.
func (c clock) refine(part *clock) *clock {
	if part != nil {
		c.evening = c.evening || part.hour >= 12
		c.noHalf = c.noHalf && part.hour >= 12
	}
	return &c
}

// dayParts are the hours that stand for parts of the day without a time.
var dayParts = map[string]int{"morning": 9, "afternoon": 15, "evening": 18, "night": 20}

var clockWord = regexp.MustCompile(`^\d{1,2}([:.h]\d{2})?([ap]\.?m\.?)?$`)

// timeIntroWords lists the prepositions after which a bare number is a time.
var timeIntroWords = map[string]bool{
	"at":     true,
	"by":     true,
	"before": true,
	"@":      true,
	"around": true,
	"until":  true,
	"due":    true,
}

var namedHours = map[string]int{"noon": 12, "midday": 12, "midnight": 24}

// clock parses a time at i. intro is the preposition before it; beside is set when it is next to a day.
func (p parser) clock(i int, intro string, beside bool) (clock, bool) {
	announced := timeIntroWords[intro]
	w := p.word(i)
	if hour := namedHours[w]; hour > 0 {
		return clock{hour: hour, end: i + 1, unambiguous: announced}, announced || beside || p.whole
	}
	if hour := dayParts[w]; hour > 0 {
		return clock{hour: hour, end: i + 1, approximate: true}, beside && p.word(i-1) != "for"
	}
	if hour := dayParts[p.word(i+2)]; hour > 0 && w == "in" && p.word(i+1) == "the" {
		return clock{hour: hour, end: i + 3, approximate: true}, beside
	}
	if w == "half" || w == "quarter" {
		return p.fractionOfHour(i)
	}
	if strings.HasPrefix(w, "@") && len(w) > 1 {
		return p.numericTime(i, w[1:], true)
	}
	return p.numericTime(i, w, announced)
}

// fractionOfHour parses "half past 5" and "quarter to 6".
func (p parser) fractionOfHour(i int) (clock, bool) {
	hour, err := strconv.Atoi(p.word(i + 2))
	if err != nil || hour < 1 || hour > 12 {
		return clock{}, false
	}
	c := clock{hour: hour, end: i + 3, unambiguous: true, noHalf: true}
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

// numericTime parses "5pm", "5 p.m.", "17:30", "5 oclock" and, after a time preposition, "5".
func (p parser) numericTime(i int, w string, announced bool) (clock, bool) {
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
		return p.bareHour(w, end, announced && p.timeMayEndAt(end))
	}
	if strings.Contains(w, ".") && !strings.HasSuffix(w, "m") && !announced {
		return clock{}, false
	}
	w = strings.NewReplacer(".", ":", "h", ":").Replace(w)
	hour, minute, ok := parseTimeOfDay(w)
	if !ok {
		return clock{end: end, unambiguous: true, invalid: "There is no time " + w + "."}, true
	}
	bare := !strings.HasSuffix(w, "m") && !strings.HasPrefix(w, "0")
	return p.halfOfDay(clock{hour: hour, minute: minute, end: end, unambiguous: true, noHalf: bare}), true
}

func (p parser) bareHour(w string, end int, ok bool) (clock, bool) {
	hour, err := strconv.Atoi(w)
	if err != nil || hour > 24 {
		return clock{}, false
	}
	return p.halfOfDay(clock{hour: hour, end: end, unambiguous: true, noHalf: true}), ok
}

// halfOfDay chooses am or pm by words after the hour: "in the morning", "at night".
func (p parser) halfOfDay(c clock) clock {
	next := strings.Join([]string{p.word(c.end), p.word(c.end + 1), p.word(c.end + 2)}, " ")
	switch {
	case !c.noHalf:
	case next == "in the morning":
		c.noHalf, c.end = false, c.end+3
	case next == "in the afternoon" || next == "in the evening":
		c.evening, c.end = true, c.end+3
	case strings.HasPrefix(next, "at night "):
		c.evening, c.end = true, c.end+2
	}
	return c
}

// timeMayEndAt reports whether a time may end before word i, to distinguish "at 5" and "at 5 to call" from
// "at 5 Main Street".
func (p parser) timeMayEndAt(i int) bool {
	switch p.word(i) {
	case "", "to", "with", "for", "on", "and", "about", "that", "in", ",", ".", ";", ")", "(", "!", "?",
		"today", "tomorrow", "tonight", "this", "next", "sharp":
		return true
	}
	_, ok := p.day(i, "")
	return ok
}

// parseTimeOfDay parses a time with minutes or am/pm with the date library. It handles 12am itself, which the library
// takes for noon.
func parseTimeOfDay(w string) (hour, minute int, ok bool) {
	if strings.HasPrefix(w, "12") && strings.HasSuffix(w, "am") {
		w = "00" + strings.TrimSuffix(w[2:], "am")
		if w == "00" {
			return 0, 0, true
		}
	}
	t, ok := parseWithWhen(w, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
	return t.Hour(), t.Minute(), ok
}
