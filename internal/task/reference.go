package task

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"errand/internal/apperr"
	"errand/internal/terms"
)

// Limits of a reference.
const (
	maxReferenceChars = 300
	maxReferenceWords = 100
	// maxNumberDigits is how long a reference to a task number can be. Numbers are assigned one by one from 1.
	maxNumberDigits = 9
)

// reference is a parsed reference to a task.
type reference struct {
	// number is the task number; 0 means none.
	number int
	// all are the words of the reference, without a number after "#" or "task". named are those of them that count.
	all, named []word
	// digits means that the words that count are numbers. vague means that they are numbers or words that describe no
	// title, such as "it", "all" and "the last": only a title that equals the reference is certain.
	digits, vague bool
	// uncertain means that no title is certain, because the reference has a number that no such task has.
	uncertain bool
	// withoutOne means that a final "one" does not count. It may stand for a number: "the chapter one".
	withoutOne bool
	// withoutA means that an "a" at the beginning does not count. It may be a letter: "A team".
	withoutA bool
}

// Words that do not count. Words of every list count where they may be part of a title: "plan A", "chapter one".
var (
	// anywhere are dropped at every position.
	anywhere = wordSet("the my your our their his her please pls")
	// leading are dropped at the beginning, after words of the same lists.
	leading = wordSet("a an this that these those task tasks thing things item items kindly")
	// trailing are dropped at the end.
	trailing = wordSet("task tasks thing things item items thanks kindly")
	// numberWords come before the number of a task.
	numberWords = wordSet("task number no nr")
	// numberNames are numbers in words, which a title without the word "one" may have instead.
	// pointers describe no title by themselves.
	pointers = wordSet(
		"it its this that these those them they one ones he she him i me we us you all every each both any " +
			"some none everything anything something nothing everyone other others another rest last first second third next " +
			"previous final latest newest oldest recent new old same and or not no of to in on for with without about at by " +
			"from up out as is are was be do done what which who there here now today tomorrow yesterday everyday again too " +
			"also")
	numberNames = wordSet("one two three four five six seven eight nine ten eleven twelve first second third fourth fifth")
)

func wordSet(list string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(list) {
		set[w] = true
	}
	return set
}

// parseReference parses a reference that is not an ID.
func parseReference(text string) (reference, error) {
	if n := utf8.RuneCountInString(text); n > maxReferenceChars || !isStorableText(text) {
		return reference{}, apperr.Invalid("reference",
			"A reference must be plain text of at most %d characters; this one has %d.", maxReferenceChars, n)
	}
	number, rest := cutNumber(text)
	r := reference{number: number, all: words(rest)}
	if len(r.all) > maxReferenceWords {
		return reference{}, apperr.Invalid("reference", "A reference must have at most %d words.", maxReferenceWords)
	}
	if len(r.all) == 0 && number == 0 {
		return reference{}, apperr.Invalid("reference", "A reference must have at least one word or number.")
	}
	r.named, r.withoutOne = dropStopWords(r.all)
	r.withoutA = len(r.named) < len(r.all) && slices.ContainsFunc(r.all[:1], func(w word) bool { return w.text == "a" })
	r.digits = !slices.ContainsFunc(r.named, func(w word) bool { return !isNumeric(w.text) })
	r.vague = !slices.ContainsFunc(r.named, func(w word) bool { return !isNumeric(w.text) && !isPointer(w.text) })
	if number == 0 && r.digits && len(r.named) == 1 && !slices.ContainsFunc(r.all, isNoun) {
		r.number = parseNumber(r.named[0].text)
	}
	return r, nil
}

// isPointer reports whether a word may select a task instead of describing one.
func isPointer(w string) bool { return pointers[w] || numberNames[w] }

// hasLetter reports whether a title has a single letter, which an "a" of a reference may contradict.
func hasLetter(title []word) bool {
	return slices.ContainsFunc(title, func(w word) bool {
		return len(w.text) == 1 && w.text[0] >= 'b' && w.text[0] <= 'z' && w.text != "i"
	})
}

