package tasktext

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"errand/internal/due"
	"errand/internal/text"
)

// MaxValues is the maximum number of words of a text that consists of values only.
const MaxValues = 25

var (
	labelForm = regexp.MustCompile(`^#[\p{L}][\p{L}\p{N}_/-]*$`)
	// timeRange is the form of "10:30-11" and "2-3pm".
	timeRange = regexp.MustCompile(`^(\d{1,2}:\d{2}(?:[ap]m)?|\d{1,2}[ap]m)-\d{1,2}(?::\d{2})?(?:[ap]m)?$`)
)

// extractor takes values from a text; the tokens that remain are a title.
type extractor struct {
	whole text.Text
	now   due.Now
	// taken is what each token was taken as, "" for those that remain.
	taken []SpanKind
	// name marks words that look like a date but are part of a name: "Friday Night Lights".
	name []bool
	// only is set when the text may contain values only, so that "high" means a priority.
	only bool
	// undated is set when no due date is taken.
	undated bool

	fields    Values
	rejection string
}

// glue is the kind of words that connected a value to the rest.
const glue SpanKind = "GLUE"

func newExtractor(t text.Text, now due.Now) *extractor {
	return &extractor{whole: t, now: now, taken: make([]SpanKind, t.Len()), name: make([]bool, t.Len())}
}

// left returns the indices of the remaining tokens.
func (s *extractor) left() []int {
	at := make([]int, 0, len(s.taken))
	for i, kind := range s.taken {
		if kind == "" {
			at = append(at, i)
		}
	}
	return at
}

func (s *extractor) take(kind SpanKind, places ...int) {
	for _, i := range places {
		s.taken[i] = kind
	}
}

// takeValues takes a priority and a due date. It repeats while it finds more, because a date at the end may follow a
// priority.
func (s *extractor) takeValues() {
	for s.takePriority() || s.takeDue() {
		s.tidy()
	}
}

// takeHashtags takes the labels that are written "#label".
func (s *extractor) takeHashtags() {
	for i := range s.whole.Tokens {
		if labelForm.MatchString(s.whole.Key(i)) {
			s.addLabel(s.whole.Raw(i)[1:])
			s.take(LabelSpan, i)
		}
	}
}

// takeNamedLabels takes "tagged home", "with the label home" and "label: home".
func (s *extractor) takeNamedLabels() {
	for i := 1; i < s.whole.Len(); i++ {
		k, at := s.whole.Key(i), i+1
		for english.Is("afterlabel", s.whole.Key(at)) {
			at++
		}
		noun := english.Is("tags", k) && (english.Is("beforelabel", s.whole.Key(i-1)) || s.whole.Key(i+1) == ":")
		if !noun && !english.Is("tagged", k) || !HasLetter(s.whole.Key(at)) || s.taken[at] != "" || s.continues(at) {
			continue
		}
		s.addLabel(s.whole.Raw(at))
		for ; english.Is("beforelabel", s.whole.Key(i-1)); i-- {
			s.take(glue, i-1)
		}
		for ; i <= at; i++ {
			s.take(LabelSpan, i)
		}
	}
}

// continues reports whether the word after a token belongs to it: no mark, preposition or priority separates them.
func (s *extractor) continues(at int) bool {
	next := s.whole.Key(at + 1)
	return next != "" && s.whole.Tokens[at+1].Kind == text.Word && !english.Is("afterdate", next) &&
		english.Value("level", next) == ""
}

func (s *extractor) addLabel(l string) {
	if !slices.Contains(s.fields.Labels, l) {
		s.fields.Labels = append(s.fields.Labels, l)
	}
}

// takePriority takes a priority. A lone word such as "urgent" counts only at an end of the text.
func (s *extractor) takePriority() bool {
	if s.fields.Priority != "" {
		return false
	}
	at := s.left()
	for n := range at {
		level, count := s.level(at[n:])
		if level == "" {
			continue
		}
		end := n + count
		word := s.whole.Key(at[end-1])
		atAnEnd := len(at) > 1 && (n == 0 || end == len(at)) || end < len(at) && s.whole.Key(at[end]) == ")"
		if count == 1 && !s.only && Marked(word) == "" && (!english.Is("alone", word) || !atAnEnd) {
			continue
		}
		s.fields.Priority = level
		s.take(PrioritySpan, at[n:end]...)
		return true
	}
	return false
}

// level parses "high priority", "priority: high", "as very important", "!!" and "urgent" at the first of the indices
// and returns the number of tokens that it takes.
func (s *extractor) level(at []int) (level string, count int) {
	key := func(n int) string {
		if n < len(at) {
			return s.whole.Key(at[n])
		}
		return ""
	}
	n, led := 0, false
	named := english.Is("priority", key(0))
	if named {
		n++
	}
	for ; !named && (english.Is("stress", key(n)) || english.Is("beforelevel", key(n))); n++ {
		led = !english.Is("stress", key(n))
	}
	if named && key(n) == ":" {
		n++
	}
	if level = Marked(key(n)); level == "" {
		level = english.Value("level", key(n))
	}
	if n++; !named && english.Is("priority", key(n)) {
		return level, n + 1
	}
	if led || english.Is("nolevel", key(n-1)) || level == "" {
		return "", 0
	}
	return level, n
}

// Marked parses "!!", "!!!" and "high-priority".
func Marked(w string) string {
	switch {
	case w == "!!":
		return "high"
	case strings.HasPrefix(w, "!!!"):
		return "urgent"
	case strings.HasSuffix(w, "-priority"):
		return english.Value("level", strings.TrimSuffix(w, "-priority"))
	}
	return ""
}

// takeDue takes a due date, or marks words that only look like one as a name.
func (s *extractor) takeDue() bool {
	if s.fields.Due != nil || s.rejection != "" || s.undated {
		return false
	}
	at := s.left()
	words := make([]string, len(at))
	for n, i := range at {
		if !s.name[i] {
			words[n] = s.whole.Key(i)
		}
	}
	m, ok := due.Find(words, s.now)
	if !ok {
		return false
	}
	if s.isPartOfName(at, m) {
		for _, i := range at[m.Start:m.End] {
			s.name[i] = true
		}
		return true
	}
	for _, i := range at[m.Start:m.End] {
		if m.End-m.Start == 1 || !timeRange.MatchString(s.whole.Key(i)) { // "10:30-11" stays in the title
			s.take(DueSpan, i)
		}
	}
	if s.rejection = m.Unclear; s.rejection == "" {
		s.fields.Due, s.fields.DueText = &m.Due, strings.Join(words[m.Start:m.End], " ")
	}
	return true
}

// isPartOfName reports whether the words of a date are part of a name or a noun, such as "the Day After Tomorrow
// script": another word follows them in the middle of the text. Words that are only dates ("tomorrow") are not.
func (s *extractor) isPartOfName(at []int, m due.Match) bool {
	words := at[m.Start:m.End]
	if s.only || m.Start == 0 || m.End == len(at) || !s.continues(words[len(words)-1]) {
		return false
	}
	named := len(words) > 2 && !slices.ContainsFunc(words, func(i int) bool {
		r, _ := utf8.DecodeRuneInString(s.whole.Raw(i))
		return !unicode.IsUpper(r)
	})
	return named || m.Unclear == "" && !slices.ContainsFunc(words, func(i int) bool {
		return english.Is("dateonly", s.whole.Key(i)) || strings.ContainsAny(s.whole.Key(i), "0123456789")
	})
}
