package due

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// amount is a span in calendar units. Months are applied first, then days, workdays and the duration.
type amount struct {
	months, days, workdays int
	dur                    time.Duration
}

func (a amount) times(sign int) amount {
	return amount{a.months * sign, a.days * sign, a.workdays * sign, a.dur * time.Duration(sign)}
}

const (
	maxCount      = 100_000 // of each unit of a span
	maxComponents = 6       // of a span such as "1 h 30 m"
	tooFar        = "That date is too far away."
)

var (
	decimalForm  = regexp.MustCompile(`^\d{1,6}\.\d{1,3}$`)
	joinedForm   = regexp.MustCompile(`^(\d{1,6}(?:\.\d{1,3})?)([a-z]+)$`)
	hoursMinutes = regexp.MustCompile(`^(\d{1,3})h(?:rs?)?(\d{1,2})(?:m|min|mins)?$`)
	letterUnits  = map[string]unit{
		"h": hour, "d": dayUnit, "w": week, "y": year, "mo": month, "mos": month, "m": minute, "s": second,
	}
)

// quantity parses "3", "three", "twenty five", "a", "a couple of", "1.5", "one and a half" and "half a" as a number of
// halves, quarters and so on: n thousandths.
func (p parser) quantity(i int) (thousandths, end int, ok bool) { //nolint:gocyclo // one case per form of the words
	if end, ok := p.anyAt(i, "a couple of", "a couple", "couple of"); ok {
		return 2000, end, true
	}
	if end, ok := p.anyAt(i, "a few", "few"); ok {
		return 3000, end, true
	}
	if end, ok := p.anyAt(i, "half an", "half a", "a half", "half"); ok {
		return 500, end, true
	}
	if end, ok := p.anyAt(i, "a quarter of an", "quarter of an"); ok {
		return 250, end, true
	}
	w := p.word(i)
	end = i + 1
	switch {
	case w == "a" || w == "an" || w == "another":
		thousandths = 1000
	case numberWords[w] > 0:
		n := numberWords[w]
		if more := numberWords[p.word(end)]; n >= 20 && more > 0 && more < 10 {
			n, end = n+more, end+1
		}
		thousandths = 1000 * n
	case digits(w) && len(w) <= 6:
		thousandths = 1000 * parseNumber(w)
	case decimalForm.MatchString(w):
		f, err := strconv.ParseFloat(w, 64)
		if err != nil {
			return 0, 0, false
		}
		thousandths = int(f*1000 + 0.5)
	default:
		return 0, 0, false
	}
	if after, ok := p.phraseAt(end, "and a half"); ok && p.isUnit(after) {
		return thousandths + 500, after, true
	}
	if after, ok := p.phraseAt(end, "1/2"); ok && p.isUnit(after) {
		return thousandths + 500, after, true
	}
	return thousandths, end, true
}

// component parses a number with a unit.
func (p parser) component(i int) (thousandths int, u unit, end int, ok bool) {
	if m := joinedForm.FindStringSubmatch(p.word(i)); m != nil {
		f, err := strconv.ParseFloat(m[1], 64)
		u := unitOfLetters(m[2])
		return int(f*1000 + 0.5), u, i + 1, err == nil && u != noUnit
	}
	n, at, ok := p.quantity(i)
	if !ok {
		return 0, noUnit, 0, false
	}
	u, factor, end := p.unitAt(at)
	if u == noUnit && digits(p.word(at-1)) {
		u, factor, end = unitOfLetters(p.word(at)), 1, at+1
	}
	return n * factor, u, end, u != noUnit
}

// unitOfLetters parses a unit that may be one letter.
func unitOfLetters(w string) unit {
	if u := units[w]; u != noUnit {
		return u
	}
	return letterUnits[w]
}

// amount parses a span: "1 h 30 m", "a week and a half", "2 weeks and 3 days", "1h30". Its units descend.
func (p parser) amount(i int) (a amount, end int, invalid string, ok bool) {
	if m := hoursMinutes.FindStringSubmatch(p.word(i)); m != nil {
		d := time.Duration(parseNumber(m[1]))*time.Hour + time.Duration(parseNumber(m[2]))*time.Minute
		return amount{dur: d}, i + 1, "", true
	}
	last := noUnit
	for range maxComponents {
		at := i
		if last != noUnit {
			if w := p.word(at); w == "and" || w == "," || w == "&" {
				at++
			}
		}
		n, u, after, more := p.component(at)
		if !more || last != noUnit && u >= last {
			break
		}
		if half, ok := p.anyAt(after, "and a half"); ok && !p.isUnit(half) {
			n, after = n+500, half
		}
		if problem := a.add(n, u); invalid == "" {
			invalid = problem
		}
		i, last = after, u
	}
	return a, i, invalid, last != noUnit
}

// add adds thousandths of a unit. Half a month is 15 days, half a week 3 days, half a day 12 hours.
func (a *amount) add(thousandths int, u unit) (invalid string) {
	n, part := thousandths/1000, thousandths%1000
	if n > maxCount {
		return tooFar
	}
	if part != 0 && part != 500 && u > hour {
		return "Please write the span in smaller units."
	}
	half := part / 500
	switch u {
	case second:
		a.dur += time.Duration(thousandths) * time.Second / 1000
	case minute:
		a.dur += time.Duration(thousandths) * time.Minute / 1000
	case hour:
		a.dur += time.Duration(thousandths) * time.Hour / 1000
	case dayUnit:
		a.days += n
		a.dur += time.Duration(half) * 12 * time.Hour
	case workday:
		a.workdays += n
	case week:
		a.days += 7*n + 3*half
	case month:
		a.months += n
		a.days += 15 * half
	case year:
		a.months += 12*n + 6*half
	}
	return ""
}

