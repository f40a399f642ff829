package language

import (
	"regexp"
	"strings"
	"unicode"

	"errand/internal/offline/pattern"
	"errand/internal/terms"
	"errand/internal/text"
)

// rule is a pattern with its English translation, which contains the names of the captures.
type rule struct {
	// kind is the kind of a command, or "date" or "ref".
	kind, english string
	pattern       pattern.Pattern
}

// place is a capture within the pattern of a rule: "<n>" or "{day}".
var place = regexp.MustCompile(`<[^>]+>|\{[^}]+\}`)

// compile parses the pattern of a rule. Captures are fields of their own: "<h>:<m>" is "<h> : <m>".
func (l *Language) compile(kind, s, english string) rule {
	return rule{kind, english, pattern.Compile(l.Lexicon, place.ReplaceAllStringFunc(s, func(name string) string {
		return " <" + strings.Trim(name, "<>") + "> "
	}))}
}

// match is a match of a rule with a text, or with its beginning. It implements pattern.Checker.
type match struct {
	pattern.Matcher
	steps, end int
}

// maxSteps bounds the attempts to match one rule.
const maxSteps = 5000

// match matches a rule with a text; a prefix ends at a word boundary. It returns nil if it does not match.
func (l *Language) match(r rule, t text.Text, prefix bool) *match {
	m := &match{steps: maxSteps}
	m.Matcher = pattern.Matcher{Checker: m, Words: l.Lexicon, Pattern: r.pattern, Text: t, Prefix: prefix}
	if !m.Match() {
		return nil
	}
	return m
}

// Step implements pattern.Checker.
func (m *match) Step() bool {
	m.steps--
	return m.steps >= 0
}

// MayBegin implements pattern.Checker.
func (m *match) MayBegin(string, string) bool { return true }

// MayCapture implements pattern.Checker: captures named by one letter are numbers. Others follow no colon
// but that of the pattern.
func (m *match) MayCapture(name string, t text.Text) bool {
	if len(name) > 1 {
		return t.Key(0) != ":"
	}
	if t.Key(0) == "#" && t.Len() > 1 {
		t = t.From(1)
	}
	return t.Len() == 1 && len(t.Key(0)) <= 4 && strings.Trim(t.Key(0), "0123456789") == ""
}

// Accept implements pattern.Checker.
func (m *match) Accept(end int) bool {
	m.end = end
	return true
}

// tokens splits a text into words, numbers and marks; the scripts without spaces into characters.
func tokens(s string) text.Text {
	return text.Split(s, key, func(a, b rune) bool {
		return unicode.IsDigit(a) == unicode.IsDigit(b) && terms.IsWordRune(a) && terms.IsWordRune(b) &&
			!terms.IsUnspacedRune(b)
	})
}

// spell returns the spellings of a phrase: also without its accents, and with "ae" for "ä".
func spell(phrase string) (all [][]string) {
	for _, s := range []string{phrase, terms.FoldAccents(phrase), umlauts.Replace(phrase)} {
		if len(all) == 0 || s != phrase {
			all = append(all, tokens(s).Keys())
		}
	}
	return all
}

var umlauts = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue")

// key returns the key of a token: lower case, with ASCII digits.
func key(s string) string { return strings.Map(digit, equal.Replace(strings.ToLower(s))) }

// equal are characters that patterns do not distinguish.
var equal = strings.NewReplacer("ß", "ss", "：", ":", "’", "'", "‘", "'", "、", ",", "；", ",", ";", ",", "،", ",")

// digit maps the digits of all scripts to ASCII.
func digit(r rune) rune {
	for zero := r; unicode.IsDigit(r); zero-- {
		if !unicode.IsDigit(zero-1) || r-zero == 9 {
			return '0' + r - zero
		}
	}
	return r
}

// trim removes the phrases of a class from both ends of a text.
func (l *Language) trim(class string, t text.Text) text.Text {
	t = l.TrimLeading(t, class)
	for i := 1; i < t.Len(); i++ {
		if l.PhraseAt(class, t, i) == t.Len() {
			return l.trim(class, t.Slice(0, i).Trim())
		}
	}
	return t
}

// has reports whether a text contains a phrase of a class.
func (l *Language) has(class string, t text.Text) bool {
	for i := range t.Tokens {
		if l.PhraseAt(class, t, i) > 0 {
			return true
		}
	}
	return false
}
