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
		`^(\d{4}[-/.]\d{1,2}([-/.]\d{1,2})?(t[\d:.z]+)?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})$`,
	)
	timeForm     = regexp.MustCompile(`^@?(\d{1,2}[:h]\d{2}(:\d{2})?([ap]\.?m\.?)?|\d{1,2}(\.\d{2})?[ap]\.?m\.?)$`)
	bareTimeForm = regexp.MustCompile(`^\d{1,2}(\.\d{2})?$`)

	// qualifiers precede a unit, a weekday or a month to form a date that may not be understood: "last friday".
	qualifiers = map[string]bool{
		"this": true, "next": true, "last": true, "coming": true, "following": true, "upcoming": true, "past": true,
		"previous": true,
	}
	// modifiers directly before a date change its meaning in ways that a due date cannot express.
	modifiers = map[string]bool{
		"after": true, "since": true, "except": true, "not": true, "early": true, "late": true, "mid": true, "or": true,
		"between": true, "never": true,
	}
	// ambiguousNames are names of days and months that are also ordinary words or names of people.
	ambiguousNames = map[string]bool{
		"sat": true, "sun": true, "wed": true, "may": true, "march": true, "mar": true, "jan": true, "april": true,
		"june": true, "august": true,
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
	if d, ok := p.namedDay(i, ""); ok {
		return d.end
	}
	if d, ok := p.endOfPeriod(i, ""); ok {
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
	case namedHours[w] > 0, numericDateForm.MatchString(w), timeForm.MatchString(w):
		return i + 1
	case slashForm.MatchString(w) && (introWords[before] || qualifiers[before]) && strings.Contains(w, "/"):
		return i + 1
	case p.dayNumber(i):
		return i + 1
	case bareTimeForm.MatchString(w):
		return p.bareTime(i)
	}
	return i
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
	if _, ok := weekdays[w]; ok {
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
	if isMonth || isDayName(w) || qualified[w] || unitOf(w) != "" {
		return i + 2
	}
	if n, end, ok := p.number(i + 1); ok && n > 0 && unitOf(p.word(end)) != "" {
		return end + 1
	}
	return i
}

// repetition returns the end of words for a repetition at i, which due dates cannot express, or i.
func (p parser) repetition(i int) int {
	w := p.word(i)
	switch {
	case (w == "every" || w == "each") && p.isRepetition(i+1):
		if n, end, ok := p.number(i + 1); ok && n > 0 && unitOf(p.word(end)) != "" {
			return end + 1
		}
		if (p.word(i+1) == "other" || p.word(i+1) == "second") && (unitOf(p.word(i+2)) != "" || isDayName(p.word(i+2))) {
			return i + 3
		}
		return i + 2
	case (w == "everyday" || recurrenceWords[w]) && p.lastWord(i):
		return i + 1
	}
	return p.frequency(i)
}

// frequency returns the end of "twice a week" at i, or i.
func (p parser) frequency(i int) int {
	counts := p.word(i) == "once" || p.word(i) == "twice" || p.word(i) == "times"
	if counts && (p.word(i+1) == "a" || p.word(i+1) == "per") && repeatUnits[p.word(i+2)] {
		return i + 3
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
	n, unitAt, ok := p.number(at)
	if !ok || n == 0 || unitOf(p.word(unitAt)) == "" {
		return i
	}
	if end, ok := p.anyAt(unitAt+1, "from now", "from today", "later", "ago", "earlier"); ok {
		return end
	}
	switch p.word(unitAt + 1) {
	case "from", "before", "after": // "a week from friday"
		if end := p.dateLike(unitAt + 2); end > unitAt+2 {
			return end
		}
	}
	if leads {
		return unitAt + 1
	}
	return i
}