// span parses a span from now or from another date: "in 3 days", "within an hour", "two weeks from now", "two weeks
// from monday", "2 days before dec 10", "a week on friday".
func (p parser) span(i int, _ string) (day, bool) { //nolint:gocyclo // one case per form of the words
	at, leads := p.anyAt(i, "in the next", "within the next", "in another", "in", "within", "after")
	if !leads {
		at = i
	}
	a, end, invalid, ok := p.amount(at)
	if !ok {
		return day{}, false
	}
	if invalid != "" {
		_, trails := p.anyAt(end, "from", "later", "after", "before", "ago")
		return day{end: end, unambiguous: true, invalid: invalid}, leads || trails || p.whole
	}
	if after, ok := p.anyAt(end, "from now", "from today", "later", "hence"); ok {
		return p.fromNow(a, after), true
	}
	if after, ok := p.anyAt(end, "ago", "earlier"); ok && !about[p.word(i-1)] {
		return day{end: after, unambiguous: true, invalid: p.said(i, after) + " is in the past."}, true
	}
	switch p.word(end) {
	case "from", "after":
		if d, ok := p.from(a, end+1); ok {
			return d, true
		}
	case "before":
		if d, ok := p.from(a.times(-1), end+1); ok {
			return d, true
		}
	case "today", "tomorrow": // "a week tomorrow"
		if d, ok := p.from(a, end); ok && !leads && a.days > 0 && a.days%7 == 0 && a.dur == 0 {
			return d, true
		}
	case "on":
		if d, ok := p.from(a, end+1); ok && !leads && a.days > 0 && a.days%7 == 0 && a.dur == 0 {
			return d, true
		}
	}
	if !leads {
		return day{}, false
	}
	if p.word(end) == "time" {
		end++
	}
	return p.fromNow(a, end), true
}

// fromNow returns the day, or for spans with hours or minutes the instant, after a span.
func (p parser) fromNow(a amount, end int) day {
	if a.dur != 0 {
		return p.dayOf(a.after(instant(p.now.Truncate(time.Minute))))(end)
	}
	return p.dayOf(a.after(Date{Day: p.today()}))(end)
}

// from returns the date a span after (or, if it is negative, before) the date at i.
func (p parser) from(a amount, i int) (day, bool) {
	if p.depth == 2 {
		return day{}, false
	}
	p.depth++
	if p.word(i) == "the" && qualifiers[p.word(i+1)] {
		i++
	}
	whole := p.whole
	p.whole = true
	m, ok := p.phrase(i)
	p.whole = whole
	if !ok || introWords[p.word(i)] {
		return day{}, false
	}
	if m.Unclear != "" {
		return day{end: m.End, unambiguous: true, invalid: m.Unclear}, true
	}
	d := p.dayOf(a.after(m.Due))(m.End)
	return d.relative(p), true
}

// dayOf returns a function that makes a day of a date and the end of its words.
func (p parser) dayOf(d Date, invalid string) func(end int) day {
	return func(end int) day {
		found := day{day: d.Day, end: end, unambiguous: true, invalid: invalid}
		if d.Timed {
			found.at = &d.At
		}
		return found
	}
}

// after returns the date a span after d. Months to days keep the time of day, also across a daylight-saving change;
// hours and minutes are elapsed time. A day without a time has no hours: such a span is invalid.
func (a amount) after(d Date) (moved Date, invalid string) {
	if d.Day.IsZero() {
		return Date{}, "There is no due date to move."
	}
	if a.dur != 0 && !d.Timed {
		return Date{}, d.String() + " is a day without a time. Please tell me the new time."
	}
	wall := d.Day
	if d.Timed {
		wall = d.Day.Add(time.Duration(d.At.Hour())*time.Hour + time.Duration(d.At.Minute())*time.Minute +
			time.Duration(d.At.Second())*time.Second)
	}
	wall = addWorkdays(addMonths(wall, a.months).AddDate(0, 0, a.days), a.workdays)
	if y := wall.Year(); y < 1 || y > 9999 {
		return Date{}, tooFar
	}
	if !d.Timed {
		return Date{Day: midnight(wall)}, ""
	}
	at := d.At
	if a.months != 0 || a.days != 0 || a.workdays != 0 {
		if at, invalid = localTime(wall, d.At.Location()); invalid != "" {
			return Date{}, invalid
		}
	}
	if at = at.Add(a.dur); at.Year() < 1 || at.Year() > 9999 {
		return Date{}, tooFar
	}
	return instant(at), ""
}

// addMonths adds n months and stays within the resulting month: 31 January plus one month is the last of February.
func addMonths(t time.Time, n int) time.Time {
	y, m, d := t.Date()
	last := time.Date(y, m+time.Month(n)+1, 0, t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
	return last.AddDate(0, 0, min(d, last.Day())-last.Day())
}

// addWorkdays adds n days from Monday to Friday.
func addWorkdays(t time.Time, n int) time.Time {
	step := 1
	if n < 0 {
		step, n = -1, -n
	}
	t = t.AddDate(0, 0, n/5*7*step)
	for n %= 5; n > 0; {
		t = t.AddDate(0, 0, step)
		if t.Weekday() != time.Saturday && t.Weekday() != time.Sunday {
			n--
		}
	}
	return t
}

// spoken returns a word without a sign, and the sign.
func spoken(w string) (string, int) {
	switch {
	case strings.HasPrefix(w, "+"):
		return w[1:], 1
	case strings.HasPrefix(w, "-") && len(w) > 1:
		return w[1:], -1
	}
	return w, 0
}
