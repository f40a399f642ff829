package due

import (
	"regexp"
	"slices"
	"strings"
)

// Part is the range words[Start:End].
type Part struct{ Start, End int }

// DateLike returns the parts of a sentence that look like a date or a time, understood or not, in order. A date that
// Find returns is certain only if it contains all of them. Words that are more often something else ("may", "sat",
// "1/2") count only after a preposition or a word such as "next".
func DateLike(words []string) []Part {
	p := parser{words: words}
	var parts []Part
	for i := 0; i < len(words); {
		if end := p.title(i); end > i {
			i = end
			continue
		}
		end := p.dateLike(i)
		if end <= i {
			i++
			continue
		}
		if n := len(parts); n > 0 && p.onlyIntro(parts[n-1].End, i) {
			parts[n-1].End = end
		} else {
			start := i
			if modifiers[p.word(i-1)] {
				start--
			}
			parts = append(parts, Part{start, end})
		}
		i = end
	}
	return parts
}

// onlyIntro reports whether words[from:to] are prepositions, such as "at" in "friday at noon".
func (p parser) onlyIntro(from, to int) bool {
	return !slices.ContainsFunc(p.words[from:to], func(w string) bool { return !introWords[w] })
}

var (
	numericDateForm = regexp.MustCompile(
		`^(\d{4}[-/.]\d{1,2}([-/.]\d{1,2})?(t[\d:.z+-]+)?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})$`,
	)
	timeForm = regexp.MustCompile(`^@?(\d{1,2}[:h]\d{2}(:\d{2})?([ap]\.?m\.?)?|\d{1,2}(\.?\d{2})?[ap]\.?m\.?)` +
		`(z|utc|gmt|[-+]\d{1,2}(:?\d{2})?([ap]m)?)?$|^\d{1,2}-\d{1,2}[ap]m$`)
	hourRange    = regexp.MustCompile(`^\d{1,4}-\d{1,4}(h|hrs?|[ap]m)?$`)
	bareTimeForm = regexp.MustCompile(`^\d{1,2}(\.\d{2})?$`)

	// qualifiers precede a unit, a weekday or a month to form a date that may not be understood: "last friday".
	qualifiers = map[string]bool{
		"this": true, "next": true, "last": true, "coming": true, "following": true, "upcoming": true, "past": true,
		"previous": true,
	}
	// modifiers directly before a date change its meaning in ways that a due date cannot express.
	modifiers = map[string]bool{
		"after": true, "since": true, "except": true, "not": true, "early": true, "late": true, "mid": true, "or": true,
		"between": true, "never": true, "from": true, "every": true, "each": true, "past": true,
	}
	qualified = map[string]bool{
		"weekend": true, "morning": true, "afternoon": true, "evening": true, "night": true, "quarter": true,
		"spring": true, "summer": true, "autumn": true, "winter": true, "xmas": true, "christmas": true, "easter": true,
	}
	dateLikePhrases = []string{
		"in the morning", "in the afternoon", "in the evening", "at night", "first thing", "the weekend",
		"half past", "quarter past", "quarter to", "new years eve", "new years day", "christmas eve", "christmas day",
	}
)

// dateLike returns the end of the date-like words at i, or i.
func (p parser) dateLike(i int) int {
	if p.word(i) == "" {
		return i
	}
	if end := p.describes(i); end > i {
		return i
	}
	if d, ok := p.namedDay(i, ""); ok {
		return d.end
	}
	if nearName(p.word(i)) != "" {
		return i + 1
	}
	if p.word(i) == "yesterday" || endAbbreviations[p.word(i)] != "" || p.word(i) == "eod" || p.word(i) == "cob" {
		return i + 1
	}
	if d, ok := p.periodEdge(i, ""); ok {
		return d.end
	}
	if d, ok := p.ordinalWeekday(i, ""); ok {
		return d.end
	}
	if end, ok := p.anyAt(i, dateLikePhrases...); ok {
		return end
	}
	if end := p.qualifiedDate(i); end > i {
		return end
	}
	if end := p.repetition(i); end > i {
		return end
	}
	if end := p.relativeSpan(i); end > i {
		return end
	}
	return p.datePart(i)
}

