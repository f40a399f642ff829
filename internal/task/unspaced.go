package task

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"errand/internal/terms"
)

// maxCompound is the length of a run of Han characters that is taken for a compound word, not for a phrase.
const maxCompound = 4

// runeClass is the class of a character in a text without spaces. Japanese words often end where the class changes.
type runeClass int

const (
	otherClass    runeClass = iota // letters and digits of scripts with spaces
	markClass                      // belongs to the character before
	hanClass                       // Chinese characters
	katakanaClass                  // foreign words in Japanese
	runningClass                   // Hiragana, Thai, Lao, Khmer, Myanmar: words have no visible end
)

func classOf(r rune) runeClass {
	switch {
	case r == 'ー' || unicode.IsMark(r):
		return markClass
	case unicode.Is(unicode.Han, r):
		return hanClass
	case unicode.Is(unicode.Katakana, r):
		return katakanaClass
	case terms.IsUnspacedRune(r):
		return runningClass
	default:
		return otherClass
	}
}

// isIn reports whether w occurs in a word of a title that has characters of a script without spaces: it is that word,
// or it has two characters or more and is part of it. As a part it does not begin or end within a number, a Latin word,
// a Katakana word or a character with marks; and not inside of a compound of Han characters, as 京都 does in 東京都庁.
func (w word) isIn(title word) bool {
	if w.text == title.text {
		return true
	}
	part := []rune(w.text)
	if w.unspaced && len(part) < 2 {
		return false
	}
	whole := []rune(title.text)
	for start := 0; start+len(part) <= len(whole); start++ {
		if string(whole[start:start+len(part)]) == w.text && isWholePart(whole, start, start+len(part)) {
			return true
		}
	}
	return false
}

// isWholePart reports whether the characters from start to end can be a word of a text without spaces.
func isWholePart(text []rune, start, end int) bool {
	if end < len(text) && classOf(text[end]) == markClass {
		return false
	}
	startsRun := start == 0 || classBefore(text, start) != classOf(text[start])
	endsRun := end == len(text) || classBefore(text, end) != classOf(text[end])
	first, last := classOf(text[start]), classBefore(text, end)
	if !startsRun && (first == otherClass || first == katakanaClass || first == markClass) {
		return false
	}
	if !endsRun && (last == otherClass || last == katakanaClass) {
		return false
	}
	if startsRun || endsRun || first != hanClass || last != hanClass {
		return true
	}
	return !isCompound(text, start, end)
}

// classBefore returns the class of the character before position at, or of the one that its marks belong to.
func classBefore(text []rune, at int) runeClass {
	for i := at - 1; i >= 0; i-- {
		if c := classOf(text[i]); c != markClass {
			return c
		}
	}
	return markClass
}

// isCompound reports whether the run of Han characters around start and end is taken for one word: a short one, or any
// in Japanese, where phrases have Hiragana between words.
func isCompound(text []rune, start, end int) bool {
	if strings.ContainsFunc(string(text), isKana) {
		return true
	}
	for start > 0 && classOf(text[start-1]) == hanClass {
		start--
	}
	for end < len(text) && classOf(text[end]) == hanClass {
		end++
	}
	return end-start <= maxCompound
}

func isKana(r rune) bool { return unicode.In(r, unicode.Hiragana, unicode.Katakana) }

// begins reports whether w is the beginning of a title's word, or shares two characters with it in a script without
// spaces.
func (w word) begins(title word) bool {
	if !w.unspaced {
		return strings.HasPrefix(title.text, w.text)
	}
	if utf8.RuneCountInString(w.text) == 1 {
		return strings.Contains(title.text, w.text)
	}
	if title.unspaced {
		for _, pair := range terms.AdjacentPairs(w.text) {
			if strings.Contains(title.text, pair) {
				return true
			}
		}
	}
	return false
}
