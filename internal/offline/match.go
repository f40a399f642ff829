package offline

import (
	"slices"
	"strings"

	"errand/internal/text"
)

// pointers are words of an answer that describe no title: "the one with Bob".
var pointers = map[string]bool{
	"the": true, "a": true, "an": true, "my": true, "one": true, "ones": true, "task": true, "tasks": true, "with": true,
	"about": true, "called": true, "named": true, "that": true, "this": true, "for": true, "of": true, "please": true,
}

// named returns the tasks that an answer names: those whose titles hold all its words, or the one whose title it is.
// The tools find tasks among all of them; this chooses among a few that were shown.
func named(ts []task, phrase string) (found []task) {
	words := keys(phrase)
	counted := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return pointers[w] })
	for _, t := range ts {
		title := keys(t.Title)
		if slices.Equal(title, words) {
			return []task{t}
		}
		if len(counted) > 0 && !slices.ContainsFunc(counted, func(w string) bool { return !slices.Contains(title, w) }) {
			found = append(found, t)
		}
	}
	return found
}

// keys returns the words of a text without the plural "s".
func keys(s string) (all []string) {
	for _, k := range text.Tokenize(text.Clean(s)).Keys() {
		if k = strings.Trim(k, ".,:;!?()"); k != "" {
			if len(k) > 3 {
				k = strings.TrimSuffix(k, "s")
			}
			all = append(all, k)
		}
	}
	return all
}
