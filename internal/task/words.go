package task

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// word is a word of a title or of a reference to a task.
type word struct {
	// text is the folded word: see foldWord.
	text string
	// forms are the text and the forms of which it can be an inflection. Words are equal if they share a form.
	forms []string
	// unspaced means that the word holds characters of a script that separates no words.
	unspaced bool
}

// symbolsInWords are kept within a word, or at its end, such as in "c++", "1.5" and "12-16".
const (
	symbolsBetweenDigits = ".,:/-"
	symbolsAfterLetters  = "+#"
)

// letterForms replaces letters that have no accent to remove by those that are written instead.
var letterForms = strings.NewReplacer(
	"ß", "ss", "æ", "ae", "œ", "oe", "ø", "o", "ł", "l", "đ", "d", "ð", "d", "þ", "th", "ı", "i", "ς", "σ",
	"‘", "'", "’", "'", "ʼ", "'", "＇", "'", "`", "'", "´", "'",
)

// foldWord folds a text as the search index does, and replaces letters such as ß and kinds of apostrophes.
func foldWord(s string) string { return letterForms.Replace(foldText(letterForms.Replace(s))) }

// words returns the words of a text, folded, in their order. Words are letters and digits; emoji, currency signs and
// mathematical symbols are words of their own. Punctuation separates words, except an apostrophe and a mark between
// digits; a possessive 's is dropped.
func words(text string) []word {
	var out []word
	runes := []rune(foldWord(text))
	for i := 0; i < len(runes); {
		if end := wordEnd(runes, i); end > i {
			out = append(out, newWord(runes[i:end]))
			i = end
			continue
		}
		if isSymbolWord(runes[i]) {
			out = append(out, word{text: string(runes[i]), forms: []string{string(runes[i])}})
		} else if runes[i] == '&' {
			out = append(out, word{text: "and", forms: []string{"and"}})
		}
		i++
	}
	return out
}

// isSymbolWord reports whether a character that belongs to no word is a word itself.
func isSymbolWord(r rune) bool {
	return r == '%' || r == '+' || unicode.In(r, unicode.So, unicode.Sc) || r >= utf8.RuneSelf && unicode.Is(unicode.Sm, r)
}

// wordEnd returns the end of the word that begins at start; it is start if none does.
func wordEnd(runes []rune, start int) int {
	i := start
	for ; i < len(runes); i++ {
		r := runes[i]
		if isWordRune(r) {
			continue
		}
		if i == start {
			return start
		}
		before, next := runes[i-1], rune(0)
		if i+1 < len(runes) {
			next = runes[i+1]
		}
		switch {
		case r == '\'' && isWordRune(before) && isWordRune(next):
		case unicode.Is(unicode.Cf, r) && isWordRune(next): // invisible
		case strings.ContainsRune(symbolsBetweenDigits, r) && unicode.IsDigit(before) && unicode.IsDigit(next):
		case strings.ContainsRune(symbolsAfterLetters, r) && !isWordRune(next) &&
			(unicode.IsLetter(before) || strings.ContainsRune(symbolsAfterLetters, before)):
		default:
			return i
		}
	}
	return i
}

func newWord(runes []rune) word {
	w := word{unspaced: slices.ContainsFunc(runes, isUnspacedRune)}
	w.text = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, string(runes))
	w.text = strings.TrimSuffix(w.text, "'s")
	w.text = strings.ReplaceAll(w.text, "'", "")
	w.forms = []string{w.text}
	if !w.unspaced {
		w.forms = append(w.forms, baseForms(w.text)...)
	}
	return w
}

// uninflected are words whose ending is no inflection, but without which they would be another word.
var uninflected = map[string]bool{
	"news": true, "goods": true, "jeans": true, "means": true, "customs": true, "odds": true, "arms": true,
	"mars": true, "lens": true, "has": true, "was": true, "does": true, "series": true, "species": true,
	"thanks": true, "gas": true, "its": true, "yes": true, "christmas": true,
	"evening": true, "morning": true, "earring": true, "herring": true, "inning": true, "wedding": true, "during": true,
	"ceiling": true, "pudding": true, "wing": true, "king": true, "ring": true, "thing": true, "nothing": true,
	"bedding": true, "something": true, "anything": true, "everything": true, "sibling": true, "darling": true,
	"hundred": true, "sacred": true, "naked": true, "wicked": true, "beloved": true, "kindred": true, "biped": true,
}

