package due

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// clock is a time of day whose words end before index end.
type clock struct {
	hour, minute, second int
	end                  int
	// unambiguous means that the words cannot mean anything else; approximate that they name a part of the day,
	// which an hour may refine.
	unambiguous, approximate bool
	evening                  bool
	noHalf                   bool // the hour has no am or pm
	vague                    bool // "7ish"
	zone                     *time.Location
	invalid                  string
}

// at returns the wall-clock time of c on a day.
func (c clock) at(day time.Time) time.Time {
	hour := c.hour
	// "at 5" for a task means the afternoon; "tonight at 9" means the evening.
	if c.noHalf && (c.evening && hour <= 12 || hour >= 1 && hour <= 6) {
		hour += 12
	}
	return day.Add(time.Duration(hour)*time.Hour + time.Duration(c.minute)*time.Minute +
		time.Duration(c.second)*time.Second)
}

// refine returns c with am or pm chosen by a part of the day that precedes it ("tonight at 9"). part may be nil.
func (c clock) refine(part *clock) *clock {
	if part != nil {
		c.evening = c.evening || part.hour >= 12
		c.noHalf = c.noHalf && part.hour >= 12
	}
	return &c
}

// within returns c with am or pm chosen by a part of the day that follows it ("6:30 tomorrow morning").
func (c clock) within(part clock) (*clock, string) {
	if c.noHalf && c.hour <= 12 {
		c.evening = part.hour >= 12
		c.noHalf = c.evening
		return &c, ""
	}
	if (c.hour < 12) != (part.hour < 12) && c.hour%24 > 3 {
		return &c, "The text names two different times of day."
	}
	return &c, ""
}

// dayParts are the hours that stand for parts of the day without a time.
var dayParts = map[string]int{"morning": 9, "lunchtime": 12, "afternoon": 15, "evening": 18, "night": 20}

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

var (
	clockForm   = regexp.MustCompile(`^@?(\d{1,2})(?:([:.h])(\d{2})(?::(\d{2})(?:\.\d+)?)?)?([ap])?\.?(m\.?)?$`)
	compactForm = regexp.MustCompile(`^@?(\d{1,2})(\d{2})(?:([ap])\.?m\.?|h|hrs)?$`)
	hourForm    = regexp.MustCompile(`^@?(\d{1,2})h$`)
	// zonedForm is a time of day and a zone in one word.
	zonedForm = regexp.MustCompile(`^(@?\d{1,2}(?::\d{2}){0,2}(?:[ap]m)?)` +
		`(z|utc|gmt|(?:utc|gmt)?[-+]\d{1,2}:\d{2}|(?:utc|gmt)[-+]\d{1,2})$`)
	// timeRangeForm is a start with hour, minutes and half, and an end with hour and half.
	timeRangeForm = regexp.MustCompile(`^@?(\d{1,2})(:\d{2})?(?:([ap])m)?-(\d{1,2})(?::\d{2})?(?:([ap])m)?$`)
)

// clock parses a time at i. intro is the preposition before it; beside is set when it is next to a day.
//
//nolint:gocyclo // one case per form of the words
func (p parser) clock(
	i int,
	intro string,
	beside bool,
) (clock, bool) {
	announced := timeIntroWords[intro]
	w := p.word(i)
	if rest, ok := strings.CutPrefix(w, "@"); ok && rest != "" {
		announced = true
	}
	if hour := namedHours[w]; hour > 0 {
		if !announced && !beside && !p.whole {
			_, beside = p.day(i+1, "")
		}
		return clock{hour: hour, end: i + 1, unambiguous: announced}, announced || beside || p.whole
	}
	if end, ok := p.anyAt(i, "first thing in the morning", "first thing"); ok {
		if !beside {
			_, beside = p.day(end, "")
		}
		return clock{hour: dayParts["morning"], end: end, approximate: true}, beside
	}
	if hour := dayParts[w]; hour > 0 {
		return clock{hour: hour, end: i + 1, approximate: true}, beside && p.word(i-1) != "for"
	}
	if hour := dayParts[p.word(i+2)]; hour > 0 && w == "in" && p.word(i+1) == "the" {
		return clock{hour: hour, end: i + 3, approximate: true}, beside || p.lastWord(i+2)
	}
	if end, ok := p.phraseAt(i, "at night"); ok {
		return clock{hour: dayParts["night"], end: end, approximate: true}, beside
	}
	if w == "half" || w == "quarter" || p.word(i+1) == "past" || p.word(i+1) == "to" {
		if c, ok := p.fractionOfHour(i); ok {
			return c, true
		}
	}
	return p.numericTime(i, announced, beside)
}

