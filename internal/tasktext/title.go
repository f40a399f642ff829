package tasktext

import (
	"cmp"
	"regexp"
	"strings"

	"errand/internal/due"
	"errand/internal/text"
)

// OnlyValues parses a text that consists of priority, labels and due date only. rejection states why a date is not
// possible; ok is false for other texts.
func OnlyValues(t text.Text, now due.Now) (v Values, rejection string, ok bool) {
	if t.Len() > MaxValues {
		return Values{}, "", false
	}
	if date, err := due.Parse(t.String(), now); err == nil {
		return Values{Due: &date, DueText: t.String()}, "", true
	}
	s := newExtractor(t, now)
	s.only = true
	s.takeHashtags()
	s.takeNamedLabels()
	for more := true; more; more = s.takeDue() || s.takePriority() {
		for _, i := range s.left() {
			if english.Is("betweenvalues", s.whole.Key(i)) {
				s.take(glue, i)
			}
		}
		s.tidy()
	}
	return s.fields, s.rejection, len(s.left()) == 0 && (s.fields.Any() || s.rejection != "")
}

// Title is the title of a task with the values in its text.
type Title struct {
	Values
	// Rejection states why a date is not possible.
	Rejection string
	// DateLeft are words that look like a date and stayed in the title, because they are not certain.
	DateLeft string
}

// ReadTitle parses a title with values and a note. The title keeps the user's wording.
func ReadTitle(t text.Text, now due.Now) (title Title) {
	t, note := splitNote(t)
	s := newExtractor(t, now)
	s.takeHashtags()
	s.takeNamedLabels()
	s.takeValues()
	s.tidy()
	title.Values, title.Rejection = s.fields, s.rejection
	title.Description, title.Title = note, s.title()
	left, beside := s.datesLeft()
	if beside != "" {
		title.Rejection = cmp.Or(title.Rejection, "The date is not clear: “"+beside+"” stands beside “"+title.DueText+
			"”. Please write the month by name, for example “4 March at 9:00”.")
	}
	if title.Rejection == "" {
		title.DateLeft = left
	}
	return title
}

// Unchanged returns a text as a title, with all words that look like values.
func Unchanged(t text.Text) string { return newExtractor(t, due.Now{}).title() }

// datesLeft returns the words of the title that look like a date: as left if there is no due date, or as beside a word
// such as "12/20" if there is one.
func (s *extractor) datesLeft() (left, beside string) {
	for _, i := range s.left() {
		if slashDate.MatchString(s.whole.Key(i)) {
			if s.fields.Due != nil {
				return "", s.whole.Raw(i)
			}
			return s.whole.Raw(i), ""
		}
	}
	if parts := s.dateLike(); s.fields.Due == nil && len(parts) > 0 {
		left = s.whole.Slice(parts[0].Start, parts[0].End).String()
	}
	return left, ""
}

var slashDate = regexp.MustCompile(`^\d{1,2}/\d{1,2}(/\d{2,4})?$`)

// dateLike returns the parts of the title, and of its due date, that look like a date.
func (s *extractor) dateLike() []due.Part {
	words := s.whole.Keys()
	for i, kind := range s.taken {
		if kind != "" && kind != DueSpan {
			words[i] = ""
		}
	}
	return due.DateLike(words)
}

// tidy takes the words and brackets that connected a value to the rest.
func (s *extractor) tidy() {
	at := s.left()
	for n := 0; n+1 < len(at); n++ {
		switch s.whole.Key(at[n]) + s.whole.Key(at[n+1]) {
		case "()":
			s.take(glue, at[n], at[n+1])
		case "(,", ",,":
			s.take(glue, at[n+1])
		case ",)":
			s.take(glue, at[n])
		}
	}
	at = s.left()
	for ; len(at) > 0 && english.Is("dangling", s.whole.Key(at[len(at)-1])); at = at[:len(at)-1] {
		s.take(glue, at[len(at)-1])
	}
	for ; len(at) > 0 && english.Is("leading", s.whole.Key(at[0])); at = at[1:] {
		s.take(glue, at[0])
	}
}

// title returns the remaining text as a title. A quoted title is not changed; any other begins with a capital letter.
func (s *extractor) title() string {
	gone, words := make([]bool, len(s.taken)), 0
	quoted := ""
	for i, tok := range s.whole.Tokens {
		gone[i] = s.taken[i] != ""
		if !gone[i] && (tok.Kind != text.Punct || strings.HasPrefix(tok.Key, "!!")) {
			words, quoted = words+1, strings.TrimSpace(tok.Literal)
		}
	}
	if words != 1 || quoted == "" {
		quoted = text.Capitalize(strings.Trim(s.whole.Without(gone), " ,.;:-–—!*•"))
	}
	return strings.TrimSpace(strings.ReplaceAll(quoted, "\n", " "))
}

// splitNote splits "…, note: …" and "… with a note saying …" into title and note.
func splitNote(t text.Text) (text.Text, string) {
	for i := 1; i < t.Len()-1; i++ {
		from := english.PhraseAt("noteword", t, i)
		if from < 0 {
			continue
		}
		if said := english.PhraseAt("notesays", t, from); said > 0 {
			from = said
		} else if !english.Is("notelead", t.Key(i-1)) || t.Key(i-1) != "with" && t.Key(i-2) != "with" ||
			english.Is("plainnote", t.Key(i)) || english.Is("prep", t.Key(from)) { // "with details about" is a title
			continue
		}
		end := i
		for end > 0 && english.Is("notelead", t.Key(end-1)) {
			end--
		}
		if end > 0 && from < t.Len() {
			return t.Slice(0, end), Plain(t.From(from))
		}
	}
	return t, ""
}

// Plain returns a text as the user wrote it, without quotation marks.
func Plain(t text.Text) string {
	t = t.Trim()
	if s, ok := t.Literal(); ok {
		return s
	}
	return t.String()
}
