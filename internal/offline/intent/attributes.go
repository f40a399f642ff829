package intent

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"errand/internal/due"
	"errand/internal/offline/text"
)

// Limits of the tools' arguments, in characters.
const (
	maxTitle       = 200
	maxDescription = 10000
	maxLabel       = 50
	maxLabels      = 20
)

var (
	labelForm = regexp.MustCompile(`^#[\p{L}][\p{L}\p{N}_/-]*$`)

	levels = map[string]string{
		"urgent": "urgent", "critical": "urgent", "top": "urgent", "highest": "urgent", "asap": "urgent",
		"urgently": "urgent",
		"high":     "high", "important": "high", "medium": "medium", "normal": "medium", "med": "medium", "mid": "medium",
		"low": "low", "lowest": "low", "lower": "low", "higher": "high", "no": "none", "none": "none", "unimportant": "low",
	}
	// alone are the words that mean a priority at the end of a title even without the word "priority".
	alone = map[string]bool{"urgent": true, "important": true, "asap": true, "urgently": true}
)

// attributeText is a text from which attributes are removed token by token.
type attributeText struct {
	whole text.Text
	gone  []bool
	now   due.Now
	// only is set when the text may contain attributes only, so that "high" means a priority.
	only bool

	fields    Fields
	rejection string
}

func newSheet(t text.Text, now due.Now) *attributeText {
	return &attributeText{whole: t, gone: make([]bool, t.Len()), now: now}
}

// left returns the indices of the remaining tokens.
func (s *attributeText) left() []int {
	var at []int
	for i, gone := range s.gone {
		if !gone {
			at = append(at, i)
		}
	}
	return at
}

// take removes the tokens at these indices, with the brackets around them.
func (s *attributeText) take(places []int) {
	for _, i := range places {
		s.gone[i] = true
	}
	first, last := places[0], places[len(places)-1]
	if s.whole.Key(first-1) == "(" && s.whole.Key(last+1) == ")" {
		s.gone[first-1], s.gone[last+1] = true, true
	}
}

// takeAll removes labels, a priority and a due date. It repeats while it finds more, because a date at the end may
// follow a priority.
func (s *attributeText) takeAll() {
	s.takeLabels()
	for s.takePriority() || s.takeDue() {
		s.tidy()
	}
}

func (s *attributeText) takeLabels() {
	for i := range s.whole.Tokens {
		if labelForm.MatchString(s.whole.Key(i)) {
			s.addLabel(strings.TrimPrefix(s.whole.Raw(i), "#"))
			s.take([]int{i})
		}
	}
}

func (s *attributeText) addLabel(l string) {
	switch {
	case utf8.RuneCountInString(l) > maxLabel:
		s.rejection = "A label can have 50 characters at most."
	case len(s.fields.AddLabels) == maxLabels:
		s.rejection = "A task can have 20 labels at most."
	case !slices.Contains(s.fields.AddLabels, l):
		s.fields.AddLabels = append(s.fields.AddLabels, l)
	}
}

func (s *attributeText) takePriority() bool {
	at := s.left()
	if s.fields.Priority != "" {
		return false
	}
	for n := range at {
		level, count := s.priorityAt(at[n:])
		if level == "" {
			continue
		}
		word := s.whole.Key(at[n+count-1])
		weak := count == 1 && !strings.HasPrefix(word, "!!") && !strings.Contains(word, "-")
		atAnEnd := n == 0 && len(at) > 1 || n+count == len(at) && n > 0 || s.bracketed(at, n, n+count)
		if weak && !s.only && (!alone[word] || !atAnEnd) {
			continue
		}
		s.fields.Priority = level
		s.take(at[n : n+count])
		return true
	}
	return false
}

// bracketed reports whether the tokens from n to end are followed by a closing bracket.
func (s *attributeText) bracketed(at []int, n, end int) bool {
	before := s.whole.Key(at[max(n-1, 0)])
	return end < len(at) && s.whole.Key(at[end]) == ")" && (before == "(" || before == ",")
}

