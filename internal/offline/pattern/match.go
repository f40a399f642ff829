// Package pattern matches texts with patterns whose words are in a lexicon.
//
// A pattern is a sequence of fields, separated by spaces, over the keys of a text's tokens:
//
//	add|create [a|the] [new] {noun} [to|:] <title>
//
// "a|b" is a choice, "{c}" a choice of the class c, "[…]" is optional, and "_" joins the words of one choice. "<name>"
// captures one or more tokens and "<name?>" none or more; a capture takes as few tokens as the rest allows. "<{c}>"
// captures a phrase of the class c. Commas before words are ignored.
package pattern

import (
	"slices"
	"strings"

	"errand/internal/lexicon"
	"errand/internal/text"
)

// Pattern is a compiled pattern, with words of one lexicon.
type Pattern []element

// element is a field of a pattern.
type element struct {
	// choices is the class of phrases that the element matches, "" for any text. capture is the name of what it captures.
	choices, capture string
	optional         bool
}

// Compile parses a pattern. It panics for a class that words does not have, because patterns are embedded files.
func Compile(words *lexicon.Lexicon, s string) (p Pattern) {
	for field := range strings.FieldsSeq(s) {
		e := element{optional: field[0] == '['}
		name := strings.Trim(field, "[]")
		if field[0] == '<' {
			capture := strings.Trim(field, "<>")
			e.capture = strings.TrimSuffix(capture, "?")
			e.optional = e.capture != capture
			name = e.capture
		}
		if e.capture == "" || name[0] == '{' {
			e.choices = choices(words, name)
		}
		p = append(p, e)
	}
	return p
}

// choices returns the class of the phrases in "a|b|{c}", which it adds with a name that no file uses.
func choices(words *lexicon.Lexicon, field string) (class string) {
	class = "|" + field
	if words.Class(class) != nil {
		return class
	}
	for choice := range strings.SplitSeq(field, "|") {
		named := strings.Trim(choice, "{}")
		if named == choice {
			words.Add(class, choice)
			continue
		}
		if words.Class(named) == nil {
			panic("pattern: no class " + named)
		}
		for _, phrase := range words.Class(named) {
			words.AddPhrase(class, strings.Fields(phrase), "")
		}
	}
	return class
}

// Checker restricts the captures of a match, and accepts or rejects the match.
type Checker interface {
	// Step is called for each attempt to match an element. If it returns false, nothing more is tried.
	Step() bool
	// MayBegin reports whether a capture may begin with a word; it excludes most ends of the capture before.
	MayBegin(capture, word string) bool
	MayCapture(capture string, t text.Text) bool
	// Accept is called for a match that ends before a token. After false, other matches are tried.
	Accept(end int) bool
}

// Matcher matches a pattern with a text. It can be reused with another pattern or text, but not concurrently.
type Matcher struct {
	Checker
	Words   *lexicon.Lexicon
	Pattern Pattern
	Text    text.Text
	// Prefix allows a match of the beginning of the text.
	Prefix bool

	parts [maxCaptures]Capture
	count int
}

// Capture is a named part of a match.
type Capture struct {
	Name string
	Text text.Text
}

// maxCaptures is the maximum number of captures of a pattern.
const maxCaptures = 4

// Captures returns the captures of the match in their order. The next use of m changes them.
func (m *Matcher) Captures() []Capture { return m.parts[:m.count] }

// Get returns the capture with a name, the empty text if there is none.
func (m *Matcher) Get(name string) text.Text {
	for _, c := range m.Captures() {
		if c.Name == name {
			return c.Text
		}
	}
	return text.Text{}
}

// Match reports whether the pattern matches the text and the match is accepted.
func (m *Matcher) Match() bool {
	m.count = 0
	return m.match(0, 0)
}

// match matches the elements from e on at a token.
func (m *Matcher) match(e, at int) bool {
	if !m.Step() {
		return false
	}
	if e == len(m.Pattern) {
		return (m.Prefix || at == m.Text.Len()) && m.Accept(at)
	}
	el := &m.Pattern[e]
	if el.choices == "" {
		return m.capture(el, e, at)
	}
	for _, from := range []int{at, at + 1} {
		if from > at && m.Text.Key(at) != "," {
			break
		}
		for next := range m.Words.PhrasesAt(el.choices, m.Text, from) {
			n := m.count
			if el.capture != "" {
				m.parts[n] = Capture{el.capture, m.Text.Slice(from, next)}
				m.count++
			}
			if m.match(e+1, next) {
				return true
			}
			m.count = n
		}
	}
	return el.optional && m.match(e+1, at)
}

func (m *Matcher) capture(el *element, e, at int) bool {
	end := at + 1
	if el.optional {
		end = at
	}
	if e == len(m.Pattern)-1 {
		end = max(end, m.Text.Len())
	}
	n := m.count
	m.count++
	for ; end <= m.Text.Len() && m.Step(); end++ {
		part := m.Text.Slice(at, end)
		m.parts[n] = Capture{el.capture, part}
		if m.mayFollow(e+1, end) && (part.Len() == 0 || m.MayCapture(el.capture, part)) && m.match(e+1, end) {
			return true
		}
	}
	m.count = n
	return false
}

// mayFollow reports whether the element e may begin at a token; it excludes most ends of captures.
func (m *Matcher) mayFollow(e, at int) bool {
	if e == len(m.Pattern) {
		return at == m.Text.Len()
	}
	el, word := &m.Pattern[e], m.Text.Key(at)
	if el.choices == "" {
		return el.optional || m.MayBegin(el.capture, word)
	}
	return el.optional || word == "," || m.Words.MayBegin(el.choices, word)
}

// Rules are patterns with an index, which finds the few that may match a text.
type Rules struct {
	Patterns []Pattern
	// byWord are the rules by the words with which their first required phrase begins, open those without any.
	byWord map[string][]int
	open   []int
}

// Add adds a pattern with words of a lexicon.
func (r *Rules) Add(words *lexicon.Lexicon, p Pattern) {
	n := len(r.Patterns)
	r.Patterns = append(r.Patterns, p)
	required := slices.IndexFunc(p, func(e element) bool { return e.choices != "" && !e.optional })
	if required < 0 {
		r.open = append(r.open, n)
		return
	}
	if r.byWord == nil {
		r.byWord = map[string][]int{}
	}
	for _, phrase := range words.Class(p[required].choices) {
		first, _, _ := strings.Cut(phrase, " ")
		r.byWord[first] = append(r.byWord[first], n)
	}
}

// maxIndexed is the number of words of a text among which the required words of rules are looked for.
const maxIndexed = 30

// Candidates returns the rules that may match a text, in their order.
func (r *Rules) Candidates(t text.Text) []int {
	list := slices.Clone(r.open)
	for i := range min(t.Len(), maxIndexed) {
		list = append(list, r.byWord[t.Key(i)]...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}
