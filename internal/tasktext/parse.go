package tasktext

import (
	"slices"
	"strings"
	"unicode/utf16"

	"errand/internal/due"
	"errand/internal/text"
)

// SpanKind is the kind of a span of a task's text.
type SpanKind string

// The kinds of spans.
const (
	LabelSpan       SpanKind = "LABEL"
	PrioritySpan    SpanKind = "PRIORITY"
	DueSpan         SpanKind = "DUE"
	DescriptionSpan SpanKind = "DESCRIPTION"
	// UncertainSpan looks like a date that is not certain; it stays in the title.
	UncertainSpan SpanKind = "UNCERTAIN"
)

// Span is a part of a task's text.
type Span struct {
	Kind SpanKind
	// Start and End are offsets in UTF-16 code units; End is exclusive.
	Start, End int
	// Text is the part as written.
	Text string
}

// Task is the task that a text describes.
type Task struct {
	Values
	// Spans are the recognized parts in the order of the text. They do not overlap.
	Spans []Span
}

// maxWords is the maximum length of a title with values.
const maxWords = 200

// Parse parses the text of one task ("Call Ann tomorrow at 5pm #family !!") by the rules for titles in messages.
// The text must be valid UTF-8. The due date is set only if it is certain: if no other words look like a date. The
// length of the title is not limited; text of more than 300 words before its note becomes the title unchanged.
func Parse(s string, now due.Now) Task {
	s = text.Clean(strings.ReplaceAll(s, "\r\n", " \n")) // keeps the number of UTF-16 units
	all := text.Tokenize(s).Trim()
	title, note := splitNote(all)
	if title.Len() > maxWords {
		return Task{Values: Values{Title: newExtractor(all, now).title()}}
	}
	extractor, uncertain := newTaskExtractor(title, now)
	task := Task{Values: extractor.fields, Spans: extractor.spans()}
	task.Title, task.Description = extractor.title(), note
	mark := func(kind SpanKind, t text.Text) {
		start, end := t.Bounds()
		task.Spans = append(task.Spans, Span{Kind: kind, Start: start, End: end})
	}
	for _, part := range uncertain {
		mark(UncertainSpan, title.Slice(part.Start, part.End))
	}
	if note != "" {
		mark(DescriptionSpan, all.From(title.Len()))
	}
	slices.SortFunc(task.Spans, func(a, b Span) int { return a.Start - b.Start })
	for i, at, units := 0, 0, 0; i < len(task.Spans); i++ {
		span := &task.Spans[i]
		span.Text = s[span.Start:span.End]
		length := len(utf16.Encode([]rune(span.Text)))
		units += len(utf16.Encode([]rune(s[at:span.Start])))
		at, span.Start, span.End = span.End, units, units+length
		units += length
	}
	return task
}

// newTaskExtractor takes the values of a task's text. An uncertain date stays in the title; its parts are returned.
func newTaskExtractor(t text.Text, now due.Now) (*extractor, []due.Part) {
	s := newExtractor(t, now)
	s.takeHashtags()
	undated := *s
	undated.taken, undated.undated = slices.Clone(s.taken), true
	s.takeValues()
	s.tidy()
	if s.certain() {
		return s, nil
	}
	undated.takeValues()
	parts := undated.dateLike()
	if m, ok := due.Find(t.Keys(), now); ok && len(parts) == 0 {
		parts = []due.Part{{Start: m.Start, End: m.End}}
	}
	undated.tidy()
	return &undated, parts
}

// certain reports whether the due date, if there is one, is valid and contains all words that look like a date.
func (s *extractor) certain() bool {
	start, end := due.Recurring(s.whole.Keys())
	return start == end && s.rejection == "" && !slices.ContainsFunc(s.dateLike(), func(part due.Part) bool {
		return slices.ContainsFunc(s.taken[part.Start:part.End], func(kind SpanKind) bool { return kind != DueSpan })
	})
}

// spans returns the taken parts, with byte offsets: one for each label, else for each run of tokens of a kind.
func (s *extractor) spans() (all []Span) {
	for i := 0; i < len(s.taken); i++ {
		kind, from := s.taken[i], i
		for kind != LabelSpan && i+1 < len(s.taken) && s.taken[i+1] == kind {
			i++
		}
		if kind != "" && kind != glue {
			start, end := s.whole.Slice(from, i+1).Bounds()
			all = append(all, Span{Kind: kind, Start: start, End: end})
		}
	}
	return all
}
