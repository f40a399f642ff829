package terms

import (
	"slices"
	"strings"
	"unicode"
)

// Snippet returns the part of a text around the first occurrence of the term of a search that occurs last, on one
// line, with an ellipsis where it is cut: at most limit characters, of which up to a third come before the term.
// Without such a term it is the beginning.
func Snippet(text string, wanted []Query, limit int) string {
	runes := []rune(strings.Join(strings.FieldsFunc(text, isSpace), " "))
	if len(runes) <= limit {
		return string(runes)
	}
	from := max(0, lastMatch(runes, wanted)-limit/3)
	to := min(len(runes), from+limit)
	from = max(0, to-limit)
	if from > 0 { // begin at a word, if one begins soon
		for i := from; i < from+limit/6; i++ {
			if runes[i] == ' ' {
				from = i + 1
				break
			}
		}
	}
	if to < len(runes) {
		for i := to; i > to-limit/6; i-- {
			if runes[i] == ' ' {
				to = i
				break
			}
		}
	}
	snippet := string(runes[from:to])
	if from > 0 {
		snippet = "…" + snippet
	}
	if to < len(runes) {
		snippet += "…"
	}
	return snippet
}

func isSpace(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

// lastMatch returns the index of the first occurrence of the term that occurs last, or 0 without one. Folding changes
// lengths, so it compares piece by piece: words, runs of characters of a script without spaces, and other characters.
func lastMatch(runes []rune, wanted []Query) (at int) {
	wanted = slices.Clone(wanted)
	for start := 0; start < len(runes) && len(wanted) > 0; {
		end := start + 1
		for IsWordRune(runes[start]) && end < len(runes) && IsWordRune(runes[end]) &&
			IsUnspacedRune(runes[end]) == IsUnspacedRune(runes[start]) {
			end++
		}
		wanted = slices.DeleteFunc(wanted, func(q Query) bool {
			found := runes[start] != ' ' && matchesPiece(string(runes[start:end]), q)
			if found {
				at = start + offsetIn(runes[start:end], q)
			}
			return found
		})
		start = end
	}
	return at
}

// matchesPiece reports whether a piece of a text has the term of q.
func matchesPiece(piece string, q Query) bool {
	if IsASCII(piece) {
		return q.Matches(Cut(strings.ToLower(piece), false))
	}
	return slices.ContainsFunc(Index(piece), q.Matches)
}

// offsetIn returns where a run of characters of a script without spaces has the term of q; 0 in a word.
func offsetIn(run []rune, q Query) int {
	if !IsUnspacedRune(run[0]) {
		return 0
	}
	text := Fold(string(run))
	at := max(0, strings.Index(text, q.Text))
	return min(len(run)-1, len([]rune(text[:at])))
}
