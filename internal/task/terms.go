package task

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"errand/ent"
	"errand/internal/terms"
)

// labelMark begins the entries of the search index for labels. No term of a text begins with it.
const labelMark = "\x01"

// labelTerm returns the entry for a label. Labels are compared as they are written.
func labelTerm(label string) string { return labelMark + label }

// titleMark begins the entries of the search index for whole titles.
const titleMark = "\x02"

// titleTerm returns the entry for titles with the words: a hash of them.
func titleTerm(title []word) string {
	h := sha256.New()
	for _, w := range title {
		fmt.Fprintf(h, "%d %s", len(w.text), w.text)
	}
	return titleMark + hex.EncodeToString(h.Sum(nil)[:10])
}

// indexEntries returns the entries of a task in the search index: its terms, the words of its title as references to
// tasks have them where these differ, such as "c++", its whole title and its labels.
func indexEntries(t *ent.Task) []string {
	entries := terms.Index(t.Title, t.Description)
	seen := make(map[string]bool, len(entries))
	for _, e := range entries {
		seen[e] = true
	}
	title := words(t.Title)
	for _, w := range title {
		if e := terms.Cut(w.text, false); e != "" && !seen[e] && !w.unspaced {
			seen[e] = true
			entries = append(entries, e)
		}
	}
	entries = append(entries, titleTerm(title))
	for _, label := range t.Labels {
		entries = append(entries, labelTerm(label))
	}
	return entries
}

// TitleMatcher returns a function that reports whether a search finds a title, by the rules for tasks: each word of the
// search begins a word of the title, in any case and with any accents. It is nil for a search without words, which
// finds everything; an invalid search is BAD_USER_INPUT.
func TitleMatcher(search string) (func(title string) bool, error) {
	words, err := terms.Words("search", search)
	if err != nil || len(words) == 0 {
		return nil, err
	}
	wanted := terms.Search(search)
	return func(title string) bool {
		found := terms.Index(title)
		for _, w := range wanted {
			if !slices.ContainsFunc(found, w.Matches) {
				return false
			}
		}
		return len(wanted) > 0 // without, the search holds invisible characters only
	}, nil
}