// isNoun reports whether w stands for tasks: "12 tasks" is a quantity, and "item 6" a title.
func isNoun(w word) bool {
	return strings.HasPrefix(w.text, "task") || strings.HasPrefix(w.text, "item") || strings.HasPrefix(w.text, "thing")
}

// withNumber returns the reference with its number as a word. No title is certain then.
func (r reference) withNumber() reference {
	r.uncertain = true
	if !r.digits || len(r.named) == 0 {
		n := words(strconv.Itoa(r.number))
		r.all, r.named = append(n, r.all...), append(n, r.named...)
	}
	return r
}

// cutNumber cuts a task number from the beginning of a reference: "#12", "task 12" and "task number 12" have one, a
// number alone is not cut. It returns 0 and the text if there is none.
func cutNumber(text string) (number int, rest string) {
	rest = strings.TrimLeftFunc(strings.ToLower(foldLetters(text)), isIgnored)
	marked := false
	for {
		if after, ok := strings.CutPrefix(rest, "#"); ok {
			marked, rest = true, after
			continue
		}
		end := strings.IndexFunc(rest, func(r rune) bool { return !unicode.IsLetter(r) })
		if end <= 0 {
			break
		}
		switch first := rest[:end]; {
		case numberWords[first]:
			marked = true
		case !anywhere[first]:
			return 0, text
		}
		rest = strings.TrimLeftFunc(rest[end:], isIgnored)
	}
	end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(rest)
	}
	next, _ := utf8.DecodeRuneInString(rest[end:])
	following, _ := utf8.DecodeRuneInString(strings.TrimPrefix(rest[end:], string(next)))
	partOfWord := terms.IsWordRune(next) || strings.ContainsRune(symbolsBetweenDigits, next) && unicode.IsDigit(following)
	number = parseNumber(rest[:end])
	if !marked || partOfWord || number == 0 {
		return 0, text
	}
	return number, rest[end:]
}

// isIgnored reports whether a reference may begin with r, which is not part of it.
func isIgnored(r rune) bool { return r != '#' && !terms.IsWordRune(r) && !isSymbolWord(r) }

// parseNumber returns the task number that digits write, or 0.
func parseNumber(digits string) int {
	if len(digits) > maxNumberDigits || strings.HasPrefix(digits, "0") {
		return 0
	}
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return n
}

// isNumeric reports whether a word is a number, a range or a date: "12", "12-16".
func isNumeric(s string) bool {
	return isDigits(strings.Map(func(r rune) rune {
		if strings.ContainsRune(symbolsBetweenDigits, r) {
			return -1
		}
		return r
	}, s))
}

func isDigits(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

// dropStopWords returns the words that count. withoutOne means that it dropped a final "one".
func dropStopWords(all []word) (named []word, withoutOne bool) {
	start, end := 0, len(all)
	definite := false // begins with "the", "that" or "this"
	for ; start < end && (anywhere[all[start].text] || leading[all[start].text]); start++ {
		definite = definite || strings.HasPrefix(all[start].text, "th")
	}
	if definite && start < end-1 && all[start].text == "one" { // the one about milk
		start++
	}
	end = start + len(dropTrailing(all[start:]))
	if definite && end-start > 1 && all[end-1].text == "one" { // the milk one
		withoutOne = true
		end--
	}
	for _, w := range all[start:end] {
		if !anywhere[w.text] {
			named = append(named, w)
		}
	}
	return named, withoutOne
}

// dropTrailing returns the words without those at the end that do not count.
func dropTrailing(all []word) []word {
	for end := len(all); end > 0; {
		last := all[end-1].text
		switch {
		case end > 2 && last == "you" && all[end-2].text == "thank":
			end -= 2
		case trailing[last] || anywhere[last]:
			end--
		default:
			return all[:end]
		}
	}
	return nil
}

// hasNumber reports whether a title has a number, which a final "one" of a reference may contradict.
func hasNumber(title []word) bool {
	return slices.ContainsFunc(title, func(w word) bool {
		return numberNames[w.text] || strings.ContainsFunc(w.text, unicode.IsDigit)
	})
}
