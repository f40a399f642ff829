package task

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Bounds of the search index.
const (
	// maxTerms is how many different terms of a task are indexed; the title comes first. A description of 10,000
	// characters of prose has about 600.
	maxTerms = 1_000
	// maxTermRunes is the length at which terms are cut, in the index and in searches.
	maxTermRunes = 32
	// maxSearchTerms is how many terms of a search are used.
	maxSearchTerms = 50
)

// termKind is how a term of a search is compared with the index.
type termKind int

const (
	prefixTerm termKind = iota // a word, or a single character of a script without spaces: terms that begin with it
	exactTerm                  // two adjacent characters of a script without spaces, or a symbol
)

// searchTerm is a term of a search.
type searchTerm struct {
	text string
	kind termKind
}

// indexTerms returns the different terms of a task's title and description, in their order, at most maxTerms.
//
// A term is a word, two adjacent characters of a script that separates no words (and the last character of such a run),
// or any other character that is neither a space nor a control character. Case, accents and compatibility forms are
// folded.
func indexTerms(title, description string) []string {
	seen := map[string]bool{}
	var terms []string
	for _, text := range []string{title, description} {
		scanTerms(text, func(run string, unspaced bool) bool {
			add := func(term string) {
				if !seen[term] && len(terms) < maxTerms {
					seen[term] = true
					terms = append(terms, term)
				}
			}
			if !unspaced {
				add(run)
			} else {
				for _, pair := range adjacentPairs(run) {
					add(pair)
				}
				_, size := utf8.DecodeLastRuneInString(run)
				add(run[len(run)-size:])
			}
			return len(terms) < maxTerms
		})
	}
	return terms
}

// searchTerms returns the different terms of a search, at most maxSearchTerms.
func searchTerms(search string) []searchTerm {
	seen := map[searchTerm]bool{}
	var terms []searchTerm
	scanTerms(search, func(run string, unspaced bool) bool {
		add := func(t searchTerm) {
			if !seen[t] && len(terms) < maxSearchTerms {
				seen[t] = true
				terms = append(terms, t)
			}
		}
		first, size := utf8.DecodeRuneInString(run)
		switch {
		case unspaced && size < len(run):
			for _, pair := range adjacentPairs(run) {
				add(searchTerm{pair, exactTerm})
			}
		case unspaced || isWordRune(first):
			add(searchTerm{run, prefixTerm})
		default:
			add(searchTerm{run, exactTerm})
		}
		return len(terms) < maxSearchTerms
	})
	return terms
}

// TitleMatcher returns a function that reports whether a search finds a title, by the rules for tasks: each word of the
// search begins a word of the title, in any case and with any accents. It is nil for a search without words, which
// finds everything; an invalid search is BAD_USER_INPUT.
func TitleMatcher(search string) (func(title string) bool, error) {
	words, err := searchWords(search)
	if err != nil || len(words) == 0 {
		return nil, err
	}
	wanted := searchTerms(search)
	return func(title string) bool {
		terms := indexTerms(title, "")
		for _, w := range wanted {
			if !slices.ContainsFunc(terms, w.matches) {
				return false
			}
		}
		return len(wanted) > 0 // without, the search holds invisible characters only
	}, nil
}

// matches reports whether an indexed term satisfies t.
func (t searchTerm) matches(term string) bool {
	return term == t.text || t.kind == prefixTerm && strings.HasPrefix(term, t.text)
}

// scanTerms calls emit for each word, run of characters of scripts without spaces, and other character of the text,
// until emit returns false.
func scanTerms(text string, emit func(run string, unspaced bool) bool) {
	text = foldText(text)
	start, unspaced := -1, false
	for i, r := range text {
		word, isUnspaced := isWordRune(r), isUnspacedRune(r)
		if start >= 0 && (!word || isUnspaced != unspaced) {
			if !emit(cutTerm(text[start:i], unspaced), unspaced) {
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
		emit(cutTerm(text[start:], unspaced), unspaced)
	}
}

// foldText removes the differences that a search ignores: case, accents, and forms such as full-width letters.
func foldText(s string) string { return strings.ToLower(foldAccents(s)) }

// foldAccents removes the differences that a search ignores, other than case.
func foldAccents(s string) string {
	if isASCII(s) {
		return s
	}
	return norm.NFC.String(strings.Map(withoutAccent, norm.NFKD.String(s)))
}

func isASCII(s string) bool {
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

// isWordRune reports whether words consist of such characters.
func isWordRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) && r < 0xFE00
}

// isUnspacedRune reports whether r belongs to a script that separates no words.
func isUnspacedRune(r rune) bool {
	return r >= 0xE00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao,
		unicode.Khmer, unicode.Myanmar)
}

// cutTerm cuts a word at maxTermRunes.
func cutTerm(word string, unspaced bool) string {
	if unspaced || len(word) <= maxTermRunes {
		return word
	}
	n := 0
	for i := range word {
		if n++; n > maxTermRunes {
			return word[:i]
		}
	}
	return word
}

// adjacentPairs returns all pairs of adjacent characters.
func adjacentPairs(run string) []string {
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
