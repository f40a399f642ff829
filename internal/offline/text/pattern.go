package text

import "strings"

// Pattern is a whole-text pattern over token keys, written as words:
//
//	add|create [a|the] [new] task [to|:] <title>
//
// "a|b" is a choice, "[…]" is optional, "_" joins the words of one choice ("get_rid_of"), "<name>" captures one or
// more tokens and "<name?>" none or more. A capture takes as few tokens as the rest allows. Commas before words are
// ignored.
type Pattern struct{ elements []element }

type element struct {
	choices  [][]string
	optional bool
	capture  string
}

// Compile parses a pattern. Every string is a valid pattern.
func Compile(s string) Pattern {
	var p Pattern
	for _, field := range strings.Fields(s) {
		var e element
		switch {
		case strings.HasPrefix(field, "<"):
			name := strings.Trim(field, "<>")
			e.capture = strings.TrimSuffix(name, "?")
			e.optional = strings.HasSuffix(name, "?")
		default:
			e.optional = strings.HasPrefix(field, "[")
			for _, choice := range strings.Split(strings.Trim(field, "[]"), "|") {
				e.choices = append(e.choices, strings.Split(choice, "_"))
			}
		}
		p.elements = append(p.elements, e)
	}
	return p
}

// Captures are the named parts of a match.
type Captures map[string]Text

// Match matches the pattern against the whole text.
func (p Pattern) Match(t Text) (Captures, bool) {
	c := Captures{}
	return c, p.Try(t, c, func() bool { return true })
}

// Try sets c to each possible match, those with the shortest captures first, until accept returns true.
func (p Pattern) Try(t Text, c Captures, accept func() bool) bool {
	m := matcher{text: t, captures: c, accept: accept}
	return m.match(p.elements, 0)
}

type matcher struct {
	text     Text
	captures Captures
	accept   func() bool
}

func (m matcher) match(es []element, at int) bool {
	if len(es) == 0 {
		return at == m.text.Len() && m.accept()
	}
	e, rest := es[0], es[1:]
	if e.capture != "" {
		return m.capture(e, rest, at)
	}
	for _, choice := range e.choices {
		if next, ok := literal(choice, m.text, at); ok && m.match(rest, next) {
			return true
		}
	}
	return e.optional && m.match(rest, at)
}

func (m matcher) capture(e element, rest []element, at int) bool {
	end := at + 1
	if e.optional {
		end = at
	}
	if len(rest) == 0 {
		end = max(end, m.text.Len())
	}
	for ; end <= m.text.Len(); end++ {
		m.captures[e.capture] = m.text.Slice(at, end)
		if m.match(rest, end) {
			return true
		}
	}
	delete(m.captures, e.capture)
	return false
}

func literal(words []string, t Text, at int) (next int, ok bool) {
	if t.Key(at) == "," && words[0] != "," {
		at++
	}
	for i, w := range words {
		if t.Key(at+i) != w {
			return 0, false
		}
	}
	return at + len(words), true
}
