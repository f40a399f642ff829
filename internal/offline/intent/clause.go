package intent

import (
	"slices"
	"strings"

	"errand/internal/tasktext"
	"errand/internal/text"
)

// maxWords is the maximum length of a clause.
const maxWords = 200

// clause parses one clause. It tries the clause without courtesies, then unchanged, then without words at its end
// that may be part of a request ("now", "again").
func (p *clauseParser) clause(t text.Text) (Request, bool) {
	t = t.Trim()
	if t.Len() == 0 || t.Len() > maxWords || p.depth == maxDepth {
		return Request{}, false
	}
	p.depth++
	defer func() { p.depth-- }()
	bare, _ := p.withoutCourtesy(t)
	req, ok := p.attempt(bare)
	if !ok && bare.Len() < t.Len() {
		req, ok = p.attempt(t)
	}
	if !ok {
		if soft := p.withoutTail(bare, "softtail"); soft.Len() < bare.Len() {
			req, ok = p.attempt(soft)
			ok = ok && !req.free
		}
	}
	if ok && req.concernsTasks() &&
		slices.ContainsFunc(t.Keys(), func(k string) bool { return p.lang.Is("conditional", k) }) {
		req = Request{Kind: Say, Topic: NoCondition}
	}
	if ok && req.Said == "" {
		req.Said = t.String()
	}
	return req, ok
}

// attempt parses a clause by the rules, then as a question about the list without a verb ("my tasks").
func (p *clauseParser) attempt(t text.Text) (Request, bool) {
	calm := t // without "!!!", which is a priority only in a new task
	for calm.Len() > 1 && strings.HasPrefix(calm.Key(calm.Len()-1), "!!") {
		calm = calm.Slice(0, calm.Len()-1).Trim()
	}
	req, ok := p.apply(&p.lang.clauses, calm)
	if ok && req.Kind == Add && calm.Len() < t.Len() {
		req, ok = p.apply(&p.lang.clauses, t)
	}
	if ok {
		return req, true
	}
	if p.isValues(calm) {
		return Request{}, false
	}
	f, rejection, ok := p.filter(calm, false)
	return Request{Kind: List, Filter: f, Rejection: rejection, explicit: f.Word == "", Bare: true}, ok
}

// withoutCourtesy removes polite words from both ends, but never the last remaining word. polite reports whether they
// make a question a command: "could you".
func (p *clauseParser) withoutCourtesy(t text.Text) (bare text.Text, polite bool) {
	for {
		t = t.Trim()
		at := p.lang.PhraseAt("leadmark", t, 0)
		if !p.lang.Is("mark", t.Key(at)) {
			at = -1
		}
		if at = max(at, p.lang.PhraseAt("lead", t, 0)); at < 0 || t.From(at).Trim().Len() == 0 {
			break
		}
		requested := p.lang.Is("request", strings.Join(t.Slice(0, at).Keys(), " "))
		t = t.From(at).Trim()
		if base := p.lang.Value("gerund", t.Key(0)); requested && base != "" { // "would you mind deleting task 1"
			t = t.WithKey(0, base)
		}
		polite = polite || requested
		*p.steps--
	}
	bare = p.withoutTail(t, "tail")
	return bare, polite || bare.Len() < t.Len()
}

// withoutTail removes the phrases of a class from the end, and those of the class tailmark after a mark.
func (p *clauseParser) withoutTail(t text.Text, class string) text.Text {
	for {
		t = t.Trim()
		cut := -1
		for i := max(1, t.Len()-5); i < t.Len(); i++ {
			marked := p.lang.Is("mark", t.Key(i-1)) && p.lang.PhraseAt("tailmark", t, i) == t.Len()
			if p.lang.PhraseAt(class, t, i) == t.Len() || marked {
				cut = i
				break
			}
		}
		if cut < 0 || t.Slice(0, cut).Trim().Len() == 0 {
			return t
		}
		t = t.Slice(0, cut)
		*p.steps--
	}
}

// mayBeValues excludes most texts that are not priority, labels and due date.
func (p *clauseParser) mayBeValues(t text.Text) bool {
	if t.Len() > tasktext.MaxValues || !p.startsValue(t.Key(0)) {
		return false
	}
	*p.steps -= 20 * t.Len()
	return *p.steps > 0
}

// isValues reports whether a text is priority, labels and due date.
func (p *clauseParser) isValues(t text.Text) bool {
	if !p.mayBeValues(t) {
		return false
	}
	_, _, ok := onlyValues(t, p.now)
	return ok
}

// startsValue reports whether a word may begin priority, labels or a due date.
func (p *clauseParser) startsValue(k string) bool {
	return k != "" && (p.lang.Is("valuestart", k) || p.lang.Value("level", k) != "" || k[0] == '#' || k[0] == '!' ||
		k[0] >= '0' && k[0] <= '9' || k == "every" || k == "each" || k == "everyday" || tasktext.Marked(k) != "")
}
