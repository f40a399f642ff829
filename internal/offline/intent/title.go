package intent

import (
	"cmp"
	"regexp"
	"strings"

	"errand/internal/due"
	"errand/internal/text"
)

// titleRequest returns the addition of a task with a title.
func (p *clauseParser) titleRequest(t text.Text) Request {
	req := Request{Kind: Add, Said: t.String(), free: true}
	p.fillTitle(&req, t)
	return req
}

// fillTitle parses a title with attributes into a request. The title keeps the user's wording.
func (p *clauseParser) fillTitle(req *Request, t text.Text) {
	if t = t.Trim(); t.Len() > 1 && p.lang.Is("article", t.Key(0)) && !p.lang.Is("quantity", t.Key(1)) {
		t = t.From(1)
	}
	t = p.lang.TrimLeading(p.withoutTail(t, "tail"), "hesitation")
	if start, end := due.Recurring(t.Keys()); end > start {
		req.Offer, req.Rhythm = true, t.Slice(start, end).String()
		t = t.Remove(start, end)
	}
	req.titles = t
	t, note := splitNote(t)
	*p.steps -= 20 * t.Len()
	s := newSheet(t, p.now)
	s.takeHashtags()
	s.takeNamedLabels()
	s.takeValues()
	s.tidy()
	f := s.fields
	f.Description, f.Title = note, s.title()
	rejection := s.rejection
	left, beside := s.datesLeft()
	if beside != "" {
		rejection = cmp.Or(rejection, "The date is not clear: “"+beside+"” stands beside “"+f.DueText+
			"”. Please write the month by name, for example “4 March at 9:00”.")
	}
	req.Rejection = cmp.Or(req.Rejection, rejection)
	if rejection == "" {
		req.DateLeft = left
	}
	f.Merge(req.Fields)
	req.Fields = f
	req.Offer = req.Offer || req.DateLeft != "" && strings.HasSuffix(f.Title, left)
}

// datesLeft returns the words of the title that look like a date without a due date, or the word such as "12/20" beside
// one.
func (s *sheet) datesLeft() (left, beside string) {
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
func (s *sheet) dateLike() []due.Part {
	words := s.whole.Keys()
	for i, kind := range s.taken {
		if kind != "" && kind != DueSpan {
			words[i] = ""
		}
	}
	return due.DateLike(words)
}

// tidy takes the words and brackets that connected an attribute to the rest.
func (s *sheet) tidy() {
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
func (s *sheet) title() string {
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
			return t.Slice(0, end), plain(t.From(from))
		}
	}
	return t, ""
}

// plain returns a text as the user wrote it, without quotation marks.
func plain(t text.Text) string {
	t = t.Trim()
	if s, ok := t.Literal(); ok {
		return s
	}
	return t.String()
}
