package offline

import (
	"strings"

	"errand/internal/offline/text"
)

// stopWords are ignored when tasks are matched by words.
var stopWords = map[string]bool{
	"the": true, "a": true, "an": true, "my": true, "to": true, "for": true, "of": true, "with": true, "about": true,
	"and": true, "on": true, "in": true, "at": true,
	"one": true, "task": true, "some": true, "from": true, "that": true, "this": true, "our": true,
}

// content returns the stems of the words that identify a task.
func content(phrase string) []string {
	var stems []string
	for _, k := range text.Tokenize(phrase).Keys() {
		if len(k) > 1 && !stopWords[k] {
			stems = append(stems, stem(k))
		}
	}
	return stems
}

// stem removes common endings, so that "groceries" finds "grocery" and "calling" finds "call".
func stem(w string) string {
	for _, ending := range []string{"ies", "ing", "ed", "es", "s", "y"} {
		if len(w)-len(ending) >= 3 && strings.HasSuffix(w, ending) {
			return strings.TrimSuffix(w, ending)
		}
	}
	return w
}

// matchTitle returns the tasks whose title has a word for every content word of the phrase.
func matchTitle(ts []task, phrase string) []task {
	stems := content(phrase)
	var fits []task
	for _, t := range ts {
		if len(stems) > 0 && hasAll(t.Title, stems) {
			fits = append(fits, t)
		}
	}
	return fits
}

func hasAll(title string, stems []string) bool {
	for _, s := range stems {
		if !hasWord(title, s) {
			return false
		}
	}
	return true
}

// hasWord reports whether a word of the title begins with the stem.
func hasWord(title, stem string) bool {
	for _, k := range text.Tokenize(title).Keys() {
		if strings.HasPrefix(k, stem) {
			return true
		}
	}
	return false
}

// withTitle returns the tasks with this title, ignoring case.
func withTitle(ts []task, title string) []task {
	var fits []task
	for _, t := range ts {
		if strings.EqualFold(strings.TrimSpace(t.Title), title) {
			fits = append(fits, t)
		}
	}
	return fits
}

// withStatus returns the completed tasks, or those that are not completed.
func withStatus(ts []task, completed bool) []task {
	var fits []task
	for _, t := range ts {
		if t.Completed == completed {
			fits = append(fits, t)
		}
	}
	return fits
}