// fractionOfHour parses "half past 5", "quarter to 6" and "10 past 5".
func (p parser) fractionOfHour(i int) (clock, bool) {
	minutes := map[string]int{
		"half":    30,
		"quarter": 15,
		"5":       5,
		"10":      10,
		"20":      20,
		"25":      25,
		"five":    5,
		"ten":     10,
		"twenty":  20,
	}
	n, known := minutes[p.word(i)]
	if p.word(i) == "half" {
		if c, ok := p.halfHour(i); ok {
			return c, true
		}
	}
	m := clockForm.FindStringSubmatch(numeral(p.word(i + 2)))
	if !known || m == nil || m[3] != "" {
		return clock{}, false
	}
	hour := parseNumber(m[1])
	c := clock{hour: hour, minute: n, end: i + 3, unambiguous: true, noHalf: m[5] == ""}
	half := m[5]
	if half == "" {
		if next := strings.ReplaceAll(p.word(c.end), ".", ""); next == "am" || next == "pm" {
			half, c.noHalf = next[:1], false
			c.end++
		}
	}
	switch {
	case hour < 1 || hour > 12:
		return clock{}, false
	case p.word(i+1) == "to" && p.word(i) != "half":
		c.minute = -n
	case p.word(i+1) != "past":
		return clock{}, false
	}
	c.hour = hourOf(hour, half)
	return c, true
}

// halfHour parses "half 5", which is half past five in British English.
func (p parser) halfHour(i int) (clock, bool) {
	hour := parseNumber(numeral(p.word(i + 1)))
	if hour < 1 || hour > 12 || !p.timeMayEndAt(i+2) {
		return clock{}, false
	}
	return p.halfOfDay(clock{hour: hour, minute: 30, end: i + 2, unambiguous: true, noHalf: true}), true
}

// numeral returns the digits of a word for an hour ("five"), or the word.
func numeral(w string) string {
	if n := numberWords[w]; n > 0 && n <= 12 {
		return strconv.Itoa(n)
	}
	return w
}

// hourOf returns the hour of the day; half is "a", "p" or "".
func hourOf(hour int, half string) int {
	switch {
	case half == "a" && hour == 12:
		return 0
	case half == "p" && hour < 12:
		return hour + 12
	}
	return hour
}

// numericTime parses "5pm", "5 p.m.", "17:30", "17h", "5 oclock" and, after a time preposition or beside a day, "1630"
// and "5".
//
//nolint:gocyclo // one case per form of the words
func (p parser) numericTime(
	i int,
	announced, beside bool,
) (clock, bool) {
	w := p.word(i)
	end := i + 1
	if m := zonedForm.FindStringSubmatch(w); m != nil {
		return p.zonedTime(m[1], m[2], end)
	}
	if about, ok := strings.CutSuffix(w, "ish"); ok && bareTimeForm.MatchString(about) {
		w, announced = about, true
	}
	if m := timeRangeForm.FindStringSubmatch(w); m != nil && !p.whole && m[2]+m[3]+m[5] != "" {
		return p.startOfRange(m, end)
	}
	if bare := numeral(w); bare != w && (announced || beside) {
		w = bare
	}
	half := strings.ReplaceAll(p.word(end), ".", "")
	if half == "am" || half == "pm" {
		end++
	} else {
		half = ""
	}
	if m := hourForm.FindStringSubmatch(w); m != nil && half == "" {
		n := parseNumber(m[1])
		return p.hour(n, end, announced || n > 12 && (beside || p.whole))
	}
	if m := compactForm.FindStringSubmatch(w); m != nil {
		return p.compactTime(m, half, end, announced || beside)
	}
	m := clockForm.FindStringSubmatch(w)
	if m == nil || m[5] != "" && m[6] == "" || m[5] == "" && m[6] != "" || m[5] != "" && half != "" {
		return clock{}, false
	}
	if m[5] != "" {
		half = m[5]
	}
	switch {
	case m[3] == "" && half == "":
		c, ok := p.bareHour(m[1], i, announced)
		c.vague = strings.HasSuffix(p.word(i), "ish")
		return c, ok
	case m[2] == "." && half == "" && !announced, half == "" && !announced && p.citesVerse(i):
		return clock{}, false
	}
	c := clock{
		hour: parseNumber(m[1]), minute: parseNumber(m[3]), second: parseNumber(m[4]), end: end, unambiguous: true,
		noHalf: half == "" && !strings.HasPrefix(m[1], "0") && m[2] != "h",
	}
	return p.complete(c, half, p.said(i, end)), true
}

