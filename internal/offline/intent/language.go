package intent

import (
	"embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

//go:embed words/*.txt
var wordFiles embed.FS

// language holds the words and rules of one language, from a file of the directory words:
//
//	# comment
//	{noun} task tasks to_do          a class of words or phrases; repeated lines extend it
//	complete: finish|{close} <ref>   a rule: its head and its pattern, see compile
type language struct {
	// classes are the items of each class, phrases their words by first word and class, the longest first.
	classes map[string][]string
	phrases map[string]map[string][][]string
	// values are the values of items "word=value", by word and class; "" for items without a value.
	values map[string]map[string]string
	// clauses are the rules for clauses, references the rules for names of tasks.
	clauses, references ruleSet
}

// ruleSet holds rules in the order in which they are tried.
type ruleSet struct {
	rules []rule
	// leading are the rules by the words that they may begin with, inner those that begin with a capture by the words
	// that must follow it.
	leading, inner map[string][]int
	// open are the rules without a required word.
	open []int
}

var english = load("en")

// load reads a file of words. Its faults are programming errors, which any test finds.
func load(name string) *language {
	file, err := wordFiles.ReadFile("words/" + name + ".txt")
	if err != nil {
		panic(err)
	}
	l := &language{
		classes:    map[string][]string{},
		phrases:    map[string]map[string][][]string{},
		values:     map[string]map[string]string{},
		clauses:    ruleSet{leading: map[string][]int{}, inner: map[string][]int{}},
		references: ruleSet{leading: map[string][]int{}, inner: map[string][]int{}},
	}
	var rules []string
	for line := range strings.Lines(string(file)) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "{"):
			class, items, _ := strings.Cut(line[1:], "}")
			l.addClass(class, strings.Fields(items))
		default:
			rules = append(rules, line)
		}
	}
	for _, line := range rules {
		name, pattern, ok := strings.Cut(line, ":")
		set := &l.clauses
		if strings.HasPrefix(name, "ref-") {
			set = &l.references
		}
		head, known := headOf(name)
		if !ok || !known {
			panic(fmt.Sprintf("words: no head for %q", line))
		}
		l.add(set, rule{head: head, elements: l.compile(pattern)})
	}
	return l
}

func (l *language) addClass(class string, items []string) {
	for _, item := range items {
		value := ""
		if word, right, ok := strings.Cut(item, "="); ok && word != "" {
			item, value = word, right
		}
		words := strings.Fields(strings.ReplaceAll(item, "_", " "))
		phrase := strings.Join(words, " ")
		l.classes[class] = append(l.classes[class], phrase)
		if l.values[phrase] == nil {
			l.values[phrase] = map[string]string{}
		}
		l.values[phrase][class] = value
		if l.phrases[words[0]] == nil {
			l.phrases[words[0]] = map[string][][]string{}
		}
		phrases := append(l.phrases[words[0]][class], words)
		slices.SortStableFunc(phrases, func(a, b []string) int { return len(b) - len(a) })
		l.phrases[words[0]][class] = phrases
	}
}

// is reports whether a word belongs to a class.
func (l *language) is(class, word string) bool {
	_, ok := l.values[word][class]
	return ok
}

// value returns the right side of "word=value" in a class, "" if there is none.
func (l *language) value(class, word string) string { return l.values[word][class] }

// number is value for numbers, 0 if there is none.
func (l *language) number(class, word string) int {
	n, err := strconv.Atoi(l.value(class, word))
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

// compile parses a pattern over the keys of tokens:
//
//	add|create [a|the] [new] {noun} [to|:] <title>
//
// "a|b" is a choice, "{c}" a choice of the class c, "[…]" is optional, "_" joins the words of one choice. "<name>"
// captures one or more tokens and "<name?>" none or more; a capture takes as few tokens as the rest allows. The names
// in mayCapture restricts what is captured. Commas before words are ignored.
func (l *language) compile(s string) []element {
	var elements []element
	for field := range strings.FieldsSeq(s) {
		name := strings.Trim(field, "<[]>")
		if field[0] == '<' {
			capture := strings.TrimSuffix(name, "?")
			elements = append(elements, element{capture: capture, optional: capture != name})
			continue
		}
		class := "|" + name // no class of the file
		if l.classes[class] == nil {
			for choice := range strings.SplitSeq(name, "|") {
				items := []string{choice}
				if named := strings.Trim(choice, "{}"); named != choice {
					if items = l.classes[named]; items == nil {
						panic("words: no class " + named)
					}
				}
				l.addClass(class, items)
			}
		}
		elements = append(elements, element{choices: class, optional: field[0] == '['})
	}
	return elements
}

// add adds a rule with its indexes.
func (l *language) add(s *ruleSet, r rule) {
	n := len(s.rules)
	s.rules = append(s.rules, r)
	index := s.leading
	for _, e := range r.elements {
		if e.capture != "" {
			if index = s.inner; !e.optional {
				continue
			}
		}
		for _, phrase := range l.classes[e.choices] {
			first, _, _ := strings.Cut(phrase, " ")
			if at := index[first]; len(at) == 0 || at[len(at)-1] != n {
				index[first] = append(at, n)
			}
		}
		if e.capture == "" && !e.optional {
			return
		}
	}
	s.open = append(s.open, n)
}
