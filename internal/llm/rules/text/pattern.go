package text

import "strings"

// Pattern is a whole-text pattern over token keys, written as words:
//
//	add|create [a|the] [new] task [to|:] <title>
//
// "a|b" is a choice, "[…]" may be missing, "_" joins the words of one choice
// ("get_rid_of"), "<name>" captures one or more tokens and "<name?>" none or more. A
// capture takes as few tokens as the rest allows. A comma in front of a word is passed over.
type Pattern struct{ elements []element }

type element struct {
	choices  [][]string
	optional bool
	capture  string
}

// Compile reads a pattern. Every string is a valid pattern.
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

// Match tries the pattern on the whole text.
func (p Pattern) Match(t Text) (Captures, bool) {
	c := Captures{}
	return c, match(p.elements, t, 0, c)
}

func match(es []element, t Text, at int, c Captures) bool {
	if len(es) == 0 {
		return at == t.Len()
	}
	e, rest := es[0], es[1:]
	if e.capture != "" {
		return capture(e, rest, t, at, c)
	}
	for _, choice := range e.choices {
		if next, ok := literal(choice, t, at); ok && match(rest, t, next, c) {
			return true
		}
	}
	return e.optional && match(rest, t, at, c)
}

func capture(e element, rest []element, t Text, at int, c Captures) bool {
	shortest := at + 1
	if e.optional {
		shortest = at
	}
	if len(rest) == 0 {
		shortest = max(shortest, t.Len())
	}
	for end := shortest; end <= t.Len(); end++ {
		if match(rest, t, end, c) {
			c[e.capture] = t.Slice(at, end)
			return true
		}
	}
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
