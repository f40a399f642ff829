// Package language reads commands in languages other than English, and recognises messages that it cannot read.
//
// A language is a file in the directory words. Its patterns translate a sentence into an English command, which package
// intent reads; titles are taken over as they are. A language without patterns has only the words by which it is
// recognised, and the reply. The lines of a file, beside the classes of words:
//
//	reply: the reply to a message that was not understood, in the language
//	say added: Aufgabe {1} hinzugefügt   a sentence of replies; en.txt has all, and replaces those a language lacks
//	script: Arabic                 the Unicode scripts of most letters, if the language is not written in Latin letters
//	speakers: 335                  in millions; decides between languages that fit a message equally
//	words: der die das             words by which the language is recognised; letters: letters that only it uses
//	please: bitte                  courtesy at both ends of a sentence
//	ask: kannst_du                 courtesy with which a question is a request
//	not: nicht                     words that no command but an addition may contain; never: no command at all
//	joins: und dann                words between a command and a request for help
//	article: die aufgabe           words left out before a title
//	{day} freitag=friday           words of a class with their English
//	date: [am] {day} = {day}       a part of a date and its English
//	ref: aufgabe <n> = task <n>    a name for tasks and its English
//	delete: lösche <ref>           a command; see templates
//
// Patterns are those of package pattern, but "{c}" captures a word of a class, and "<n>" a number. Accents may be left
// out.
package language

import (
	"embed"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"errand/internal/lexicon"
)

//go:embed words/*.txt
var files embed.FS

// Language is one file.
type Language struct {
	*lexicon.Lexicon
	tag, reply string
	speakers   int
	// sentences are those of replies by key.
	sentences map[string]string
	scripts   []*unicode.RangeTable
	words     map[string]bool
	letters   map[rune]bool

	dates, refs, commands []rule
}

// english has all sentences, and the words that distinguish English from other languages.
var english = sync.OnceValue(func() *Language { return load("en.txt") })

// Has reports whether the language itself has a sentence. Nil is English.
func (l *Language) Has(key string) bool {
	if l == nil {
		l = english()
	}
	return l.sentences[key] != ""
}

// Say returns a sentence with the values in place of {1}, {2} and so on. It is English if the language lacks it.
func (l *Language) Say(key string, values ...string) string {
	if !l.Has(key) || l == nil {
		l = english()
	}
	pairs := []string{"{examples}", l.sentences["examples"]}
	for i, v := range values {
		pairs = append(pairs, "{"+strconv.Itoa(i+1)+"}", v)
	}
	return strings.NewReplacer(pairs...).Replace(l.sentences[key])
}

// all returns the languages but English, in the order of their tags.
var all = sync.OnceValue(func() (languages []*Language) {
	entries, err := files.ReadDir("words")
	if err != nil {
		panic(err) // the directory is embedded
	}
	for _, e := range entries {
		if e.Name() == "en.txt" {
			continue
		}
		languages = append(languages, load(e.Name()))
	}
	return languages
})

func load(name string) *Language {
	l := &Language{
		Lexicon:   lexicon.New(spell),
		tag:       strings.TrimSuffix(name, ".txt"),
		sentences: map[string]string{},
		words:     map[string]bool{},
		letters:   map[rune]bool{},
	}
	l.Load(files, "words/"+name, l.set)
	return l
}

func (l *Language) set(key, value string) {
	if sentence, ok := strings.CutPrefix(key, "say "); ok {
		l.sentences[sentence] = value
		return
	}
	switch key {
	case "reply":
		l.reply = value
	case "speakers":
		l.speakers, _ = strconv.Atoi(value)
	case "script":
		for name := range strings.FieldsSeq(value) {
			l.scripts = append(l.scripts, unicode.Scripts[name])
		}
	case "words":
		for w := range strings.FieldsSeq(value) {
			l.words[fold(w)] = true
		}
	case "letters":
		for _, r := range value {
			l.letters[r] = r != ' '
		}
	case "please", "ask", "not", "never", "article", "joins":
		l.Add(key, strings.Fields(value)...)
	case "date", "ref":
		from, to, _ := strings.Cut(value+" ", " = ")
		if rule := l.compile(key, from, strings.TrimSpace(to)); key == "date" {
			l.dates = append(l.dates, rule)
		} else {
			l.refs = append(l.refs, rule)
		}
	default:
		if templates[key] == "" {
			panic("language: " + l.tag + ": no command " + key)
		}
		l.commands = append(l.commands, l.compile(key, value, templates[key]))
	}
}