// priorityAt parses a priority at the first of the indices and returns the number of tokens it takes.
func (s *attributeText) priorityAt(at []int) (level string, count int) {
	keys := make([]string, 4)
	for n := range min(len(at), len(keys)) {
		keys[n] = s.whole.Key(at[n])
	}
	if level, n := levelOf(keys); n > 0 {
		return level, n
	}
	lone, leads := introduces[keys[0]]
	if !leads {
		return "", 0
	}
	if level, n := s.priorityAt(at[1:]); n > 1 || n == 1 && lone {
		return level, n + 1
	}
	return "", 0
}

// levelOf parses "high priority", "priority: high", "!!", "high" from the first of four keys.
func levelOf(keys []string) (level string, count int) {
	w := keys[0]
	switch {
	case marked(w) != "":
		return marked(w), 1
	case priorityWord[w] && keys[1] == ":" && levels[keys[2]] != "":
		return levels[keys[2]], 3
	case priorityWord[w] && levels[keys[1]] != "" && keys[1] != "no":
		return levels[keys[1]], 2
	case levels[w] != "" && priorityWord[keys[1]]:
		return levels[w], 2
	case levels[w] != "" && w != "no":
		return levels[w], 1
	case strings.Join(keys, " ") == "as soon as possible":
		return "urgent", 4
	}
	return "", 0
}

var priorityWord = words("priority prio")

// introduces lists the words that may precede a priority, and whether they may precede one without the word
// "priority": "very urgent", but "with high priority".
var introduces = map[string]bool{
	"as": true, "very": true, "really": true, "super": true, "its": true, "with": false, "at": false, "a": false,
	"an": false,
}

// marked parses "!!", "!!!" and "high-priority".
func marked(w string) string {
	switch {
	case w == "!!":
		return "high"
	case strings.HasPrefix(w, "!!!"):
		return "urgent"
	case strings.HasSuffix(w, "-priority"):
		return levels[strings.TrimSuffix(w, "-priority")]
	}
	return ""
}

func (s *attributeText) takeDue() bool {
	if s.fields.Due != nil || s.rejection != "" {
		return false
	}
	at := s.left()
	words := make([]string, len(at))
	for n, i := range at {
		words[n] = s.whole.Key(i)
	}
	m, ok := due.Find(words, s.now)
	if !ok {
		return false
	}
	s.take(at[m.Start:m.End])
	if s.rejection = m.Unclear; s.rejection == "" {
		s.fields.Due = &m.Due
	}
	return true
}

// tidy removes the words and brackets that connected a removed attribute to the rest.
func (s *attributeText) tidy() {
	at := s.left()
	for n := 0; n+1 < len(at); n++ {
		switch s.whole.Key(at[n]) + s.whole.Key(at[n+1]) {
		case "()":
			s.gone[at[n]], s.gone[at[n+1]] = true, true
		case "(,", ",,":
			s.gone[at[n+1]] = true
		case ",)":
			s.gone[at[n]] = true
		}
	}
	at = s.left()
	for len(at) > 0 && dangling[s.whole.Key(at[len(at)-1])] {
		s.gone[at[len(at)-1]] = true
		at = at[:len(at)-1]
	}
	for len(at) > 0 && leading[s.whole.Key(at[0])] {
		s.gone[at[0]] = true
		at = at[1:]
	}
}

var (
	dangling = map[string]bool{
		"and":      true,
		"with":     true,
		"due":      true,
		",":        true,
		"-":        true,
		":":        true,
		".":        true,
		"!":        true,
		";":        true,
		"deadline": true,
		"its":      true,
	}
	leading = map[string]bool{
		"and":  true,
		",":    true,
		"-":    true,
		":":    true,
		"to":   true,
		"that": true,
		".":    true,
		"!":    true,
	}
)

