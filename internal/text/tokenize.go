package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Tokenize splits a message into tokens. The message must be the result of Clean.
func Tokenize(s string) Text {
	z := tokenizer{source: s, tokens: make([]Token, 0, len(s)/4+2)}
	for z.pos < len(s) {
		z.next()
	}
	return Text{source: s, Tokens: z.tokens}
}

type tokenizer struct {
	source string
	pos    int
	tokens []Token
	// unclosed has, by opening mark, the position before which no such quotation is closed. It keeps the cost linear.
	unclosed map[rune]int
}

// quotes maps an opening mark to the marks that may close it.
var quotes = map[rune]string{
	'"': "\"", '“': "”“\"", '„': "“”", '«': "»", '‟': "”",
	'\'': "'’", '‘': "’'", '‛': "’'", '`': "`'",
}

func (z *tokenizer) next() {
	r, size := utf8.DecodeRuneInString(z.source[z.pos:])
	switch {
	case r == '\n':
		z.add(Break, z.pos+1)
	case unicode.IsSpace(r):
		z.pos += size
	case z.quoted(r, size):
	default:
		z.chunk()
	}
}

// quoted reads a quoted string if one begins here: its mark has a counterpart at the end of a word on the same line. An
// apostrophe has none.
func (z *tokenizer) quoted(open rune, size int) bool {
	closers, ok := quotes[open]
	if !ok || z.pos < z.unclosed[open] {
		return false
	}
	body := z.source[z.pos+size:]
	if r, _ := utf8.DecodeRuneInString(body); unicode.IsSpace(r) {
		return false
	}
	for i, r := range body {
		if r == '\n' {
			z.notClosed(open, z.pos+size+i)
			return false
		}
		after := i + utf8.RuneLen(r)
		if r == '\'' && z.opensNoOther(body[after:]) {
			continue // an apostrophe: 'Don't stop believin' karaoke'
		}
		if strings.ContainsRune(closers, r) && i > 0 && endsWord(body[after:]) {
			literal := body[:i]
			if strings.TrimSpace(literal) == "" {
				return false
			}
			z.add(Quoted, z.pos+size+after)
			z.tokens[len(z.tokens)-1].Literal = literal
			return true
		}
	}
	z.notClosed(open, len(z.source))
	return false
}

// notClosed records that no quotation with an opening mark is closed before a position.
func (z *tokenizer) notClosed(open rune, before int) {
	if z.unclosed == nil {
		z.unclosed = map[rune]int{}
	}
	z.unclosed[open] = before
}

// opensNoOther reports whether the rest of a line has a single quotation mark at its end but none that opens another
// quotation, so that the mark before it is an apostrophe.
func (z *tokenizer) opensNoOther(rest string) bool {
	line, _, _ := strings.Cut(rest, "\n")
	line = strings.TrimRight(line, " .!?")
	return strings.HasSuffix(line, "'") && strings.Count(line, "'") == 1
}

func endsWord(rest string) bool {
	r, _ := utf8.DecodeRuneInString(rest)
	return rest == "" || !unicode.IsLetter(r) && !unicode.IsDigit(r)
}

// chunk reads everything up to the next space and separates the marks at its ends.
func (z *tokenizer) chunk() {
	end := z.pos
	for i, r := range z.source[z.pos:] {
		if unicode.IsSpace(r) || r == '—' && i > 0 {
			break
		}
		end = z.pos + i + utf8.RuneLen(r)
	}
	for z.pos < end {
		rest := z.source[z.pos:end]
		if n := leadingMark(rest); n > 0 {
			z.add(Punct, z.pos+n)
			// A quotation may begin after a bracket or colon, but not after a word: "the dogs' bowl".
			if r, size := utf8.DecodeRuneInString(z.source[z.pos:]); z.pos < end && z.quoted(r, size) {
				return
			}
			continue
		}
		z.add(Word, z.pos+wordLen(rest))
	}
}