// zonedTime parses "10:00z" and "5pm+01:00", which are the words time and zone, before index end.
func (p parser) zonedTime(timeOfDay, zone string, end int) (clock, bool) {
	sub := parser{words: []string{timeOfDay, zone}, now: p.now}
	c, ok := sub.numericTime(0, true, true)
	if !ok || c.end != 1 {
		return clock{}, false
	}
	loc, after, invalid := sub.zone(1)
	if after != 2 {
		return clock{}, false
	}
	c.end, c.zone, c.noHalf = end, loc, false
	if c.invalid == "" {
		c.invalid = invalid
	}
	return c, true
}

// startOfRange parses "10:30-11" and "3-5pm" as the time at which the range starts.
func (p parser) startOfRange(m []string, end int) (clock, bool) {
	half := m[3]
	if half == "" {
		half = m[5]
	}
	from, to := parseNumber(m[1]), parseNumber(m[4])
	if m[3] == "" && half == "p" && from > to && from != 12 { // "11-1pm" starts in the morning
		half = "a"
	}
	_, minute, _ := strings.Cut(m[2], ":")
	c := clock{hour: from, minute: parseNumber(minute), end: end, unambiguous: true, noHalf: half == ""}
	if half != "" {
		half += "m"
	}
	return p.complete(c, half, p.said(end-1, end)), true
}

// citesVerse reports whether "3:16" at i is a verse of a book: "read John 3:16".
func (p parser) citesVerse(i int) bool {
	book := p.word(i - 1)
	return scripture[book] || readers[p.word(i-2)] && namedScripture[book]
}

// bareHour parses "5 oclock" and, after a time preposition, "5".
func (p parser) bareHour(w string, i int, announced bool) (clock, bool) {
	end := i + 1
	if p.word(end) == "oclock" {
		return p.hour(parseNumber(w), end+1, true)
	}
	if _, _, numbered := p.namedOrdinal(i); numbered || p.isUnit(end) {
		return clock{}, false
	}
	return p.hour(parseNumber(w), end, announced && p.timeMayEndAt(end))
}

func (p parser) hour(n, end int, ok bool) (clock, bool) {
	if n > 24 {
		return clock{}, false
	}
	return p.halfOfDay(clock{hour: n, end: end, unambiguous: true, noHalf: true}), ok
}

// compactTime parses "830pm", "1630" and "1630h". Four digits may also be a year.
//
//nolint:gocyclo // one case per form of the words
func (p parser) compactTime(m []string, half string, end int, placed bool) (clock, bool) {
	if m[3] != "" {
		half = m[3]
	}
	bare := half == "" && strings.Trim(m[0], "@0123456789") == ""
	if w := p.word(end); bare && len(strings.TrimPrefix(m[0], "@")) == 4 && (w == "h" || w == "hrs" || w == "hours") {
		bare, end = false, end+1
	}
	c := clock{
		hour:        parseNumber(m[1]),
		minute:      parseNumber(m[2]),
		end:         end,
		unambiguous: true,
		noHalf:      len(m[1]) == 1 && half == "",
	}
	if !bare {
		return p.complete(c, half, p.said(end-1, end)), true
	}
	if !placed && !p.whole || c.hour > 23 || c.minute > 59 || len(m[0]) == 3 && !placed {
		return clock{}, false
	}
	if n := 100*c.hour + c.minute; n >= 1950 && n <= 2099 && p.word(end-2) != "at" && p.word(end-2) != "@" {
		c.invalid = p.said(end-1, end) + " can be a year or a time. " + example
	}
	return c, placed || p.whole
}

// complete applies am or pm to c and checks it.
func (p parser) complete(c clock, half, said string) clock {
	bad := c.minute > 59 || c.second > 59 || c.hour > 24 || c.hour == 24 && c.minute+c.second > 0 ||
		half != "" && (c.hour > 12 || c.hour == 0 && half[:1] == "p")
	if bad {
		c.invalid = "There is no time " + strings.Trim(said, "“”@") + "."
		return c
	}
	if half != "" {
		c.hour, c.noHalf = hourOf(c.hour, half[:1]), false
	}
	return p.halfOfDay(c)
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
		"today", "tomorrow", "tonight", "this", "next", "sharp", "or", "from", "until", "till", "before", "after", "at":
		return true
	}
	if zoneNames[p.word(i)] != "" || ambiguousZones[p.word(i)] {
		return true
	}
	_, ok := p.day(i, "")
	return ok
}