// titled parses a title with attributes. The title keeps the user's wording.
func titled(t text.Text, now due.Now) (Fields, string) {
	t, note := splitNote(t)
	s := newSheet(t, now)
	s.takeAll()
	s.tidy()
	s.fields.Description = note
	title, rejection := titleOf(t, s.gone)
	if s.rejection == "" {
		s.rejection = rejection
	}
	s.fields.Title = title
	return s.fields, s.rejection
}

// splitNote splits "…, note: …" and "… with a note saying …" into title and note.
func splitNote(t text.Text) (text.Text, string) {
	for i := 1; i < t.Len()-1; i++ {
		if !noteWord[t.Key(i)] {
			continue
		}
		from := i + 1
		switch {
		case t.Key(from) == ":" || t.Key(from) == "saying":
			from++
		case t.Key(from) == "that" && t.Key(from+1) == "says":
			from += 2
		case withNote(t, i):
		default:
			continue
		}
		end := i
		for end > 0 && noteLead[t.Key(end-1)] {
			end--
		}
		if end > 0 && from < t.Len() {
			return t.Slice(0, end), plain(t.From(from))
		}
	}
	return t, ""
}

// withNote parses "with description Get milk"; "with details about" is part of a title.
func withNote(t text.Text, i int) bool {
	led := t.Key(i-1) == "with" || noteLead[t.Key(i-1)] && t.Key(i-2) == "with"
	return led && t.Key(i) != "details" && t.Key(i) != "notes" && !searchPrep[t.Key(i+1)]
}

var noteWord = map[string]bool{"note": true, "notes": true, "description": true, "details": true}

var noteLead = map[string]bool{
	"with": true,
	"a":    true,
	"the":  true,
	"and":  true,
	",":    true,
	".":    true,
	"-":    true,
	"(":    true,
}

// titleOf returns the remaining text as a title. A quoted title is not changed; any other begins with a capital letter.
func titleOf(t text.Text, gone []bool) (title, rejection string) {
	title = titleText(t, gone)
	if n := utf8.RuneCountInString(title); n > maxTitle {
		return "", "A title can have 200 characters at most."
	}
	return title, ""
}

// titleText is titleOf without the limit of length.
func titleText(t text.Text, gone []bool) (title string) {
	var rest []text.Token
	for i, tok := range t.Tokens {
		if !gone[i] && (tok.Kind != text.Punct || strings.HasPrefix(tok.Key, "!!")) {
			rest = append(rest, tok)
		}
	}
	if len(rest) == 1 && rest[0].Kind == text.Quoted {
		title = strings.TrimSpace(rest[0].Literal)
	} else {
		title = capital(strings.Trim(t.Without(gone), " ,.;:-–—!*•"))
	}
	return strings.TrimSpace(strings.ReplaceAll(title, "\n", " "))
}

func capital(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return s
	}
	return strings.ToUpper(string(r)) + s[size:]
}

// plain returns a text as the user wrote it, without quotation marks.
func plain(t text.Text) string {
	t = t.Trim()
	if s, ok := t.Literal(); ok {
		return s
	}
	return t.String()
}

// maxAttributeWords is the maximum length of a text that consists of attributes only.
const maxAttributeWords = 25

// attributesOnly parses a text that consists of priority, labels and due date only.
func attributesOnly(t text.Text, now due.Now) (Fields, string, bool) {
	if t.Len() > maxAttributeWords {
		return Fields{}, "", false
	}
	s := newSheet(t, now)
	s.only = true
	s.takeLabels()
	for {
		s.tidyOnly()
		if !s.takeDue() && !s.takePriority() {
			break
		}
	}
	found := s.fields.Priority != "" || s.fields.Due != nil || len(s.fields.AddLabels) > 0 || s.rejection != ""
	return s.fields, s.rejection, found && len(s.left()) == 0
}

func (s *attributeText) tidyOnly() {
	for _, i := range s.left() {
		if k := s.whole.Key(i); k == "and" || k == "," || k == "be" || k == "it" || k == "then" {
			s.gone[i] = true
		}
	}
	s.tidy()
}