// datePart returns the end of a weekday, a month with its day, a numeric date or a time at i.
func (p parser) datePart(i int) int {
	w, before := p.word(i), p.word(i-1)
	introduced := introWords[before] || qualifiers[before] || before == "in" || before == "of" || before == "the"
	_, end, isOrdinal := p.ordinal(i)
	if isOrdinal && p.word(end) == "of" {
		end++
	}
	if _, ok := monthOf(p.word(end)); isOrdinal && ok && end < len(p.words) {
		return end + 1
	}
	if end := p.dayOrMonth(i, introduced); end > i {
		return end
	}
	switch {
	case namedHours[w] > 0, numericDateForm.MatchString(w), timeForm.MatchString(w) && !p.citesVerse(i):
		return i + 1
	case p.slashDate(i):
		return i + 1
	case p.dayNumber(i):
		return i + 1
	case bareTimeForm.MatchString(w):
		return p.bareTime(i)
	}
	return i
}

// slashDate reports whether "3/4" at i looks like a date: after a preposition, next to a time, or as the last word if
// it can only be a date.
func (p parser) slashDate(i int) bool {
	m, before := slashForm.FindStringSubmatch(p.word(i)), p.word(i-1)
	if m == nil || m[2] != "/" {
		return false
	}
	return introWords[before] || qualifiers[before] || p.clockFollows(i+1) ||
		p.isLoneDate(i, parseNumber(m[1]), parseNumber(m[3]))
}

// dayOrMonth returns the end of a weekday, or of a month and its day, at i, or i.
func (p parser) dayOrMonth(i int, introduced bool) int {
	_, isMonth := monthOf(p.word(i))
	if isMonth {
		if _, end, ok := p.ordinal(i + 1); ok && p.word(i+1) != "" {
			return end
		}
	}
	if !isMonth && !isDayName(p.word(i)) || ambiguousNames[p.word(i)] && !introduced {
		return i
	}
	return i + 1
}

// dayNumber reports whether "15th" at i may be a day: after a preposition or a weekday, or as the last word.
func (p parser) dayNumber(i int) bool {
	m := ordinalForm.FindStringSubmatch(p.word(i))
	if m == nil || parseNumber(m[1]) > 31 {
		return false
	}
	before := p.word(i - 1)
	if before == "the" {
		before = p.word(i - 2)
	}
	return introWords[before] || isDayName(before) || p.lastWord(i)
}

// bareTime returns the end of "5 pm" and "5 oclock", or i.
func (p parser) bareTime(i int) int {
	switch strings.ReplaceAll(p.word(i+1), ".", "") {
	case "am", "pm", "oclock":
		return i + 2
	}
	return i
}

func isDayName(w string) bool {
	if _, ok := weekdayOf(w); ok {
		return true
	}
	day, plural := strings.CutSuffix(w, "s")
	_, ok := weekdays[day]
	return plural && ok && len(day) > 4 // "mondays", not "suns"
}

// qualifiedDate returns the end of "last friday", "this quarter" and "next summer", or i.
func (p parser) qualifiedDate(i int) int {
	if !qualifiers[p.word(i)] {
		return i
	}
	w := p.word(i + 1)
	_, isMonth := monthOf(w)
	if isMonth || isDayName(w) || qualified[w] || p.isUnit(i+1) {
		return i + 2
	}
	if n, _, end, ok := p.component(i + 1); ok && n > 0 {
		return end
	}
	return i
}

// lastWord reports whether no word follows i, other than consumed ones.
func (p parser) lastWord(i int) bool {
	return !slices.ContainsFunc(p.words[i+1:], func(w string) bool { return w != "" && w != "." && w != "!" })
}

// relativeSpan returns the end of "within 2 weeks", "3 days ago" and "in a month", or i.
func (p parser) relativeSpan(i int) int {
	at, leads := i, false
	if w := p.word(i); w == "in" || w == "within" || w == "after" {
		at, leads = i+1, true
	}
	_, end, _, ok := p.amount(at)
	if !ok {
		return i
	}
	if after, ok := p.anyAt(end, "from now", "from today", "later", "ago", "earlier", "hence"); ok {
		return after
	}
	switch p.word(end) {
	case "from", "before", "after": // "a week from friday"
		if after := p.datePart(end + 1); after > end+1 {
			return after
		}
	}
	if leads {
		return end
	}
	return i
}

