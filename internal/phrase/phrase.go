// Package phrase holds the sentences that the server itself adds to a conversation, in several languages: the questions
// about changes that need approval, and the line about what a reply did.
//
// A language is a file in languages. It has the words by which messages in the language are recognised, and a text for
// each key of the English file.
package phrase

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"sync"
	"unicode"
)

// Key identifies a phrase.
type Key string

// The phrases about approvals. Those of changes are called with a count and the tasks.
const (
	// ApprovalIntro comes before the list of changes.
	ApprovalIntro Key = "approval_intro"
	// ApprovalQuestion comes after the list of changes. It names the answers.
	ApprovalQuestion Key = "approval_question"

	ProposeDeleted   Key = "propose_deleted"
	ProposeCompleted Key = "propose_completed"
	ProposeReopened  Key = "propose_reopened"
	ProposeRestored  Key = "propose_restored"
	ProposeUpdated   Key = "propose_updated"

	// AndMore ends a list that is cut. It has a count.
	AndMore Key = "and_more"
	// NotCertain has the name that the user used, and the tasks that it may mean.
	NotCertain Key = "not_certain"
	// NotFound has the name.
	NotFound Key = "not_found"
	// NotPossible has the name and the reason, which is in English.
	NotPossible Key = "not_possible"
)

// The phrases about what a reply did. Those of changes are called with a count and the tasks.
const (
	// Receipt has the changes: one or more of the phrases below, separated by "; ".
	Receipt Key = "receipt"
	// ReceiptNothing states that a reply changed nothing.
	ReceiptNothing Key = "receipt_nothing"

	ReceiptCreated   Key = "receipt_created"
	ReceiptUpdated   Key = "receipt_updated"
	ReceiptCompleted Key = "receipt_completed"
	ReceiptReopened  Key = "receipt_reopened"
	ReceiptDeleted   Key = "receipt_deleted"
	ReceiptRestored  Key = "receipt_restored"
)

// Values replace the placeholders of a phrase. Text in them is not searched for placeholders.
type Values struct {
	// Count replaces {count}, and selects the singular if it is 1.
	Count int
	// Tasks, Name, Reason and Changes replace {tasks}, {name}, {reason} and {changes}.
	Tasks, Name, Reason, Changes string
}

// Language is a language of the catalogue.
type Language struct {
	// Tag is the BCP 47 tag, such as "de".
	Tag string
	// name is the language's name for itself.
	name    string
	words   map[string]bool
	phrases map[Key]text
}

// text is a phrase with its forms for one and for several.
type text struct{ One, Other string }

// UnmarshalJSON implements json.Unmarshaler. A string has the same form for any count.
func (t *text) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		err := json.Unmarshal(b, &t.Other)
		t.One = t.Other
		return err
	}
	type forms text
	return json.Unmarshal(b, (*forms)(t))
}

// Text returns a phrase in the language.
func (l *Language) Text(k Key, v Values) string {
	form := l.phrases[k].Other
	if v.Count == 1 {
		form = l.phrases[k].One
	}
	return strings.NewReplacer(
		"{count}", strconv.Itoa(v.Count),
		"{tasks}", v.Tasks,
		"{name}", v.Name,
		"{reason}", v.Reason,
		"{changes}", v.Changes,
	).Replace(form)
}

//go:embed languages/*.json
var files embed.FS

// catalogue returns all languages, in the order of their tags.
var catalogue = sync.OnceValue(func() (all []*Language) {
	names, err := fs.Glob(files, "languages/*.json")
	if err != nil {
		panic(err) // the pattern is valid
	}
	for _, name := range names {
		l, err := readLanguage(name)
		if err != nil {
			panic(fmt.Sprintf("phrase: %s: %v", name, err))
		}
		all = append(all, l)
	}
	return all
})

func readLanguage(name string) (*Language, error) {
	b, err := files.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var file struct {
		Name    string
		Words   string
		Phrases map[Key]text
	}
	if err := json.Unmarshal(b, &file); err != nil {
		return nil, err
	}
	l := &Language{
		Tag:     strings.TrimSuffix(path.Base(name), ".json"),
		name:    file.Name,
		words:   map[string]bool{},
		phrases: file.Phrases,
	}
	for w := range strings.FieldsSeq(file.Words) {
		l.words[w] = true
	}
	return l, nil
}

// English returns English, in which the server writes when it does not know the language.
func English() *Language { return find("en") }

func find(tag string) *Language {
	for _, l := range catalogue() {
		if l.Tag == tag {
			return l
		}
	}
	panic("phrase: there is no language " + tag)
}

// maxDetected is how much of a message Detect reads, in bytes.
const maxDetected = 4096

// Detect returns the language of a message: the one with the most different words in it, or English if several have.
func Detect(message string) *Language {
	message = message[:min(len(message), maxDetected)]
	seen, counts := map[string]bool{}, map[*Language]int{}
	for w := range strings.FieldsFuncSeq(strings.ToLower(message), func(r rune) bool { return !unicode.IsLetter(r) }) {
		if seen[w] {
			continue
		}
		seen[w] = true
		for _, l := range catalogue() {
			if l.words[w] {
				counts[l]++
			}
		}
	}
	best, tied := English(), false
	for _, l := range catalogue() {
		switch {
		case l != best && counts[l] > counts[best]:
			best, tied = l, false
		case l != best && counts[l] == counts[best]:
			tied = true
		}
	}
	if tied {
		return English()
	}
	return best
}
