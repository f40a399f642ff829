package intent

import (
	"embed"
	"fmt"
	"strconv"
	"strings"

	"errand/internal/offline/pattern"
)

//go:embed words/en.txt
var wordFiles embed.FS

// language holds the words and rules of English, from a file of the directory words:
//
//	# comment
//	{noun} task tasks to_do          a class of words or phrases; repeated lines extend it
//	complete: finish|{close} <ref>   a rule: its head and its pattern; see package pattern, and mayCapture
type language struct {
	*pattern.Words
	// clauses are the rules for clauses, references the rules for names of tasks.
	clauses, references ruleSet
}

// ruleSet holds rules in the order in which they are tried.
type ruleSet struct {
	pattern.Rules
	// heads are the values that every request of a rule has.
	heads []Request
}

var english = load("words/en.txt")

// load reads a file of words. Its faults are programming errors, which any test finds.
func load(name string) *language {
	file, err := wordFiles.ReadFile(name)
	if err != nil {
		panic(err)
	}
	l := &language{Words: pattern.NewWords(func(phrase string) [][]string { return [][]string{strings.Fields(phrase)} })}
	var rules []string
	for line := range strings.Lines(string(file)) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "{"):
			class, items, _ := strings.Cut(line[1:], "}")
			l.Add(class, strings.Fields(items)...)
		default:
			rules = append(rules, line)
		}
	}
	for _, line := range rules {
		name, patterned, _ := strings.Cut(line, ":")
		head, known := headOf(name)
		if !known {
			panic(fmt.Sprintf("words: no head for %q", line))
		}
		set := &l.clauses
		if strings.HasPrefix(name, "ref-") {
			set = &l.references
		}
		set.heads = append(set.heads, head)
		set.Add(l.Words, l.Compile(patterned))
	}
	return l
}

// number is Value for numbers, 0 if there is none.
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
