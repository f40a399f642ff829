package due

import (
	"strings"
	"time"
	"unicode"
)

// Range is a range of days, both inclusive. A zero bound is open.
type Range struct{ From, To time.Time }

// RangeAt parses the range of a question ("this week", "by friday", "in the next 3 days") at words[i:] and returns
// the index of its end. invalid is as in Match.
func RangeAt(words []string, i int, now Now) (r Range, end int, invalid string, ok bool) {
	p := parser{words: words, now: now, past: true}
	at, intro := p.skipIntro(i)
	if p.word(at) == "after" || p.word(at) == "since" {
		intro, at = p.word(at), at+1
	}
	if r, end, ok := p.multiDayRange(at); ok {
		return openRange(r, intro), end, "", true
	}
	p.whole = true
	d, ok := p.day(at, intro)
	if !ok {
		return Range{}, i, "", false
	}
	return openRange(Range{d.day, d.day}, intro), d.end, d.invalid, true
}

// openRange removes a bound of r as the preposition requires: "by friday" has no start.
func openRange(r Range, intro string) Range {
	switch intro {
	case "by", "before", "until", "till":
		return Range{To: r.To}
	case "after":
		return Range{From: r.To.AddDate(0, 0, 1)}
	case "since":
		return Range{From: r.From}
	}
	return r
}

// multiDayRange parses a phrase that means several days.
func (p parser) multiDayRange(i int) (Range, int, bool) {
	today := p.today()
	y, m, _ := today.Date()
	month := func(n time.Month) Range {
		return Range{time.Date(y, m+n, 1, 0, 0, 0, 0, time.UTC), time.Date(y, m+n+1, 0, 0, 0, 0, 0, time.UTC)}
	}
	week := func(n int) Range { return Range{p.startOfWeek(n), p.startOfWeek(n+1).AddDate(0, 0, -1)} }
	year := func(n int) Range {
		return Range{time.Date(y+n, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(y+n, 12, 31, 0, 0, 0, 0, time.UTC)}
	}
	switch p.word(i) + " " + p.word(i+1) {
	case "this week":
		return week(0), i + 2, true
	case "next week":
		return week(1), i + 2, true
	case "this weekend", "the weekend":
		return Range{p.saturday(), p.monday(1).AddDate(0, 0, -1)}, i + 2, true
	case "next weekend":
		return Range{p.monday(1).AddDate(0, 0, 5), p.monday(2).AddDate(0, 0, -1)}, i + 2, true
	case "this month":
		return month(0), i + 2, true
	case "next month":
		return month(1), i + 2, true
	case "this year":
		return year(0), i + 2, true
	case "next year":
		return year(1), i + 2, true
	}
	if end, ok := p.anyAt(i, "soon", "coming up", "upcoming"); ok {
		return Range{today, today.AddDate(0, 0, 7)}, end, true
	}
	return p.nextDays(i)
}

// nextDays parses "the next 3 days" and "in the next two weeks".
func (p parser) nextDays(i int) (Range, int, bool) {
	at, ok := p.anyAt(i, "in the next", "within the next", "over the next", "the next", "next", "within")
	if !ok {
		return Range{}, 0, false
	}
	a, end, invalid, ok := p.amount(at)
	if !ok || invalid != "" {
		return Range{}, 0, false
	}
	d := p.fromNow(a, end)
	return Range{p.today(), d.day}, end, d.invalid == ""
}

// Words of repetitions: the units of "every …" and "twice a …", adverbs, and the words that may follow these.
var (
	repeatUnits = wordSet(`day week month year hour minute morning afternoon evening night weekend weekday workday other
		single second`)
	repeatAdverbs = wordSet(`daily weekly monthly yearly annually hourly nightly biweekly bi-weekly fortnightly quarterly
		everyday weekdays`)
	afterAdverb = wordSet("to on at from until till starting in for by about that and")
	determiners = wordSet("the my a an that this our these those")
	pluralDays  = wordSet(`mondays tuesdays wednesdays thursdays fridays saturdays sundays weekdays weekends mornings
		evenings`)
	frequencies = wordSet("once twice times")
	intervals   = wordSet("other second third single two three four 2 3 4")
)

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		set[w] = true
	}
	return set
}

// Recurring returns the range of the words that express a repetition ("every monday", "three times a week", "weekly on
// sundays"), 0 and 0 if there are none.
func Recurring(words []string) (start, end int) {
	p := parser{words: words}
	for i := range words {
		if end = p.repetition(i); end == i {
			continue
		}
		for start = i; start > 0 && (words[start] == "times" || words[start-1] == "on" || words[start-1] == "of"); {
			start--
		}
		for (p.word(end) == "on" || p.word(end) == "and") && pluralDays[p.word(end+1)] {
			end += 2
		}
		return start, end
	}
	return 0, 0
}

// repetition returns the end of "every monday", "daily", "twice a week" and "on mondays" at i, or i. Due dates cannot
// express it.
func (p parser) repetition(i int) int {
	w, next := p.word(i), p.word(i+1)
	last := i > 0 && !strings.ContainsFunc(next, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) })
	switch {
	case w == "every" || w == "each":
		return p.every(i)
	case repeatAdverbs[w] && !determiners[p.word(i-1)] && (last || afterAdverb[next]):
		return i + 1
	case frequencies[w] && (next == "a" || next == "per" || next == "every") && repeatUnits[p.word(i+2)]:
		return i + 3
	case pluralDays[w] && (p.word(i-1) == "on" || last):
		return i + 1
	}
	return i
}

// every returns the end of "every monday" or "every 2 days" at i, or i.
func (p parser) every(i int) int {
	if n, _, end, ok := p.component(i + 1); ok && n > 0 {
		return end
	}
	switch {
	case intervals[p.word(i+1)] && p.word(i+2) != "":
		return i + 3
	case p.isRepetition(i + 1):
		return i + 2
	}
	return i
}

// isRepetition reports whether the words after "every" express a repetition: "every 2 days", "every mondays".
func (p parser) isRepetition(i int) bool {
	w := p.word(i)
	if _, ok := weekdays[strings.TrimSuffix(w, "s")]; ok {
		return true
	}
	if _, ok := weekdays[w]; ok || repeatUnits[w] {
		return true
	}
	_, _, _, ok := p.component(i)
	return ok
}
