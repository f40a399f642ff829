package language

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"errand/internal/terms"
)

// maxDetected is how much of a message detect reads, in bytes.
const maxDetected = 512

// fold returns a word as it is compared for detection: also without accents.
func fold(s string) string { return strings.ReplaceAll(terms.Fold(s), "ß", "ss") }

// wordsOf returns the folded words of a message.
func wordsOf(message string) []string {
	message = strings.ToValidUTF8(message[:min(len(message), maxDetected)], "")
	return strings.FieldsFunc(fold(message), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsMark(r) && r != '\'' && r != '’'
	})
}

// mayBe reports whether a message has words of the language, and as many as of English.
func (l *Language) mayBe(message string) bool {
	words := wordsOf(message)
	n := l.score(message, words)
	return n > 0 && n >= english().score(message, words)
}

// score counts the words of the language in a message, and its script.
func (l *Language) score(message string, words []string) (n int) {
	for _, w := range words {
		if l.words[w] {
			n++
		}
	}
	if len(l.scripts) == 0 && len(l.letters) == 0 {
		return n
	}
	letters, own := 0, 0
	for _, r := range message[:min(len(message), maxDetected)] {
		switch {
		case r < utf8.RuneSelf: // no letter of its own, and no script but Latin
			if 'a' <= r|0x20 && r|0x20 <= 'z' {
				letters++
			}
			continue
		case unicode.IsLetter(r):
			letters++
		}
		if l.letters[unicode.ToLower(r)] {
			n += 2
		}
		if unicode.In(r, l.scripts...) {
			own++
		}
	}
	switch {
	case len(l.scripts) == 0:
		return n
	case own*5 > letters:
		return n + len(words) + 1
	}
	return 0
}

// detect returns the language of a message, nil for English and unknown ones.
func detect(message string) *Language {
	words := wordsOf(message)
	asEnglish := english().score(message, words)
	var best *Language
	most := 0
	for _, l := range all() {
		n := l.score(message, words)
		if n > most || n == most && best != nil && l.speakers > best.speakers {
			best, most = l, n
		}
	}
	// One word is enough only if there is no other.
	if most <= asEnglish || most == 1 && len(words) > 1 || most*5 < len(words) {
		return nil
	}
	return best
}
