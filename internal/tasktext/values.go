// Package tasktext parses the text of a task: "Call Ann tomorrow at 5pm #family !!" has a title, a due date, a label
// and a priority. Forms and the offline model share it.
package tasktext

import (
	"cmp"
	"embed"
	"strings"

	"errand/internal/due"
	"errand/internal/lexicon"
)

// Values are the values of a task. Zero values are not set.
type Values struct {
	Title       string
	Description string
	// Priority is "urgent", "high", "medium", "low" or "none".
	Priority string
	Due      *due.Date
	// DueText are the words of Due.
	DueText string
	Labels  []string
}

// Any reports whether a value beside the title is set.
func (v *Values) Any() bool {
	return v.Due != nil || v.Priority != "" || v.Description != "" || len(v.Labels) > 0
}

// Merge sets the values of other, but its title, that v lacks, and adds its labels.
func (v *Values) Merge(other Values) {
	v.Priority, v.Description = cmp.Or(v.Priority, other.Priority), cmp.Or(v.Description, other.Description)
	if v.Due == nil {
		v.Due, v.DueText = other.Due, other.DueText
	}
	v.Labels = append(v.Labels, other.Labels...)
}

//go:embed words/en.txt
var wordFiles embed.FS

var english = NewLexicon()

// NewLexicon returns a lexicon with the English words of values, to which others can be added.
func NewLexicon() *lexicon.Lexicon {
	x := lexicon.New(func(phrase string) [][]string { return [][]string{strings.Fields(phrase)} })
	x.Load(wordFiles, "words/en.txt", func(key, _ string) { panic("tasktext: no class " + key) })
	return x
}

// IsLabel reports whether a word is a label: "#home".
func IsLabel(word string) bool { return labelForm.MatchString(word) }

// HasLetter reports whether a text has a letter with a lower and an upper case.
func HasLetter(s string) bool { return strings.ToLower(s) != strings.ToUpper(s) }
