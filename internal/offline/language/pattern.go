package language

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// rule is a compiled pattern and its English translation, which contains the names of the captures.
type rule struct {
	// kind is the kind of a command, or "date" or "ref".
	kind, english string
	names         []string
	// re matches a whole text, or, for a date, the beginning of one up to a word boundary.
	re *regexp.Regexp
}

// space is the expression of a character between words.
const space = `[\s,，、；،]`

// compile parses the pattern of a rule.
func (l *Language) compile(kind, s, english string) rule {
	p := rule{kind: kind, english: english}
	var b strings.Builder
	separator, boundary := space+"+", "(?:$|"+space+")"
	if l.unspaced {
		separator, boundary = space+"*", ""
	}
	begun := false
	for field := range strings.FieldsSeq(s) {
		e := l.element(strings.Trim(field, "[]"), &p)
		switch {
		case field == ":":
			b.WriteString(`\s*[:：]\s*`)
			begun = false
		case field == "[:]":
			b.WriteString(`(?:\s*[:：])?`)
		case field[0] == '[' && begun:
			b.WriteString("(?:" + separator + e + ")?")
		case field[0] == '[':
			b.WriteString("(?:" + e + separator + ")?")
		case begun:
			b.WriteString(separator + e)
		default:
			b.WriteString(e)
			begun = true
		}
	}
	if kind != "date" {
		boundary = "$"
	}
	p.re = regexp.MustCompile("(?is)^" + b.String() + boundary)
	return p
}

var capture = regexp.MustCompile(`<[^>]+>|\{[^}]+\}`)

// element returns the expression of a field, and adds its captures to p.
func (l *Language) element(field string, p *rule) string {
	places := capture.FindAllStringIndex(field, -1)
	if places == nil {
		return "(?:" + choices(strings.Split(strings.ReplaceAll(field, "_", " "), "|")) + ")"
	}
	var b strings.Builder
	at := 0
	for _, place := range places {
		b.WriteString(foldable(field[at:place[0]]))
		at = place[1]
		name := field[place[0]:place[1]]
		p.names = append(p.names, name)
		switch {
		case name[0] == '{':
			words := l.classes[strings.Trim(name, "{}")]
			if words == nil {
				panic("language: " + l.tag + ": no class " + name)
			}
			b.WriteString("(" + choices(words) + ")")
		case len(name) == len("<n>"):
			b.WriteString(`#?(\p{Nd}{1,4})`)
		default:
			b.WriteString(`(.+?)`)
		}
	}
	return b.String() + foldable(field[at:])
}

// choices returns an expression of alternatives, the longest first.
func choices(words []string) string {
	words = slices.Clone(words)
	slices.SortStableFunc(words, func(a, b string) int { return len(b) - len(a) })
	for i, w := range words {
		words[i] = foldable(w)
	}
	return strings.Join(words, "|")
}

// anywhere returns an expression that matches one of the words, nil without words.
func anywhere(words []string, unspaced bool) *regexp.Regexp {
	switch {
	case len(words) == 0:
		return nil
	case unspaced:
		return regexp.MustCompile(`(?i)(?:` + choices(words) + `)`)
	default:
		return regexp.MustCompile(`(?i)(?:^|[\s,，、،.:'’])(?:` + choices(words) + `)(?:$|[\s,，、،.:'’])`)
	}
}

// ends returns an expression that matches words at both ends of a text and captures the rest; nil without words.
func ends(words []string, unspaced bool) *regexp.Regexp {
	if len(words) == 0 {
		return nil
	}
	separator := space + "+"
	if unspaced {
		separator = space + "*"
	}
	w := "(?:" + choices(words) + ")"
	return regexp.MustCompile(`(?is)^(?:` + w + separator + `)*(.+?)(?:` + separator + w + `)*$`)
}

// strip removes the words of an expression of ends.
func strip(ends *regexp.Regexp, s string) string {
	if ends == nil {
		return s
	}
	if m := ends.FindStringSubmatch(s); m != nil {
		return m[1]
	}
	return s
}

// umlauts are also written as two letters.
var umlauts = map[rune]string{'ä': "ae", 'ö': "oe", 'ü': "ue", 'ß': "ss"}

// foldable returns an expression for a literal whose accents may be left out.
func foldable(s string) string {
	var b strings.Builder
	for _, r := range s {
		base := withoutAccent(r)
		switch {
		case r == ' ':
			b.WriteString(`\s+`)
		case r == ':':
			b.WriteString("[:：]")
		case r == '\'':
			b.WriteString("['’‘]")
		case umlauts[r] != "":
			b.WriteString("(?:" + string(r) + "|" + umlauts[r] + "|" + string(base) + ")")
		case base != r:
			b.WriteString("[" + string(r) + string(base) + "]")
		default:
			b.WriteString(regexp.QuoteMeta(string(r)))
		}
	}
	return b.String()
}

func withoutAccent(r rune) rune {
	base, _ := utf8.DecodeRuneInString(norm.NFD.String(string(r)))
	if unicode.Is(unicode.Latin, base) {
		return base
	}
	return r
}

// fold returns the key of a word: lower case, without accents on Latin letters.
func fold(s string) string {
	return strings.Map(withoutAccent, strings.ReplaceAll(strings.ToLower(s), "ß", "ss"))
}
