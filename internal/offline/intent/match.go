package intent

import (
	"slices"
	"strings"

	"errand/internal/due"
	"errand/internal/text"
)

// element is a part of a pattern.
type element struct {
	// choices is the class of phrases that the element matches. If it is empty, capture names the text that it captures.
	choices, capture string
	optional         bool
}

// captures are the named parts of a match.
type captures struct {
	*clauseParser
	all   text.Text
	parts [maxCaptures]capture
	count int
}

type capture struct {
	name string
	text text.Text
}

const maxCaptures = 4

// get returns the part with a name, the empty text if there is none.
func (c *captures) get(name string) text.Text {
	for _, p := range c.parts[:c.count] {
		if p.name == name {
			return p.text
		}
	}
	return text.Text{}
}

// mayCapture restricts what captures hold by their names.
func (p *clauseParser) mayCapture(name string, t text.Text) bool {
	switch name {
	case "ref", "done":
		return t.Len() <= maxRefWords
	case "firm", "bare":
		return p.isFirm(t)
	case "values":
		return p.mayBeValues(t)
	case "span", "back":
		return t.Len() <= maxSpanWords && due.IsSpan(t.Keys())
	case "past", "deed", "list":
		return t.Len() == 1 && t.Tokens[0].Kind == text.Word
	case "hashtags":
		return !slices.ContainsFunc(t.Keys(), func(k string) bool {
			return !labelForm.MatchString(k) && !p.lang.is("joins", k)
		})
	case "short":
		return t.Len() <= maxTopicWords
	case "place":
		return p.lang.phraseAt("placewhen", t, 0) > 0
	case "field":
		return p.lang.value("field", strings.Join(t.Keys(), " ")) != ""
	case "count":
		return t.Len() == 1 && p.lang.count(t.Key(0)) > 0
	case "few":
		return t.Len() <= 4
	case "quoted", "note":
		return t.Len() == 1 && t.Tokens[0].Kind == text.Quoted
	case "one":
		return p.isFirm(t) || t.Tokens[0].Kind == text.Quoted
	}
	return true
}

// clauseParser parses clauses of one message.
type clauseParser struct {
	now  due.Now
	lang *language
	// steps are the remaining attempts to match; no rule matches without any. They bound the cost of a message.
	steps *int
	// depth is the number of clauses within which this one is parsed: "i need to delete 1" has 1.
	depth int
	// named are the results of names by the first and last token.
	named map[[2]int]namesResult
	// free are the matchers that are not in use.
	free []*matcher
}

// newParser returns a parser with the steps for a number of tokens.
func newParser(tokens int, now due.Now) *clauseParser {
	steps := minSteps + stepsPerToken*tokens
	return &clauseParser{now: now, lang: english, steps: &steps, named: map[[2]int]namesResult{}}
}

// maxDepth bounds depth.
const maxDepth = 3

// apply returns the request of the first rule that matches all of t.
func (p *clauseParser) apply(set *ruleSet, t text.Text) (Request, bool) {
	if t.Len() == 0 {
		return Request{}, false
	}
	m := &matcher{}
	if last := len(p.free) - 1; last >= 0 { // parsing a long message tries hundreds of thousands of rules
		m, p.free = p.free[last], p.free[:last]
	}
	defer func() { p.free = append(p.free, m) }()
	m.candidates = set.candidates(t, m.candidates[:0])
	for _, n := range m.candidates {
		r := &set.rules[n]
		m.text, m.rule, m.captures = t, r, captures{clauseParser: p, all: t}
		if m.match(0, 0) {
			return m.request, true
		}
	}
	return Request{}, false
}

// maxInner is the number of words of a clause among which rules that begin with a capture are looked for.
const maxInner = 30

// candidates appends the rules that may match to an empty list, in their order.
func (s *ruleSet) candidates(t text.Text, list []int) []int {
	list = append(append(list, s.leading[t.Key(0)]...), s.open...)
	for i := range min(t.Len(), maxInner) {
		list = append(list, s.inner[t.Key(i)]...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

type matcher struct {
	text     text.Text
	rule     *rule
	captures captures
	request  Request
	// candidates are the rules to try.
	candidates []int
}

// match matches the elements from e on at token at, and builds the request at the end.
func (m *matcher) match(e, at int) bool {
	if *m.captures.steps--; *m.captures.steps < 0 {
		return false
	}
	if e == len(m.rule.elements) {
		if at != m.text.Len() {
			return false
		}
		*m.captures.steps -= m.text.Len()
		req, ok := m.rule.build(&m.captures)
		m.request = req
		return ok
	}
	el := &m.rule.elements[e]
	if el.capture != "" {
		return m.capture(el, e, at)
	}
	for _, from := range []int{at, at + 1} {
		if from > at && m.text.Key(at) != "," {
			break
		}
		for _, words := range english.phrases[m.text.Key(from)][el.choices] {
			if next, ok := phraseEnd(words, m.text, from); ok && m.match(e+1, next) {
				return true
			}
		}
	}
	return el.optional && m.match(e+1, at)
}

func (m *matcher) capture(el *element, e, at int) bool {
	end := at + 1
	if el.optional {
		end = at
	}
	if e == len(m.rule.elements)-1 {
		end = max(end, m.text.Len())
	}
	n := m.captures.count
	m.captures.count++
	for ; end <= m.text.Len(); end++ {
		part := m.text.Slice(at, end)
		if *m.captures.steps--; *m.captures.steps < 0 {
			break
		}
		m.captures.parts[n] = capture{el.capture, part}
		if m.mayFollow(e+1, end) && (part.Len() == 0 || m.captures.mayCapture(el.capture, part)) && m.match(e+1, end) {
			return true
		}
	}
	m.captures.count = n
	return false
}

// mayFollow reports whether the element e may begin at a token; it excludes most ends of captures.
func (m *matcher) mayFollow(e, at int) bool {
	if e == len(m.rule.elements) {
		return at == m.text.Len()
	}
	el := &m.rule.elements[e]
	if el.capture == "values" && !el.optional {
		return m.captures.startsValue(m.text.Key(at))
	}
	if el.optional || el.capture != "" || m.text.Key(at) == "," {
		return true
	}
	return len(english.phrases[m.text.Key(at)][el.choices]) > 0
}

func phraseEnd(words []string, t text.Text, at int) (end int, ok bool) {
	for i, w := range words {
		if t.Key(at+i) != w {
			return 0, false
		}
	}
	return at + len(words), true
}

// trimLeading removes the leading phrases that belong to the classes. It keeps a phrase that is the whole text.
func (l *language) trimLeading(t text.Text, classes ...string) text.Text {
	for n := 0; n < len(classes); n++ {
		if end := l.phraseAt(classes[n], t, 0); end > 0 && end < t.Len() {
			t, n = t.From(end).Trim(), -1
		}
	}
	return t
}

// phraseAt returns the end of the longest phrase of a class at a token, or -1.
func (l *language) phraseAt(class string, t text.Text, at int) int {
	for _, words := range l.phrases[t.Key(at)][class] {
		if end, ok := phraseEnd(words, t, at); ok {
			return end
		}
	}
	return -1
}
