// Package terms splits texts and searches into the terms of the search indexes.
//
// A term is a word, two adjacent characters of a script that separates no words (and the last character of such a run),
// or any other character that is neither a space nor a control character. Case, accents and compatibility forms are
// folded.
package terms

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"errand/internal/apperr"

	"golang.org/x/text/unicode/norm"
)

// Bounds of the search index.
const (
	// MaxTerms is how many different terms of a row are indexed. A text of 10,000 characters of prose has about 600.
	MaxTerms = 1_000
	// MaxRunes is the length at which terms are cut, in the index and in searches.
	MaxRunes = 32
	// MaxSearch is how many terms of a search are used.
	MaxSearch = 50
)

// maxSearchChars and maxSearchWords bound a search that a client sends.
const (
	maxSearchChars = 200
	maxSearchWords = 20
)

// Query is a term of a search.
type Query struct {
	Text string
	// Prefix means that terms that begin with Text suffice. It is set for words, and for single characters of scripts
	// without spaces, but not for pairs of these and for symbols.
	Prefix bool
}

// Matches reports whether a term satisfies q.
func (q Query) Matches(term string) bool {
	return term == q.Text || q.Prefix && strings.HasPrefix(term, q.Text)
}

// Words validates a search, which is in the argument or field with the name, and returns its words.
func Words(name, search string) ([]string, error) {
	if utf8.RuneCountInString(search) > maxSearchChars || !utf8.ValidString(search) || strings.ContainsRune(search, 0) {
		return nil, apperr.Invalid(name, "A search text must be plain text of at most %d characters.", maxSearchChars)
	}
	words := strings.Fields(search)
	if len(words) > maxSearchWords {
		return nil, apperr.Invalid(name, "A search text must have at most %d words.", maxSearchWords)
	}
	return words, nil
}

// Index returns the different terms of texts, in their order, at most MaxTerms.
func Index(texts ...string) []string {
	seen := map[string]bool{}
	var terms []string
	for _, text := range texts {
		scan(text, func(run string, unspaced bool) bool {
			add := func(term string) {
				if !seen[term] && len(terms) < MaxTerms {
					seen[term] = true
					terms = append(terms, term)
				}
			}
			if !unspaced {
				add(run)
			} else {
				for _, pair := range AdjacentPairs(run) {
					add(pair)
				}
				_, size := utf8.DecodeLastRuneInString(run)
				add(run[len(run)-size:])
			}
			return len(terms) < MaxTerms
		})
	}
	return terms
}

// Search returns the different terms of a search, at most MaxSearch.
func Search(search string) []Query {
	seen := map[Query]bool{}
	var terms []Query
	scan(search, func(run string, unspaced bool) bool {
		add := func(t Query) {
			if !seen[t] && len(terms) < MaxSearch {
				seen[t] = true
				terms = append(terms, t)
			}
		}
		first, size := utf8.DecodeRuneInString(run)
		switch {
		case unspaced && size < len(run):
			for _, pair := range AdjacentPairs(run) {
				add(Query{Text: pair})
			}
		case unspaced || IsWordRune(first):
			add(Query{Text: run, Prefix: true})
		default:
			add(Query{Text: run})
		}
		return len(terms) < MaxSearch
	})
	return terms
}

// scan calls emit for each word, run of characters of scripts without spaces, and other character of the text,
// until emit returns false.
func scan(text string, emit func(run string, unspaced bool) bool) {
	text = Fold(text)
	start, unspaced := -1, false
	for i, r := range text {
		word, isUnspaced := IsWordRune(r), IsUnspacedRune(r)
		if start >= 0 && (!word || isUnspaced != unspaced) {
			if !emit(Cut(text[start:i], unspaced), unspaced) {
				return
			}
			start = -1
		}
		switch {
		case word && start < 0:
			start, unspaced = i, isUnspaced
		case !word && !unicode.IsSpace(r) && !unicode.IsControl(r) && !unicode.Is(unicode.Cf, r):
			if !emit(string(r), false) {
				return
			}
		}
	}
	if start >= 0 {
		emit(Cut(text[start:], unspaced), unspaced)
	}
}

// Fold removes the differences that a search ignores: case, accents, and forms such as full-width letters.
func Fold(s string) string { return strings.ToLower(FoldAccents(s)) }

// FoldAccents removes the differences that a search ignores, other than case.
func FoldAccents(s string) string {
	if IsASCII(s) {
		return s
	}
	return norm.NFC.String(strings.Map(withoutAccent, norm.NFKD.String(s)))
}

// IsASCII reports whether a text has ASCII characters only.
func IsASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// withoutAccent removes the combining marks of Latin, Greek and Cyrillic letters. In other scripts, marks are vowels.
func withoutAccent(r rune) rune {
	if r >= 0x300 && r <= 0x36F {
		return -1
	}
	return r
}

// IsWordRune reports whether words consist of such characters.
func IsWordRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) && r < 0xFE00
}

// IsUnspacedRune reports whether r belongs to a script that separates no words.
func IsUnspacedRune(r rune) bool {
	return r >= 0xE00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao,
		unicode.Khmer, unicode.Myanmar)
}

// Cut cuts a word at MaxRunes.
func Cut(word string, unspaced bool) string {
	if unspaced || len(word) <= MaxRunes {
		return word
	}
	n := 0
	for i := range word {
		if n++; n > MaxRunes {
			return word[:i]
		}
	}
	return word
}

// AdjacentPairs returns all pairs of adjacent characters.
func AdjacentPairs(run string) []string {
	var pairs []string
	previous := -1
	for i, r := range run {
		if previous >= 0 {
			pairs = append(pairs, run[previous:i+utf8.RuneLen(r)])
		}
		previous = i
	}
	return pairs
}
