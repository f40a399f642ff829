// Package taskparse parses the text of a task without storing it, for forms that show what a text means while the
// user writes it.
package taskparse

import (
	"context"
	"time"
	"unicode/utf8"

	"errand/ent/enum"
	"errand/internal/apperr"
	"errand/internal/chat"
	"errand/internal/due"
	"errand/internal/task"
	"errand/internal/tasktext"
	"errand/internal/viewer"
)

// MaxText is the maximum length of a text, in characters: that of a message.
const MaxText = chat.MaxContent

// Task is what a text means.
type Task struct {
	Title       string
	Description string
	Priority    enum.Priority
	// DueOn and DueAt are nil unless the due date is certain; at most one is set.
	DueOn  *string
	DueAt  *time.Time
	Labels []string
	Spans  []*Span
	// Uncertain are the texts of the spans that look like a date, unless the due date is certain.
	Uncertain []string
}

// Span is a part of the text.
type Span struct {
	Kind enum.TextSpan
	// Start and End are offsets in UTF-16 code units; End is exclusive.
	Start, End int
	Text       string
}

// Parse parses a text of at most MaxText characters. Dates are relative to the current time in the viewer's time zone.
// It requires the scope tasks:read.
func Parse(ctx context.Context, tasks *task.Service, text string) (*Task, error) {
	if _, err := viewer.Require(ctx, viewer.TasksRead); err != nil {
		return nil, err
	}
	if n := utf8.RuneCountInString(text); n > MaxText {
		return nil, apperr.Invalid("text", "A text must have at most %d characters; this one has %d.", MaxText, n)
	}
	if !utf8.ValidString(text) {
		return nil, apperr.Invalid("text", "A text must be valid UTF-8.")
	}
	c, err := tasks.Calendar(ctx)
	if err != nil {
		return nil, err
	}
	return newTask(tasktext.Parse(text, due.At(time.Now().In(c.Zone), c.WeekStart)))
}

func newTask(parsed tasktext.Task) (*Task, error) {
	f := parsed.Values
	t := &Task{
		Title:       f.Title,
		Description: f.Description,
		Labels:      append([]string{}, f.Labels...),
		Spans:       []*Span{},
		Uncertain:   []string{},
	}
	if f.Priority != "" {
		var err error
		if t.Priority, err = enum.ParsePriority(f.Priority); err != nil {
			return nil, err
		}
	}
	switch {
	case f.Due == nil:
	case f.Due.Timed:
		at := f.Due.At.UTC()
		t.DueAt = &at
	default:
		on := f.Due.On()
		t.DueOn = &on
	}
	for _, s := range parsed.Spans {
		t.Spans = append(t.Spans, &Span{Kind: enum.TextSpan(s.Kind), Start: s.Start, End: s.End, Text: s.Text})
		if s.Kind == tasktext.UncertainSpan {
			t.Uncertain = append(t.Uncertain, s.Text)
		}
	}
	return t, nil
}
