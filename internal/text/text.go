// Package text splits a message into tokens with their positions, so that rules compare normalized words while titles
// keep the user's wording.
package text

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kind is the kind of a token.
type Kind int

// The kinds of token.
const (
	Word   Kind = iota // a word, number, date, label or address
	Quoted             // a quoted string: opaque to every rule
	Punct              // one mark, or a run of "!"
	Break              // the end of a line
)

// Token is a part of a message.
type Token struct {
	Kind Kind
	// Key is the folded form that rules compare: lower case, without apostrophes
	// ("What's" has the key "whats"). It is empty for Quoted and Break.
	Key string
	// Literal is the inside of a Quoted token, exactly as written.
	Literal string
	start   int
	end     int
	// index is the position among the tokens of the message.
	index int
}

// Text is a run of tokens of one message.
type Text struct {
	source string
	Tokens []Token
}

// Clean returns s as valid UTF-8, with every control character except the line feed replaced by a space.
func Clean(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Zs, r) || r == '\u2028' || r == '\u2029') {
			return ' '
		}
		return r
	}, s)
}

// Capitalize returns s with its first letter in upper case.
func Capitalize(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[size:]
}

// Len returns the number of tokens.
func (t Text) Len() int { return len(t.Tokens) }

// Key returns the key of token i, "" when there is no such token.
func (t Text) Key(i int) string {
	if i < 0 || i >= len(t.Tokens) {
		return ""
	}
	return t.Tokens[i].Key
}

// Slice returns the part from token i up to, not including, token j.
func (t Text) Slice(i, j int) Text { return Text{source: t.source, Tokens: t.Tokens[i:j]} }

// From returns the part from token i to the end.
func (t Text) From(i int) Text { return t.Slice(min(i, t.Len()), t.Len()) }

// Keys returns the keys of all tokens.
func (t Text) Keys() []string {
	keys := make([]string, t.Len())
	for i, tok := range t.Tokens {
		keys[i] = tok.Key
	}
	return keys
}

// WithKey returns the text with another key for token i.
func (t Text) WithKey(i int, key string) Text {
	tokens := slices.Clone(t.Tokens)
	tokens[i].Key = key
	return Text{source: t.source, Tokens: tokens}
}

// Remove returns the text without the tokens from i up to, not including, j.
func (t Text) Remove(i, j int) Text {
	return Text{source: t.source, Tokens: slices.Concat(t.Tokens[:i], t.Tokens[j:])}
}

// String returns the text as the user wrote it. The parts around removed tokens are joined by one space.
func (t Text) String() string { return t.Without(nil) }

// Bounds returns the byte offsets of the text in its message, 0 and 0 for no tokens.
func (t Text) Bounds() (start, end int) {
	if t.Len() == 0 {
		return 0, 0
	}
	return t.Tokens[0].start, t.Tokens[t.Len()-1].end
}

// Range returns the positions of the first and the last token in the message.
func (t Text) Range() (first, last int) {
	if t.Len() == 0 {
		return -1, -1
	}
	return t.Tokens[0].index, t.Tokens[t.Len()-1].index
}

// Literal returns the text within the quotation marks when the text is one quoted string.
func (t Text) Literal() (string, bool) {
	if t.Len() == 1 && t.Tokens[0].Kind == Quoted {
		return t.Tokens[0].Literal, true
	}
	return "", false
}

// Raw returns token i as the user wrote it.
func (t Text) Raw(i int) string { return t.source[t.Tokens[i].start:t.Tokens[i].end] }

// Without returns the user's wording without the marked tokens. The parts around a gap are joined by one space. A nil
// slice marks none.
func (t Text) Without(gone []bool) string {
	var parts []string
	kept := func(i int) bool { return i < t.Len() && (gone == nil || !gone[i]) }
	for i := 0; i < t.Len(); i++ {
		if !kept(i) {
			continue
		}
		j := i
		for kept(j+1) && t.Tokens[j+1].index == t.Tokens[j].index+1 {
			j++
		}
		parts = append(parts, t.source[t.Tokens[i].start:t.Tokens[j].end])
		i = j
	}
	return strings.Join(parts, " ")
}

// Trim removes commas, full stops and other separate marks at both ends.
func (t Text) Trim() Text {
	for t.Len() > 0 && loose(t.Tokens[0]) {
		t = t.From(1)
	}
	for t.Len() > 0 && loose(t.Tokens[t.Len()-1]) && !t.closes() {
		t = t.Slice(0, t.Len()-1)
	}
	return t
}

// closes reports whether the last token is a bracket that closes an earlier one.
func (t Text) closes() bool {
	last := t.Key(t.Len() - 1)
	open := map[string]string{")": "(", "]": "["}[last]
	return open != "" && slices.ContainsFunc(t.Tokens, func(tok Token) bool { return tok.Key == open })
}

func loose(t Token) bool {
	return t.Kind == Break || t.Kind == Punct && !strings.HasPrefix(t.Key, "!!")
}
