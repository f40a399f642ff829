package task

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"errand/internal/terms"
)

// word is a word of a title or of a reference to a task.
type word struct {
	// text is the word in lower case, without accents: see foldLetters.
	text string
	// possessive is the text with the s of a possessive, as it is written without an apostrophe; else "".
	possessive string
	// name means that the word is written as a name, which equals no inflection: "Jens" is not "Jen".
	name bool
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
	"ẞ", "SS", "Æ", "Ae", "Œ", "Oe", "Ø", "O", "Ł", "L", "Đ", "D", "Ð", "D", "Þ", "Th",
	"‘", "'", "’", "'", "ʼ", "'", "＇", "'", "´", "'",
)

// foldLetters removes the differences between words other than case: accents, compatibility forms, kinds of apostrophes
// and of digits, variants and enclosing marks.
func foldLetters(s string) string {
	if !terms.IsASCII(s) {
		s = strings.Map(foldRune, letterForms.Replace(terms.FoldAccents(letterForms.Replace(s))))
	}
	return strings.ReplaceAll(s, "`", "'")
}

// foldRune replaces decimal digits of any script, and removes variants and enclosing marks, such as that of a keycap.
func foldRune(r rune) rune {
	switch {
	case r < utf8.RuneSelf:
		return r
	case r >= 0xFE00 && r <= 0xFE0F: // selects a form of the character before
		return -1
	case unicode.Is(unicode.Me, r):
		return ' '
	case unicode.Is(unicode.Nd, r):
		zero := r // digits are adjacent and begin at zero
		for unicode.Is(unicode.Nd, zero-1) && r-zero < 9 {
			zero--
		}
		return '0' + r - zero
	default:
		return r
	}
}

// words returns the words of a text, folded, in their order. Words are letters and digits; emoji, currency signs and
// mathematical symbols are words of their own. Punctuation separates words, except an apostrophe and a mark between
// digits; a possessive 's is dropped.
func words(text string) []word {
	var s wordScanner
	return s.scan(text)
}

// wordScanner splits texts into words, in memory that it uses again for the next text.
type wordScanner struct {
	runes []rune
	words []word
}

func (s *wordScanner) scan(text string) []word {
	text = foldLetters(text)
	lower := strings.ToLower(text)
	ascii := terms.IsASCII(text)
	s.runes, s.words = s.runes[:0], s.words[:0]
	for _, r := range text {
		s.runes = append(s.runes, r)
	}
	runes := s.runes
	for i := 0; i < len(runes); {
		if end := wordEnd(runes, i); end > i {
			w := lower[i:min(end, len(lower))]
			if !ascii {
				w = strings.ToLower(string(runes[i:end]))
			}
			isFirst := len(s.words) == 0
			s.words = append(s.words, newWord(w))
			s.words[len(s.words)-1].name = !isFirst && isName(runes[i:end])
			i = end
			continue
		}
		switch r := runes[i]; {
		case isRegional(r) && i+1 < len(runes) && isRegional(runes[i+1]): // a flag
			i++
			s.words = append(s.words, word{text: string(runes[i-1 : i+1])})
		case isSymbolWord(r):
			s.words = append(s.words, word{text: string(r)})
		case r == '&':
			s.words = append(s.words, word{text: "and"})
		}
		i++
	}
	return s.words
}

// isRegional reports whether r is one of the two characters of a flag.
func isRegional(r rune) bool { return r >= 0x1F1E6 && r <= 0x1F1FF }

// isName reports whether a word that does not begin its text is written as a name: with one capital, at its beginning.
func isName(runes []rune) bool {
	return len(runes) > 1 && unicode.IsUpper(runes[0]) && unicode.IsLower(runes[1])
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
		if terms.IsWordRune(r) {
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
		case r == '\'' && terms.IsWordRune(before) && terms.IsWordRune(next):
		case unicode.Is(unicode.Cf, r) && terms.IsWordRune(next): // invisible
		case strings.ContainsRune(symbolsBetweenDigits, r) && unicode.IsDigit(before) && unicode.IsDigit(next):
		case strings.ContainsRune(symbolsAfterLetters, r) && !terms.IsWordRune(next) &&
			(unicode.IsLetter(before) || strings.ContainsRune(symbolsAfterLetters, before)):
		default:
			return i
		}
	}
	return i
}

// newWord returns the word of a text in lower case.
func newWord(text string) word {
	w := word{unspaced: strings.ContainsFunc(text, terms.IsUnspacedRune)}
	if !terms.IsASCII(text) {
		text = strings.Map(func(r rune) rune {
			if unicode.Is(unicode.Cf, r) {
				return -1
			}
			return r
		}, text)
	}
	if owner, ok := strings.CutSuffix(text, "'s"); ok {
		text, w.possessive = owner, strings.ReplaceAll(owner, "'", "")+"s"
	}
	w.text = strings.ReplaceAll(text, "'", "")
	return w
}

// forms returns the text and the forms of which it can be an inflection.
func (w word) forms() []string {
	out := append(make([]string, 0, 4), w.text)
	if w.possessive != "" {
		out = append(out, w.possessive)
	}
	if !w.unspaced {
		out = append(out, baseForms(w.text)...)
	}
	return out
}

// uninflected are words whose ending is no inflection, but without which they would be another word. The names among
// them are those that are another name, or a word, without it.
var uninflected = map[string]bool{
	"news": true, "goods": true, "jeans": true, "means": true, "customs": true, "odds": true, "arms": true,
	"mars": true, "lens": true, "has": true, "was": true, "does": true, "series": true, "species": true,
	"thanks": true, "gas": true, "its": true, "yes": true, "christmas": true,
	"evening": true, "morning": true, "earring": true, "herring": true, "inning": true, "wedding": true, "during": true,
	"ceiling": true, "pudding": true, "wing": true, "king": true, "ring": true, "thing": true, "nothing": true,
	"bedding": true, "something": true, "anything": true, "everything": true, "sibling": true, "darling": true,
	"jens": true, "hans": true, "lars": true, "nils": true, "niels": true, "james": true, "charles": true, "thomas": true,
	"tomas": true, "lucas": true, "lukas": true, "jonas": true, "elias": true, "tobias": true, "andreas": true,
	"matthias": true, "mathias": true, "nicholas": true, "nikolas": true, "carlos": true, "marcos": true, "moses": true,
	"agnes": true, "ines": true, "jones": true, "hughes": true, "evans": true, "adams": true, "peters": true,
	"williams": true,
	"roberts":  true, "edwards": true, "stephens": true, "owens": true, "davies": true, "johns": true, "mercedes": true,
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
	switch {
	case title.unspaced:
		return w.isIn(title)
	case w.text == title.text:
		return true
	case w.name || title.name:
		return w.text == title.possessive || w.possessive == title.text
	case w.text == "" || title.text == "" || w.text[0] != title.text[0]: // inflections begin with the same letter
		return false
	default:
		forms := title.forms()
		return slices.ContainsFunc(w.forms(), func(form string) bool { return slices.Contains(forms, form) })
	}
}
