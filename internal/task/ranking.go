package task

import (
	"cmp"
	"slices"
	"unicode/utf8"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/editdist"
	"errand/internal/terms"
)

// maxSpellings is how many pairs of words are compared for their spelling for one reference.
const maxSpellings = 200_000

// minHeldShare is the part of a reference's characters that a candidate with some of its words holds, as 1/n.
const minHeldShare = 3

// ranked is a task of a ranking.
type ranked struct {
	id     string
	number int
	reason enum.MatchReason
	// held is how many characters of the reference the title holds, and extra how many other words it has.
	held, extra int
}

// ranking collects the tasks whose titles match a reference.
type ranking struct {
	reference
	namedChars int
	// best are at most MaxCandidates, the best first.
	best []ranked
	// same, equal and holding are the tasks whose titles equal the reference, the words of it that count, or hold those.
	same, equal, holding matches
	// incomplete means that not all titles were compared.
	incomplete bool
	spellings  int
	scanner    wordScanner
}

// matches counts tasks and keeps the first.
type matches struct {
	first string
	count int
}

func (m *matches) add(id string) {
	if m.count++; m.count == 1 {
		m.first = id
	}
}

func newRanking(r reference) *ranking {
	out := &ranking{reference: r}
	for _, w := range r.named {
		out.namedChars += utf8.RuneCountInString(w.text)
	}
	return out
}

// add compares the title of a task with the reference.
func (r *ranking) add(row *titleRow) {
	title := r.scanner.scan(row.Title)
	if reason, chars := r.compare(row.ID, title); reason != "" {
		r.insert(ranked{
			id: row.ID, number: row.Number, reason: reason, held: chars, extra: len(title) - len(r.named),
		})
	}
}

// compare returns why a title is a candidate, or "", and how many characters of the reference it holds.
func (r *ranking) compare(id string, title []word) (enum.MatchReason, int) {
	switch {
	case sameWords(title, r.all):
		r.same.add(id)
		return enum.MatchTitle, r.namedChars
	case len(r.named) == 0:
		return "", 0
	case sameWords(title, r.named):
		r.equal.add(id)
		r.holding.add(id)
		return enum.MatchTitle, r.namedChars
	}
	found := held(title, r.named)
	if len(found) == len(r.named) {
		r.holding.add(id)
		if r.withoutOne && hasNumber(title) || r.withoutA && hasLetter(title) {
			r.holding.add(id) // never certain: "the chapter one" is not "Chapter 2", nor "A team" "B team"
		}
		return enum.MatchAllWords, r.namedChars
	}
	return r.comparePartly(title, found)
}

// comparePartly is compare for a title that holds only some of the words: those at the positions in found.
func (r *ranking) comparePartly(title []word, found []int) (enum.MatchReason, int) {
	chars, prefixes, similar, substantial := 0, 0, 0, false
	for n, w := range r.named {
		size := utf8.RuneCountInString(w.text)
		switch {
		case slices.Contains(found, n):
			chars += size
			substantial = substantial || size > 3 || isDigits(w.text) || w.unspaced || w.text >= "\x80"
		case slices.ContainsFunc(title, w.begins):
			prefixes++
			chars += size - 1
		case r.resembles(title, w):
			similar++
			chars += size - 2
		}
	}
	switch {
	case len(found)+prefixes == len(r.named):
		return enum.MatchPrefixes, chars
	case len(found)+prefixes+similar == len(r.named):
		return enum.MatchSpelling, chars
	case (substantial || similar > 0) && chars*minHeldShare >= r.namedChars:
		return enum.MatchSomeWords, chars
	default:
		return "", 0
	}
}

// sameWords reports whether two texts have the same words in the same order, with the same inflection.
func sameWords(a, b []word) bool {
	return slices.EqualFunc(a, b, func(x, y word) bool { return x.text == y.text })
}

// resembles reports whether a title has a word that differs from w by a typing error: one for each four characters, at
// most two, and not in the first character.
func (r *ranking) resembles(title []word, w word) bool {
	size := utf8.RuneCountInString(w.text)
	allowed := min(size/4, 2)
	if allowed == 0 || w.unspaced || isDigits(w.text) {
		return false
	}
	first, _ := utf8.DecodeRuneInString(w.text)
	return slices.ContainsFunc(title, func(t word) bool {
		other, _ := utf8.DecodeRuneInString(t.text)
		if other != first || max(len(t.text), len(w.text))-min(len(t.text), len(w.text)) > 4*allowed {
			return false
		}
		r.spellings++
		return r.spellings <= maxSpellings &&
			editdist.Distance(terms.Cut(w.text, false), terms.Cut(t.text, false)) <= allowed
	})
}

// insert adds a candidate and keeps the best.
func (r *ranking) insert(c ranked) {
	if len(r.best) == MaxCandidates && compareRanked(r.best[MaxCandidates-1], c) <= 0 {
		return
	}
	at, _ := slices.BinarySearchFunc(r.best, c, compareRanked)
	r.best = slices.Insert(r.best, at, c)
	r.best = r.best[:min(len(r.best), MaxCandidates)]
}

// addNumbered adds the task that has the number of the reference, but not its words.
func (r *ranking) addNumbered(t *ent.Task) {
	r.best = slices.DeleteFunc(r.best, func(c ranked) bool { return c.id == t.ID })
	r.insert(ranked{id: t.ID, number: t.Number, reason: enum.MatchNumber})
}

// reasons are the reasons from the best to the worst.
var reasons = enum.MatchReason("").Values()

// compareRanked orders candidates: the better reason first, then the one that holds more of the reference and less
// besides, then the newest.
func compareRanked(a, b ranked) int {
	return cmp.Or(
		cmp.Compare(slices.Index(reasons, string(a.reason)), slices.Index(reasons, string(b.reason))),
		cmp.Compare(b.held, a.held),
		cmp.Compare(a.extra, b.extra),
		cmp.Compare(b.number, a.number),
	)
}

// certain returns the ID of the only task that the reference names, or "".
func (r *ranking) certain() string {
	switch {
	case r.incomplete || r.uncertain:
		return ""
	case r.same.count > 0:
		return r.same.only()
	case r.vague:
		return ""
	case r.equal.count > 0 && !r.withoutOne:
		return r.equal.only()
	default:
		return r.holding.only()
	}
}

// only returns the task if there is one only, or "".
func (m *matches) only() string {
	if m.count != 1 {
		return ""
	}
	return m.first
}
