package intent

import (
	"embed"
	"strconv"
	"strings"

	"errand/internal/lexicon"
	"errand/internal/offline/pattern"
	"errand/internal/tasktext"
)

//go:embed words/en.txt
var wordFiles embed.FS

// language holds the words and rules of English. A rule is a line with its head and its pattern; see package pattern,
// and MayCapture:
//
//	complete: finish|{close} <ref>
type language struct {
	*lexicon.Lexicon
	// clauses are the rules for clauses, references the rules for names of tasks.
	clauses, references ruleSet
}

// ruleSet holds rules in the order in which they are tried.
type ruleSet struct {
	pattern.Rules
	// heads are the values that every request of a rule has.
	heads []Request
}

// english is the language of the rules, which is shared and not modified.
var english = load("words/en.txt")

// load reads the words and rules of a file. It panics if the file is malformed, because it is embedded.
func load(name string) *language {
	l := &language{Lexicon: tasktext.NewLexicon()}
	l.Load(wordFiles, name, func(name, rule string) {
		head, known := headOf(name)
		if !known {
			panic("words: no head " + name)
		}
		set := &l.clauses
		if strings.HasPrefix(name, "ref-") {
			set = &l.references
		}
		set.heads = append(set.heads, head)
		set.Add(l.Lexicon, pattern.Compile(l.Lexicon, rule))
	})
	return l
}

// number returns the value of a word in a class as a number, 0 if it has none.
func (l *language) number(class, word string) int {
	n, err := strconv.Atoi(l.Value(class, word))
	if err != nil {
		return 0
	}
	return n
}

// count returns a number in digits or as a word, 0 for any other word.
func (l *language) count(word string) int {
	if n, err := strconv.Atoi(word); err == nil {
		return n
	}
	return l.number("cardinal", word)
}
