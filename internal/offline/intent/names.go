package intent

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"errand/internal/text"
)

// Limits of references.
const (
	maxSpan       = 50 // tasks in "tasks 1 to 1000"; a call cannot change more
	maxRefWords   = 60
	maxSpanWords  = 8   // of "an hour and a half later"
	maxTopicWords = 8   // of the task in a rule for statements
	maxPhrase     = 100 // characters of the words to search for
)

// numberForm is the form of "3", "#3" and "1-3". There is no task -1, but the words mean a number.
var numberForm = regexp.MustCompile(`^#?(-?\d{1,9})s?(?:-#?(\d{1,9}))?$`)

// names parses the tasks that a phrase names. Words that are neither number nor pronoun become search words; ok is
// false if there are too many of them.
func (p *clauseParser) names(t text.Text) (refs []Reference, ok bool) {
	if t.Len() > maxRefWords {
		return nil, false
	}
	start, end := t.Range()
	known, ok := p.named[[2]int{start, end}]
	if !ok {
		known.refs, known.ok = p.parseNames(t)
		p.named[[2]int{start, end}] = known
	}
	return slices.Clone(known.refs), known.ok
}

// namesResult is a result of names, which many rules ask for.
type namesResult struct {
	refs []Reference
	ok   bool
}

func (p *clauseParser) parseNames(t text.Text) (refs []Reference, ok bool) {
	t = t.Trim()
	if bare := p.withoutTail(t, "fromlist"); !p.lang.Is("all", bare.String()) {
		t = bare // "everything on my list" is not "everything"
	}
	if t.Len() == 0 || p.lang.Is("joins", t.Key(t.Len()-1)) ||
		p.lang.Is("questionword", t.Key(0)) {
		return nil, false
	}
	if *p.steps -= 20 * t.Len(); *p.steps < 0 {
		return nil, false
	}
	if refs, ok := p.allExcept(t); ok {
		return refs, true
	}
	if refs, ok := p.several(t); ok {
		return refs, true
	}
	if refs := p.known(t); refs != nil {
		return refs, true
	}
	r, ok := p.described(t)
	if !ok {
		r = p.search(t)
	}
	return []Reference{r}, len(r.Phrase) <= maxPhrase
}

// allExcept parses "all tasks but the report".
func (p *clauseParser) allExcept(t text.Text) ([]Reference, bool) {
	for i := 1; i < t.Len()-1; i++ {
		after := p.lang.PhraseAt("except", t, i)
		if after < 0 || after >= t.Len() {
			continue
		}
		left, ok := p.names(t.Slice(0, i))
		if !ok || !slices.ContainsFunc(left, wide) && len(left) < 2 {
			return nil, false
		}
		except, ok := p.names(t.From(after))
		for n := range left {
			left[n].Except = except
		}
		return left, ok
	}
	return nil, false
}

// wide reports whether a reference means several tasks.
func wide(r Reference) bool { return r.Kind == Everything || r.Kind == Shown }

// firm reports whether all references are unambiguous.
func firm(refs []Reference) bool {
	return len(refs) > 0 && !slices.ContainsFunc(refs, func(r Reference) bool { return !r.firm })
}

// isFirm reports whether a text names tasks unambiguously, so that it cannot be ordinary words.
func (p *clauseParser) isFirm(t text.Text) bool {
	refs, ok := p.names(t)
	return ok && firm(refs)
}

// several parses "1, 2 and 3", "tasks 1-3", "task 3 and the report". Words joined by "and" are one title, "bread and
// butter", unless one of the parts is unambiguous or each begins with "the".
func (p *clauseParser) several(t text.Text) (refs []Reference, ok bool) {
	certain, led := false, true
	for _, piece := range p.split(t, "joins") {
		found := p.known(piece)
		if found == nil {
			found = []Reference{p.search(piece)}
			led = led && p.lang.Is("definite", piece.Key(0))
		}
		refs, certain = append(refs, found...), certain || found[0].firm
	}
	return refs, len(refs) > 1 && (certain || led)
}

// split splits a text at the words of a class; empty parts are left out.
func (p *clauseParser) split(t text.Text, class string) []text.Text {
	var all []text.Text
	start := 0
	for i := 0; i <= t.Len(); i++ {
		if i < t.Len() && !p.lang.Is(class, t.Key(i)) {
			continue
		}
		if i > start {
			all = append(all, t.Slice(start, i))
		}
		start = i + 1
	}
	return all
}

// known parses tasks that are named without words of their titles, or by a quotation. It returns nil for other words.
func (p *clauseParser) known(t text.Text) []Reference {
	if s, ok := t.Literal(); ok {
		return []Reference{{Kind: BySearch, Phrase: strings.TrimSpace(s), Exact: true, firm: true}}
	}
	if refs := p.counted(t); refs != nil {
		return refs
	}
	req, ok := p.apply(&p.lang.references, t)
	if !ok {
		return nil
	}
	r := req.Refs[0]
	r.firm = r.Kind != Unnamed
	return []Reference{r}
}