// leftover returns a sentence for the user if words other than those of m look like a date, or change its meaning.
func (p parser) leftover(m Match) string {
	for _, part := range DateLike(p.words) {
		if part.Start < m.Start || part.End > m.End {
			return p.ambiguous(m, part)
		}
	}
	for start := max(0, m.Start-maxWordsBefore); start < m.Start; start++ {
		if _, end, _, ok := p.amount(start); ok && end == m.Start {
			return p.ambiguous(m, Part{start, end})
		}
	}
	if w := p.word(m.Start - 1); modifiers[w] || w == "to" && isDayName(p.word(m.Start-2)) {
		return p.ambiguous(m, Part{m.Start - 1, m.Start})
	}
	if end := p.looseEnd(m.End); end > m.End {
		return p.ambiguous(m, Part{m.End, end})
	}
	return ""
}

// maxWordsBefore is the maximum length of a span directly before a date.
const maxWordsBefore = 4

func (p parser) ambiguous(m Match, part Part) string {
	return "The date is not clear: " + p.said(
		part.Start,
		part.End,
	) + " stands beside " + p.said(
		m.Start,
		m.End,
	) + ". " + example
}

// looseEnd returns the end of words at i, directly after a date, that change its meaning, or i: "after lunch", "and 5",
// "for 2 hours", "utc", "5".
func (p parser) looseEnd(i int) int {
	at := i
	if w := p.word(at); w == "," || w == "(" {
		at++
	}
	switch p.word(at) {
	case "before", "after", "until", "till", "since", "ago":
		return at + 1
	case "from", "to", "and", "or", "-", "through", "thru", "plus", "minus", "for", "at", "by", "of":
		at++
	}
	if _, end, _, ok := p.amount(at); ok {
		return end
	}
	if p.looseNumber(at) {
		return at + 1
	}
	if _, end, _ := p.zone(
		at,
	); end > at && zoneNames[p.word(at)] != "" && len(p.word(at)) > 2 &&
		!strings.Contains(zoneNames[p.word(at)], "/") {
		return end
	}
	return i
}

// looseNumber reports whether a number at i, directly after a date, may be a time or a day: it ends a part of the text.
func (p parser) looseNumber(i int) bool {
	w := p.word(i)
	if hourRange.MatchString(w) {
		return true
	}
	if !bareTimeForm.MatchString(w) && !compactForm.MatchString(w) && !hourForm.MatchString(w) && numberWords[w] == 0 {
		return false
	}
	switch p.word(i + 1) {
	case "", ",", ".", ")", "!", "?", ";", "and", "or", "to", "-":
		return true
	}
	return false
}

// describes returns the end of a time, weekday or month at i that describes a thing ("the 6pm train"), or i.
func (p parser) describes(i int) int {
	if !describers[p.word(i-1)] {
		return i
	}
	w, end := p.word(i), i+1
	isClock := timeForm.MatchString(w)
	if bareTimeForm.MatchString(w) && p.bareTime(i) > i {
		isClock, end = true, i+2
	}
	if _, isMonth := monthOf(w); !isClock && !isMonth && !isDayName(w) {
		return i
	}
	if isClock || p.plain(end) {
		return end
	}
	return i
}

var describers = map[string]bool{
	"the": true, "a": true, "an": true, "my": true, "our": true, "your": true, "his": true, "her": true, "their": true,
	"that": true,
}

// plain reports whether the word at i is a word that a date may describe, not a preposition, mark or part of a date.
func (p parser) plain(i int) bool {
	w := p.word(i)
	if w == "" || introWords[w] || modifiers[w] || qualifiers[w] || strings.Trim(w, "abcdefghijklmnopqrstuvwxyz-") != "" {
		return false
	}
	switch w {
	case "and", "or", "to", "of", "in", "with", "morning", "afternoon", "evening", "night", "noon", "midnight", "tomorrow",
		"today", "tonight", "week":
		return false
	}
	return !isDayName(w)
}
