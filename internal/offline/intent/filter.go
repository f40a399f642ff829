package intent

import (
	"cmp"
	"slices"
	"strings"

	"errand/internal/due"
	"errand/internal/tasktext"
	"errand/internal/text"
)

// maxFilterWords is the maximum length of a question about the list.
const maxFilterWords = 40

// filter parses the words of a question about the list, without its head ("show", "what"). Without a head (asked), only
// a few words that mention tasks are a question. rejection is as in Request.
func (p *clauseParser) filter(t text.Text, asked bool) (f Filter, rejection string, ok bool) {
	if t.Len() > maxFilterWords || !asked && t.Len() > 6 {
		return Filter{}, "", false
	}
	*p.steps -= 40 * t.Len()
	l := filterParser{clauseParser: p, words: t, asked: asked}
	l.takeTime()
	for i := 0; i < t.Len(); {
		if i = l.step(i); i < 0 {
			return Filter{}, "", false
		}
	}
	if len(l.loose) > 0 && !l.takeLoose() {
		return Filter{}, "", false
	}
	l.defaults()
	return l.filter, l.rejection, l.named
}

// filterParser parses a filter word by word.
type filterParser struct {
	*clauseParser
	words     text.Text
	asked     bool
	filter    Filter
	rejection string
	// named is set when tasks, a status or a due date are mentioned.
	named bool
	// loose are the indices of unknown words; timeStart and timeEnd those of a date with a time.
	loose              []int
	timeStart, timeEnd int
}

// takeTime parses "at 5pm tomorrow".
func (l *filterParser) takeTime() {
	if !slices.ContainsFunc(l.words.Keys(), func(k string) bool { return strings.ContainsAny(k, "0123456789") }) {
		return
	}
	m, ok := due.Find(l.words.Keys(), l.now)
	if !ok || m.Unclear != "" || !m.Due.Timed {
		return
	}
	l.filter.At, l.filter.Due, l.named = m.Due.At.Format("15:04"), "any", true
	l.filter.When = named(l.words.Slice(m.Start, m.End))
	if !m.Due.AnyDay {
		l.filter.Days = due.Range{From: m.Due.Day, To: m.Due.Day}
	}
	l.timeStart, l.timeEnd = m.Start, m.End
}

// idioms are the classes of fixed expressions and the values that they set. A weak status does not replace another.
var idioms = []struct {
	class string
	set   Filter
	weak  bool
}{
	{class: "inclall", set: Filter{Status: "all"}},
	{class: "overdue", set: Filter{Due: "overdue", Status: "pending"}},
	{class: "notdone", set: Filter{Status: "pending"}},
	{class: "nextup", set: Filter{Status: "pending"}},
	{class: "undated", set: Filter{Due: "none", Status: "pending"}},
	{class: "sortdue", set: Filter{Sort: "due"}},
	{class: "sortpriority", set: Filter{Sort: "priority"}},
	{class: "sorttitle", set: Filter{Sort: "title"}},
	{class: "sortnumber", set: Filter{Sort: "number"}},
	{class: "mosturgent", set: Filter{Sort: "priority", Status: "pending", Limit: 1}},
	{class: "mostdue", set: Filter{Sort: "due", Status: "pending", Limit: 1}},
	{class: "todolist"},
	{class: "todo", set: Filter{Status: "pending"}, weak: true},
	{class: "dated", set: Filter{Due: "any"}},
	{class: "nopriority", set: Filter{Priorities: []string{"none"}}},
	{class: "howmany", set: Filter{Count: true}},
	{class: "all", set: Filter{Status: "all"}, weak: true},
}

// idiom applies the fixed expression at i and returns its end, or -1.
func (l *filterParser) idiom(i int) int {
	for _, d := range idioms {
		end := l.lang.PhraseAt(d.class, l.words, i)
		if end < 0 {
			continue
		}
		f := &l.filter
		f.Count, f.Limit = f.Count || d.set.Count, max(f.Limit, d.set.Limit)
		f.Sort, f.Due = cmp.Or(d.set.Sort, f.Sort), cmp.Or(f.Due, d.set.Due)
		f.Priorities = append(f.Priorities, d.set.Priorities...)
		if !d.weak || f.Status == "" {
			f.Status = cmp.Or(d.set.Status, f.Status)
		}
		l.named = l.named || d.class != "all" && d.class != "howmany"
		return end
	}
	return -1
}

// step parses at i and returns the next index, or -1 if the text is not a question about the list.
func (l *filterParser) step(i int) int {
	if i >= l.timeStart && i < l.timeEnd {
		return l.timeEnd
	}
	if end := l.idiom(i); end > 0 {
		return end
	}
	if next, ok := l.days(i); ok {
		return next
	}
	return l.word(i)
}