// baseForms returns the forms of which an English word can be an inflection: the singular of a plural in -s, -es or
// -ies, and the verb of a form in -ing, -ed or -ied.
func baseForms(w string) []string {
	if len(w) < 3 || uninflected[w] || strings.ContainsFunc(w, func(r rune) bool { return r < 'a' || r > 'z' }) {
		return nil
	}
	if stem, ok := strings.CutSuffix(w, "ing"); ok {
		return verbForms(stem)
	}
	if stem, ok := strings.CutSuffix(w, "ied"); ok && hasVowel(stem) {
		return []string{stem + "y", stem + "ie"}
	}
	if stem, ok := strings.CutSuffix(w, "ed"); ok && !strings.HasSuffix(stem, "e") {
		return verbForms(stem)
	}
	return singularForms(w)
}

// singularForms returns the words whose plural w can be.
func singularForms(w string) []string {
	if len(w) < 4 || !strings.HasSuffix(w, "s") || hasAnySuffix(w, "ss", "us", "is") { // "GPS" is not "GP"
		return nil
	}
	if stem, ok := strings.CutSuffix(w, "ies"); ok {
		if len(stem) < 2 {
			return []string{stem + "ie"}
		}
		return []string{stem + "y", stem + "ie"}
	}
	if w == "goes" {
		return []string{"go"}
	}
	if stem, ok := strings.CutSuffix(w, "es"); ok && len(stem) > 2 && hasAnySuffix(stem, "s", "x", "z", "ch", "sh", "o") {
		return []string{stem, stem + "e"}
	}
	return []string{w[:len(w)-1]}
}

// verbForms returns the verbs whose form in -ing or -ed has the stem.
func verbForms(stem string) []string {
	n := len(stem)
	if n < 2 || !hasVowel(stem) {
		return nil
	}
	doubled := n > 3 && stem[n-1] == stem[n-2] && !isVowel(stem[n-1])
	switch {
	case doubled: // planning, calling
		return []string{stem, stem[:n-1]}
	case n == 2 && !isVowel(stem[1]): // using
		return []string{stem + "e"}
	case n == 2: // going
		return []string{stem}
	case isShortStem(stem): // hoping, not hopping
		return []string{stem + "e"}
	default: // visiting, moving
		return []string{stem, stem + "e"}
	}
}

// isShortStem reports whether a stem has one syllable that ends in a consonant after a single vowel. A verb with such
// an end doubles the consonant.
func isShortStem(stem string) bool {
	n := len(stem)
	if isVowel(stem[n-1]) || strings.IndexByte("wxy", stem[n-1]) >= 0 || !isVowel(stem[n-2]) {
		return false
	}
	return !strings.ContainsAny(stem[:n-2], "aeiouy")
}

func hasVowel(s string) bool { return strings.ContainsAny(s, "aeiouy") }

func isVowel(b byte) bool { return strings.IndexByte("aeiou", b) >= 0 }

func hasAnySuffix(s string, suffixes ...string) bool {
	return slices.ContainsFunc(suffixes, func(suffix string) bool { return strings.HasSuffix(s, suffix) })
}

// isHeldBy reports whether a word of a title is the word apart from inflection, or contains it in a script without
// spaces.
func (w word) isHeldBy(title word) bool {
	if title.unspaced {
		return w.isIn(title)
	}
	return slices.ContainsFunc(w.forms, func(form string) bool { return slices.Contains(title.forms, form) })
}

// isIn reports whether w occurs in a word of a title that has characters of a script without spaces: it is that word,
// or it has two characters or more and is part of it. It does not begin or end within a number or a Latin word.
func (w word) isIn(title word) bool {
	if w.text == title.text {
		return true
	}
	if w.unspaced && utf8.RuneCountInString(w.text) < 2 {
		return false
	}
	first, _ := utf8.DecodeRuneInString(w.text)
	last, _ := utf8.DecodeLastRuneInString(w.text)
	for from := 0; ; {
		at := strings.Index(title.text[from:], w.text)
		if at < 0 {
			return false
		}
		start, end := from+at, from+at+len(w.text)
		before, _ := utf8.DecodeLastRuneInString(title.text[:start])
		after, _ := utf8.DecodeRuneInString(title.text[end:])
		startsWhole := start == 0 || isUnspacedRune(first) || isUnspacedRune(before)
		endsWhole := end == len(title.text) || isUnspacedRune(last) || isUnspacedRune(after)
		if startsWhole && endsWhole {
			return true
		}
		from = start + utf8.RuneLen(first) // w.text is not empty
	}
}