// counted parses tasks by their numbers or places: "3", "task three", "tasks 1 to 3", "the second one", "the first
// two".
func (p *clauseParser) counted(t text.Text) []Reference {
	core := p.lang.TrimLeading(t, "noun", "numbernoun", "possessive")
	noun := core.Len() < p.lang.TrimLeading(t, "possessive").Len() // "the one" is no number
	last := core.Key(core.Len() - 1)
	tail := core.Len() > 1 && (p.lang.Is("noun", last) || last == "one" || last == "ones")
	if tail {
		core = core.Slice(0, core.Len()-1)
	}
	if n := p.lang.number("cardinal", core.Key(0)); core.Len() == 1 && noun && n > 0 {
		return []Reference{{Kind: ByNumber, Number: n, firm: true}}
	}
	refs := p.places(core, tail || core.Len() < t.Len())
	if refs == nil && !(tail && !strings.HasPrefix(core.Key(0), "#")) { // "3 tasks" is no number
		refs = p.numbers(core)
	}
	return refs
}

// places parses "second" and "first two". Words such as "top" alone are a place only if that is certain.
func (p *clauseParser) places(t text.Text, certain bool) (refs []Reference) {
	first := t.Key(0)
	step, n := p.lang.number("ordinal", first), p.lang.count(t.Key(1))
	switch {
	case t.Len() == 1 && (certain || step > 0 && first != "top" && first != "former"):
		n = min(1, max(step, -step))
	case t.Len() != 2 || step*step != 1 || n > maxSpan:
		n = 0
	}
	for i := range n {
		refs = append(refs, Reference{Kind: ByPlace, Place: step * (i + 1), firm: true})
	}
	return refs
}

// numbers parses "3", "#3", "1-3" and "1 to 3".
func (p *clauseParser) numbers(t text.Text) (refs []Reference) {
	key := t.Key(0)
	if t.Len() == 3 && p.lang.Is("through", t.Key(1)) {
		key += "-" + t.Key(2)
	} else if t.Len() != 1 {
		return nil
	}
	digits := strings.TrimLeft(key, "#-")
	if digits == "" || digits[0] < '0' || digits[0] > '9' {
		return nil // most words; the expression costs more
	}
	m := numberForm.FindStringSubmatch(key)
	if m == nil {
		return nil
	}
	from, _ := strconv.Atoi(m[1]) // at most nine digits
	to, _ := strconv.Atoi(cmp.Or(m[2], m[1]))
	for n := from; n <= to && to-from < maxSpan; n++ {
		refs = append(refs, Reference{Kind: ByNumber, Number: n, firm: true})
	}
	return refs
}

// described parses a listing as a reference: "all tasks due tomorrow", "my overdue tasks", "the meeting tasks".
func (p *clauseParser) described(t text.Text) (Reference, bool) {
	if t.Len() > 15 || !slices.ContainsFunc(t.Keys(), func(k string) bool {
		return p.lang.Is("noun", k) && plural(k) || p.lang.Is("all", k)
	}) {
		return Reference{}, false
	}
	f, _, ok := p.filter(t, true)
	if f.Due == "" && f.When == "" &&
		!slices.ContainsFunc(t.Keys(), func(k string) bool { return p.lang.Value("status", k) != "" }) {
		f.Status = "all"
	}
	return Reference{Kind: Everything, Filter: f, firm: f.Word == ""}, ok && !f.Count && f.Limit == 0
}

// search parses words of a title: "the meeting task", "the one about milk". The reference is firm if the words state
// that they mean one existing task.
func (p *clauseParser) search(t text.Text) Reference {
	t, led := p.withoutLead(t.Trim())
	named, nouned := false, false
	if noun := t.Key(0); t.Len() > 1 && (p.lang.Is("noun", noun) || noun == "one") { // "task about"
		for t = t.From(1); t.Len() > 1 && p.lang.Is("prep", t.Key(0)); t = t.From(1) {
			named = !plural(noun)
		}
	}
	for last := t.Len() - 1; last > 0 && (p.lang.Is("noun", t.Key(last)) || p.lang.Is("thingword", t.Key(last))); last-- {
		nouned = nouned || !plural(t.Key(last)) // "meeting task"
		t = t.Slice(0, last)
	}
	if refs := p.counted(t); named && len(refs) == 1 { // "the reminder for task 1"
		return refs[0]
	}
	s, quoted := t.Literal()
	if !quoted {
		s = possessives.Replace(t.String() + " ")
	}
	if s = strings.TrimSpace(s); s == "" {
		return Reference{Kind: Unnamed}
	}
	return Reference{Kind: BySearch, Phrase: s, Exact: quoted, firm: quoted || named || nouned && led}
}

var possessives = strings.NewReplacer("'s ", " ", "’s ", " ")

// withoutLead removes leading determiners such as "the" or "my". certain is false for "a" and when there is none.
func (p *clauseParser) withoutLead(t text.Text) (rest text.Text, certain bool) {
	rest = p.lang.TrimLeading(t, "determiner")
	return rest, rest.Len() < t.Len() && p.lang.Is("definite", t.Key(0))
}

func plural(noun string) bool { return strings.HasSuffix(noun, "s") }