func (z *tokenizer) add(kind Kind, end int) {
	t := Token{Kind: kind, start: z.pos, end: end, index: len(z.tokens)}
	if kind == Word || kind == Punct {
		t.Key = fold(z.source[z.pos:end])
	}
	if t.Key == "" && kind == Punct {
		t.Key = "'"
	}
	z.tokens = append(z.tokens, t)
	z.pos = end
}

const marks = ".,;:!?()[]{}\"'“”‘’„«»`*•…–—-"

// leadingMark returns the length of the mark that s begins with, 0 for none.
// A run of "!" is one mark; a "-" before a digit is none.
func leadingMark(s string) int {
	r, size := utf8.DecodeRuneInString(s)
	if !strings.ContainsRune(marks, r) {
		return 0
	}
	if r == '-' && len(s) > 1 && unicode.IsDigit(rune(s[1])) {
		return 0
	}
	if r == '!' {
		return len(s) - len(strings.TrimLeft(s, "!"))
	}
	return size
}

// wordLen returns the length of the first word of a chunk.
func wordLen(s string) int {
	if strings.Contains(s, "://") {
		return max(1, len(strings.TrimRight(s, ".,;:!?)]\"'")))
	}
	for _, mark := range []string{";", "—"} { // faster than IndexAny, which matters for long runs without spaces
		if n := strings.Index(s, mark); n > 0 {
			s = s[:n]
		}
	}
	if n := commaIndex(s); n > 0 {
		s = s[:n]
	}
	if n := strings.IndexByte(s, ':'); n > 0 && letters(s[:n]) && beginsValue(s[n+1:]) {
		return n
	}
	trimmed := strings.TrimRight(s, strings.ReplaceAll(marks, "*", ""))
	if trimmed == "" {
		return len(s)
	}
	if dotted(s) {
		return len(s)
	}
	return len(trimmed)
}

// beginsValue distinguishes "title:milk" and `title:"milk"` from "a:1" and a colon at the end.
func beginsValue(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return s != "" && (unicode.IsLetter(r) || quotes[r] != "")
}

// commaIndex returns the position of a comma that separates words ("1,2", "milk,eggs"), but not of one that groups
// digits ("1,000").
func commaIndex(s string) int {
	if !strings.Contains(s, ",") {
		return 0
	}
	for i := max(1, strings.IndexByte(s, ',')); i < len(s); i++ {
		if s[i] != ',' {
			continue
		}
		tail := s[i+1:]
		grouped := len(tail) >= 3 && digits(tail[:3]) && (len(tail) == 3 || !digits(tail[3:4])) && digits(s[i-1:i])
		if !grouped {
			return i
		}
	}
	return 0
}

// dotted reports whether s is an abbreviation that ends with a full stop: "p.m.", "e.g.".
func dotted(s string) bool {
	if len(s) < 4 || len(s)%2 != 0 || !strings.HasSuffix(s, ".") {
		return false
	}
	for i := 0; i < len(s); i += 2 {
		if !letters(s[i:i+1]) || s[i+1] != '.' {
			return false
		}
	}
	return true
}

func letters(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) })
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// fold returns the form in which words are compared.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '\'', '’', '‘', '`', '´':
			return -1
		case '‐', '‑', '–', '—':
			return '-'
		}
		return unicode.ToLower(r)
	}, s)
}

// Split returns the tokens of a text in any language: runs of characters that belong together, with the keys that fold
// returns for them. Marks but quotation marks and brackets are Punct, all others Word.
func Split(s string, fold func(string) string, joined func(a, b rune) bool) Text {
	t := Text{source: s}
	var last rune
	for i, r := range s {
		n := len(t.Tokens)
		switch {
		case unicode.IsSpace(r):
		case n > 0 && t.Tokens[n-1].end == i && joined(last, r):
			t.Tokens[n-1].end = i + utf8.RuneLen(r)
		default:
			kind := Word
			if unicode.Is(unicode.Po, r) && quotes[r] == "" {
				kind = Punct
			}
			t.Tokens = append(t.Tokens, Token{Kind: kind, start: i, end: i + utf8.RuneLen(r), index: n})
		}
		last = r
	}
	for i := range t.Tokens {
		t.Tokens[i].Key = fold(t.Raw(i))
	}
	return t
}
