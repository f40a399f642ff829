package due

import (
	"strings"
	"time"
)

// Range is a run of days, inclusive; a zero bound is open.
type Range struct{ From, To time.Time }

// RangeAt reads the days that a question asks about ("this week", "by friday", "in the next 3 days")
// at words[i:] and tells where they end. fault is as in Match.
func RangeAt(words []string, i int, now time.Time) (r Range, end int, fault string, ok bool) {
	p := parser{words: words, now: now}
	at, intro := p.intro(i)
	if p.word(at) == "after" || p.word(at) == "since" {
		intro, at = p.word(at), at+1
	}
	if r, end, ok := p.stretch(at); ok {
		return openRange(r, intro), end, "", true
	}
	p.whole = true
	d, ok := p.day(at, intro)
	if !ok {
		return Range{}, i, "", false
	}
	return openRange(Range{d.day, d.day}, intro), d.end, d.fault, true
}

// openRange opens the range towards the side that the preposition names.
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

// stretch reads what spans several days.
func (p parser) stretch(i int) (Range, int, bool) {
	today := p.today()
	y, m, _ := today.Date()
	month := func(n time.Month) Range {
		return Range{time.Date(y, m+n, 1, 0, 0, 0, 0, time.UTC), time.Date(y, m+n+1, 0, 0, 0, 0, 0, time.UTC)}
	}
	week := func(n int) Range { return Range{p.monday(n), p.monday(n).AddDate(0, 0, 6)} }
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

// nextDays reads "the next 3 days" and "in the next two weeks".
func (p parser) nextDays(i int) (Range, int, bool) {
	at, ok := p.anyAt(i, "in the next", "within the next", "over the next", "the next", "next", "within")
	if !ok {
		return Range{}, 0, false
	}
	n, unitAt, ok := p.number(at)
	unit := unitOf(p.word(unitAt))
	if !ok || unit == "" || n > 10000 {
		return Range{}, 0, false
	}
	d, ok := p.after(n, unit, unitAt+1)
	if !ok || d.day.Year() > 9999 {
		return Range{}, 0, false
	}
	return Range{p.today(), d.day}, unitAt + 1, true
}

var everyUnit = map[string]bool{
	"day": true, "week": true, "month": true, "year": true, "hour": true, "morning": true, "afternoon": true,
	"evening": true,
	"night":   true, "weekend": true, "weekday": true, "workday": true, "other": true, "single": true, "second": true,
	"minute": true,
}

var rhythm = map[string]bool{
	"daily": true, "weekly": true, "monthly": true, "yearly": true, "annually": true, "hourly": true, "nightly": true,
	"biweekly": true, "fortnightly": true, "quarterly": true, "weekdays": true,
}

// Recurring finds words that ask for repetition ("every monday", "twice a week", "… daily") and returns them.
func Recurring(words []string) (string, bool) {
	p := parser{words: words}
	for i, w := range words {
		switch {
		case (w == "every" || w == "each") && p.repeats(i+1):
			return w + " " + p.word(i+1), true
		case w == "everyday" && i == len(words)-1:
			return w, true
		case rhythm[w] && i == len(words)-1:
			return w, true
		case (w == "once" || w == "twice" || w == "times") &&
			(p.word(i+1) == "a" || p.word(i+1) == "per") && everyUnit[p.word(i+2)]:
			return w + " " + p.word(i+1) + " " + p.word(i+2), true
		}
	}
	return "", false
}

// repeats reports whether "every" stands before a unit of time: "every 2 days", "every mondays".
func (p parser) repeats(i int) bool {
	w := p.word(i)
	if _, ok := weekdays[strings.TrimSuffix(w, "s")]; ok {
		return true
	}
	if _, ok := weekdays[w]; ok || everyUnit[w] {
		return true
	}
	_, at, ok := p.number(i)
	return ok && unitOf(p.word(at)) != ""
}