// word parses a word that is part of no fixed expression.
func (l *filterParser) word(i int) int {
	k, f := l.words.Key(i), &l.filter
	level, status := l.lang.Value("level", k), l.lang.Value("status", k)
	switch n := l.lang.count(l.words.Key(i + 1)); {
	case n > 0 && (l.lang.number("ordinal", k) == 1 || k == "next"): // "top 3"
		f.Limit = min(n, 100)
		return i + 2
	case k == "next" && i+1 == l.words.Len() && l.asked:
		f.Status, f.Sort, l.named = "pending", "due", true
	case status != "":
		if f.Status != "" && f.Status != status && l.named {
			status = "all" // "pending and completed"
		}
		f.Status, l.named = status, true
	case l.lang.Is("listnoun", k):
		l.named = true
	case tasktext.IsLabel(k):
		f.Label, l.named = strings.TrimPrefix(l.words.Raw(i), "#"), true
	case l.lang.PhraseAt("about", l.words, i) > 0:
		return l.search(i)
	case level != "" && level != "none":
		if !slices.Contains(f.Priorities, level) {
			f.Priorities = append(f.Priorities, level)
		}
		l.named = l.named || l.lang.Is("alone", k) || l.lang.Is("priority", l.words.Key(i+1))
	case l.lang.Is("filler", k) || l.lang.Is("priority", k) || l.words.Tokens[i].Kind == text.Punct:
	default:
		l.loose = append(l.loose, i)
	}
	return i + 1
}

// days parses days at i, or further ones ("or tomorrow"), and returns their end.
func (l *filterParser) days(i int) (int, bool) {
	k, f := l.words.Key(i), &l.filter
	more := f.When != ""
	starts := l.lang.Is("valuestart", k) || l.lang.Is("rangestart", k) || k != "" && k[0] >= '0' && k[0] <= '9'
	switch {
	case l.timeEnd > 0:
		return i, false
	case more && k != "or" && k != "and":
		return i, false
	case !more && (!starts || k == "may" || k == "march" || k == "next" && l.lang.Is("listnoun", l.words.Key(i+1))):
		return i, false
	}
	words, from := l.words.Keys(), i
	for n, w := range words {
		if day := l.lang.Value("daysof", w); day != "" {
			words[n] = day
		}
	}
	if more {
		from++
	}
	r, end, rejection, ok := due.RangeAt(words[:min(len(words), from+maxSpanWords)], from, l.now)
	switch {
	case !ok, more && (f.Days.From.IsZero() || f.Days.To.IsZero() || r.From.Before(f.Days.From) ||
		r.To.Before(f.Days.To)):
		return i, false
	case more:
		f.Days.To = r.To
		f.When += " " + l.words.Slice(i, end).String()
	default:
		f.Days, f.When, l.rejection = r, named(l.words.Slice(i, end)), rejection
	}
	return end, true
}

// named returns the words by which a reply mentions the days.
func named(t text.Text) string {
	for t.Len() > 1 && (english.Is("beforedays", t.Key(0)) ||
		t.Key(0) == "on" && (t.Key(1) == "this" || t.Key(1) == "next")) {
		t = t.From(1)
	}
	if english.Is("soon", strings.Join(t.Keys(), " ")) {
		return "in the next 7 days"
	}
	return strings.TrimSpace(possessives.Replace(t.String() + " "))
}

// search uses the rest of the question as search words.
func (l *filterParser) search(i int) int {
	end := l.lang.PhraseAt("about", l.words, i)
	rest := l.lang.TrimLeading(l.words.From(end), "about", "determiner", "searchlead")
	for rest.Len() > 1 && l.lang.Is("listnoun", rest.Key(rest.Len()-1)) {
		rest = rest.Slice(0, rest.Len()-1)
	}
	s := strings.TrimPrefix(tasktext.Plain(rest), "#")
	if s == "" || len(s) > maxPhrase {
		return -1
	}
	if l.lang.PhraseAt("labelled", l.words, i) == end {
		l.filter.Label = s
	} else {
		l.filter.Search = s
	}
	l.named = l.named || l.asked
	return l.words.Len()
}

// takeLoose uses a quotation, or up to three unknown words directly before a word for tasks ("show my work tasks"). It
// returns false for other unknown words.
func (l *filterParser) takeLoose() bool {
	first, last := l.loose[0], l.loose[len(l.loose)-1]
	word, after := l.words.Key(first), l.words.Key(last+1)
	s := tasktext.Plain(l.words.Slice(first, last+1))
	quoted := l.words.Tokens[first].Kind == text.Quoted
	switch {
	case last-first != len(l.loose)-1, len(l.loose) > 3, l.filter.Search != "", s == "", len(s) > maxPhrase:
		return false
	case quoted:
		l.filter.Search = s
		return true
	case !tasktext.HasLetter(word),
		l.lang.Is("notlabel", word),
		l.lang.count(word) > 0,
		oneTypo(word, "list"),
		oneTypo(word, "show"):
		return false
	}
	l.filter.Word, l.named = s, true
	return l.lang.Is("listnoun", after) || l.asked && l.lang.Is("thingword", after)
}

// defaults sets the status when none is mentioned: all for a search, else pending.
func (l *filterParser) defaults() {
	f := &l.filter
	if l.asked && len(l.loose) == 0 && (f.Status == "all" || f.Count) {
		l.named = true // "show everything"
	}
	if f.When != "" {
		l.named = l.named || l.asked && l.words.Len() > 1
		f.ByCompletion = f.Status == "completed"
	}
	if f.Status == "" && f.Search != "" && f.Due == "" && f.When == "" {
		f.Status = "all"
	}
	f.Status = cmp.Or(f.Status, "pending")
}
