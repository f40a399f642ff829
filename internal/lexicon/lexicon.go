// Package lexicon holds classes of words and phrases that are read from files.
package lexicon

import (
	"io/fs"
	"iter"
	"slices"
	"strings"

	"errand/internal/text"
)

// Lexicon has classes of words and phrases.
type Lexicon struct {
	// spell returns the spellings of a phrase, each as the keys of its tokens.
	spell func(phrase string) [][]string
	// classes are the phrases of each class; phrases are the same by first word and class, the longest first.
	classes map[string][]string
	phrases map[string]map[string][][]string
	// values are the values of items "word=value", by phrase and class; "" for items without a value.
	values map[string]map[string]string
}

// New returns a lexicon without classes. spell returns the spellings of a phrase, each as the keys of its tokens.
func New(spell func(phrase string) [][]string) *Lexicon {
	return &Lexicon{
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
// It panics if the file is missing or malformed, because the files are embedded.
func (x *Lexicon) Load(files fs.ReadFileFS, name string, line func(key, value string)) {
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
			x.Add(class, strings.Fields(items)...)
		case ok:
			others = append(others, [2]string{key, strings.TrimSpace(value)})
		default:
			panic("lexicon: " + name + ": " + l)
		}
	}
	for _, l := range others {
		line(l[0], l[1])
	}
}

// Add adds items to a class: "word", "two_words" or "word=value".
func (x *Lexicon) Add(class string, items ...string) {
	for _, item := range items {
		value := ""
		if word, right, ok := strings.Cut(item, "="); ok && word != "" {
			item, value = word, right
		}
		for _, words := range x.spell(strings.ReplaceAll(item, "_", " ")) {
			x.AddPhrase(class, words, value)
		}
	}
}

// AddPhrase adds a phrase with the keys of its words to a class.
func (x *Lexicon) AddPhrase(class string, words []string, value string) {
	phrase := strings.Join(words, " ")
	x.classes[class] = append(x.classes[class], phrase)
	if x.values[phrase] == nil {
		x.values[phrase] = map[string]string{}
	}
	x.values[phrase][class] = value
	if x.phrases[words[0]] == nil {
		x.phrases[words[0]] = map[string][][]string{}
	}
	phrases := append(x.phrases[words[0]][class], words)
	slices.SortStableFunc(phrases, func(a, b []string) int { return len(b) - len(a) })
	x.phrases[words[0]][class] = phrases
}

// Class returns the phrases of a class, in the order of the file.
func (x *Lexicon) Class(class string) []string { return x.classes[class] }

// Is reports whether a phrase belongs to a class.
func (x *Lexicon) Is(class, phrase string) bool {
	_, ok := x.values[phrase][class]
	return ok
}

// Value returns the right side of "word=value" in a class, "" if there is none.
func (x *Lexicon) Value(class, phrase string) string { return x.values[phrase][class] }

// PhraseAt returns the end of the longest phrase of a class at a token, or -1.
func (x *Lexicon) PhraseAt(class string, t text.Text, at int) int {
	for end := range x.PhrasesAt(class, t, at) {
		return end
	}
	return -1
}

// PhrasesAt returns the ends of the phrases of a class at a token, the longest first.
func (x *Lexicon) PhrasesAt(class string, t text.Text, at int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for _, words := range x.phrases[t.Key(at)][class] {
			n := 0
			for n < len(words) && t.Key(at+n) == words[n] {
				n++
			}
			if n == len(words) && !yield(at+n) {
				return
			}
		}
	}
}

// MayBegin reports whether a phrase of a class begins with a word.
func (x *Lexicon) MayBegin(class, word string) bool { return len(x.phrases[word][class]) > 0 }

// TrimLeading removes the leading phrases that belong to the classes. It keeps a phrase that is the whole text.
func (x *Lexicon) TrimLeading(t text.Text, classes ...string) text.Text {
	for n := 0; n < len(classes); n++ {
		if end := x.PhraseAt(classes[n], t, 0); end > 0 && end < t.Len() {
			t, n = t.From(end).Trim(), -1
		}
	}
	return t
}
