// Package pattern matches texts with patterns whose words are data: classes of words and phrases, from files.
//
// A pattern is a sequence of fields, separated by spaces, over the keys of a text's tokens:
//
//	add|create [a|the] [new] {noun} [to|:] <title>
//
// "a|b" is a choice, "{c}" a choice of the class c, "[…]" is optional, and "_" joins the words of one choice. "<name>"
// captures one or more tokens and "<name?>" none or more; a capture takes as few tokens as the rest allows. "<{c}>"
// captures a phrase of the class c. Commas before words are ignored.
package pattern

import (
	"io/fs"
	"slices"
	"strings"

	"errand/internal/text"
)

// Words are classes of words and phrases.
type Words struct {
	// spell returns the spellings of a phrase, each as the keys of its tokens.
	spell func(phrase string) [][]string
	// classes are the phrases of each class; phrases are the same by first word and class, the longest first.
	classes map[string][]string
	phrases map[string]map[string][][]string
	// values are the values of items "word=value", by phrase and class; "" for items without a value.
	values map[string]map[string]string
}

// NewWords returns words without classes.
func NewWords(spell func(phrase string) [][]string) *Words {
	return &Words{
		spell:   spell,
		classes: map[string][]string{},
		phrases: map[string]map[string][][]string{},
		values:  map[string]map[string]string{},
	}
}

// Load adds the classes of a file, and calls line for each other line in their order:
//
//	# comment
//	{noun} task tasks to_do   a class of words or phrases; repeated lines extend it
//	key: value                another line
//
// Faults of the file are programming errors, which any test finds.
func (w *Words) Load(files fs.ReadFileFS, name string, line func(key, value string)) {
	content, err := files.ReadFile(name)
	if err != nil {
		panic(err)
	}
	var others [][2]string
	for l := range strings.Lines(string(content)) {
		l = strings.TrimSpace(l)
		key, value, ok := strings.Cut(l, ":")
		switch {
		case l == "" || l[0] == '#':
		case l[0] == '{':
			class, items, _ := strings.Cut(l[1:], "}")
			w.Add(class, strings.Fields(items)...)
		case ok:
			others = append(others, [2]string{key, strings.TrimSpace(value)})
		default:
			panic("pattern: " + name + ": " + l)
		}
	}
	for _, l := range others {
		line(l[0], l[1])
	}
}

// Add adds items to a class: "word", "two_words" or "word=value".
func (w *Words) Add(class string, items ...string) {
	for _, item := range items {
		value := ""
		if word, right, ok := strings.Cut(item, "="); ok && word != "" {
			item, value = word, right
		}
		for _, words := range w.spell(strings.ReplaceAll(item, "_", " ")) {
			w.addPhrase(class, words, value)
		}
	}
}

func (w *Words) addPhrase(class string, words []string, value string) {
	phrase := strings.Join(words, " ")
	w.classes[class] = append(w.classes[class], phrase)
	if w.values[phrase] == nil {
		w.values[phrase] = map[string]string{}
	}
	w.values[phrase][class] = value
	if w.phrases[words[0]] == nil {
		w.phrases[words[0]] = map[string][][]string{}
	}
	phrases := append(w.phrases[words[0]][class], words)
	slices.SortStableFunc(phrases, func(a, b []string) int { return len(b) - len(a) })
	w.phrases[words[0]][class] = phrases
}

// Class returns the phrases of a class, in the order of the file.
func (w *Words) Class(class string) []string { return w.classes[class] }

// Is reports whether a phrase belongs to a class.
func (w *Words) Is(class, phrase string) bool {
	_, ok := w.values[phrase][class]
	return ok
}

// Value returns the right side of "word=value" in a class, "" if there is none.
func (w *Words) Value(class, phrase string) string { return w.values[phrase][class] }

// PhraseAt returns the end of the longest phrase of a class at a token, or -1.
func (w *Words) PhraseAt(class string, t text.Text, at int) int {
	for _, words := range w.phrases[t.Key(at)][class] {
		if end, ok := phraseEnd(words, t, at); ok {
			return end
		}
	}
	return -1
}

func phraseEnd(words []string, t text.Text, at int) (end int, ok bool) {
	for i, w := range words {
		if t.Key(at+i) != w {
			return 0, false
		}
	}
	return at + len(words), true
}

// TrimLeading removes the leading phrases that belong to the classes. It keeps a phrase that is the whole text.
func (w *Words) TrimLeading(t text.Text, classes ...string) text.Text {
	for n := 0; n < len(classes); n++ {
		if end := w.PhraseAt(classes[n], t, 0); end > 0 && end < t.Len() {
			t, n = t.From(end).Trim(), -1
		}
	}
	return t
}
