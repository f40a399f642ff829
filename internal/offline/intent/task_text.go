package intent

import (
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"errand/internal/due"
	"errand/internal/offline/text"
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

// TaskText is the task that a text describes.
type TaskText struct {
	// Fields has the title, the description, the priority ("" if none), the due date and the labels.
	Fields Fields
	// Spans are the recognized parts in the order of the text. They do not overlap.
	Spans []Span
}

// ParseTask parses the text of one task ("Call Ann tomorrow at 5pm #family !!") by the rules for titles in messages.
// The text must be valid UTF-8. The due date is set only if it is certain: if no other words look like a date. The
// length of the title is not limited; text of more than 300 words before its note becomes the title unchanged.
func ParseTask(s string, now due.Now) TaskText {
	s = text.Clean(strings.ReplaceAll(s, "\r\n", " \n")) // keeps the number of UTF-16 units
	all := text.Tokenize(s).Trim()
	title, note := splitNote(all)
	if title.Len() > maxWords {
		return TaskText{Fields: Fields{Title: titleText(all, make([]bool, all.Len()))}}
	}
	p := taskTextParser{attributeText: newSheet(title, now), dated: make([]bool, title.Len())}
	p.parse()
	fields := p.fields
	fields.Title = titleText(title, p.gone)
	if note != "" {
		fields.Description = note
		p.mark(DescriptionSpan, all.From(title.Len()))
	}
	return TaskText{Fields: fields, Spans: p.spansIn(s)}
}

// taskTextParser removes the attributes of a title and records where they were. Spans have byte offsets until spansIn.
type taskTextParser struct {
	*attributeText
	// dated marks the tokens of the due date.
	dated []bool
	spans []Span
}

func (p *taskTextParser) parse() {
	p.takeValidLabels()
	labels, dateless := slices.Clone(p.spans), *p.attributeText
	dateless.gone = slices.Clone(p.gone)
	for p.takeMarked(PrioritySpan, p.takePriority) || p.takeMarked(DueSpan, p.takeDue) {
		p.tidy()
	}
	p.tidy()
	if p.certain() {
		return
	}
	p.spans, *p.attributeText = labels, dateless
	for p.takeMarked(PrioritySpan, p.takePriority) {
		p.tidy()
	}
	for _, part := range p.dateLike() {
		p.mark(UncertainSpan, p.whole.Slice(part.Start, part.End))
	}
	p.tidy()
}

// certain reports whether the due date, if there is one, is valid and contains all words that look like a date.
func (p *taskTextParser) certain() bool {
	if _, recurring := due.Recurring(p.whole.Keys()); recurring || p.rejection != "" {
		return false
	}
	for _, part := range p.dateLike() {
		if slices.Contains(p.dated[part.Start:part.End], false) {
			return false
		}
	}
	return true
}

// dateLike returns the date-like parts of the title without its labels and priority.
func (p *taskTextParser) dateLike() []due.Part {
	words := p.whole.Keys()
	for i := range words {
		if p.gone[i] && !p.dated[i] {
			words[i] = ""
		}
	}
	parts := due.DateLike(words)
	if m, ok := due.Find(words, p.now); ok && len(parts) == 0 {
		parts = []due.Part{{Start: m.Start, End: m.End}}
	}
	return parts
}

// takeValidLabels removes the labels that a task may have; others stay in the title.
func (p *taskTextParser) takeValidLabels() {
	for i := range p.whole.Tokens {
		label := strings.TrimPrefix(p.whole.Raw(i), "#")
		if !labelForm.MatchString(p.whole.Key(i)) || utf8.RuneCountInString(label) > maxLabel {
			continue
		}
		known := slices.Contains(p.fields.AddLabels, label)
		if !known && len(p.fields.AddLabels) == maxLabels {
			continue
		}
		p.addLabel(label)
		p.take([]int{i})
		p.mark(LabelSpan, p.whole.Slice(i, i+1))
	}
}

// takeMarked calls take and records the tokens that it removed, one span for each run of adjacent ones.
func (p *taskTextParser) takeMarked(kind SpanKind, take func() bool) bool {
	before := slices.Clone(p.gone)
	ok := take()
	for i := 0; i < len(p.gone); i++ {
		start := i
		for i < len(p.gone) && p.gone[i] && !before[i] {
			p.dated[i] = kind == DueSpan
			i++
		}
		if i > start {
			p.mark(kind, p.whole.Slice(start, i))
		}
	}
	return ok
}

func (p *taskTextParser) mark(kind SpanKind, t text.Text) {
	start, end := t.Bounds()
	p.spans = append(p.spans, Span{Kind: kind, Start: start, End: end})
}

// spansIn returns the spans sorted, with their text and with offsets in UTF-16 code units of s.
func (p *taskTextParser) spansIn(s string) []Span {
	slices.SortFunc(p.spans, func(a, b Span) int { return a.Start - b.Start })
	at, units := 0, 0
	advance := func(to int) int {
		for _, r := range s[at:to] {
			units += utf16.RuneLen(r)
		}
		at = to
		return units
	}
	for i, span := range p.spans {
		p.spans[i].Text = s[span.Start:span.End]
		p.spans[i].Start = advance(span.Start)
		p.spans[i].End = advance(span.End)
	}
	return p.spans
}
