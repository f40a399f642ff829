package task

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"errand/ent/enum"
	"errand/ent/predicate"
	"errand/ent/task"
	"errand/internal/apperr"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/sqljson"
)

// Bounds of a search text, in characters and in words: each word is looked for in all of a person's texts.
const (
	maxSearch = 200
	maxWords  = 20
)

// Filter selects tasks; all conditions must hold, nil ones always do.
type Filter struct {
	Status   *enum.TaskStatus
	Search   *string
	Label    *string
	Priority []enum.Priority
	// DueFrom and DueTo are days (YYYY-MM-DD) in the viewer's time zone, inclusive.
	DueFrom, DueTo *string
	// Trashed selects those in the trash and no others.
	Trashed *bool
}

func (s *Service) conditions(ctx context.Context, f *Filter) ([]predicate.Task, error) {
	if f == nil {
		f = &Filter{}
	}
	out := []predicate.Task{task.DeletedAtIsNil()}
	if f.Trashed != nil && *f.Trashed {
		out[0] = task.DeletedAtNotNil()
	}
	out = append(out, f.status()...)
	words, err := f.words()
	if err != nil {
		return nil, err
	}
	out = append(out, words...)
	if f.Label != nil {
		label := strings.TrimSpace(*f.Label)
		if !plain(label) {
			return nil, apperr.Invalid("label", "A label is plain text.")
		}
		out = append(out, func(s *sql.Selector) { s.Where(sqljson.ValueContains(s.C(task.FieldLabels), label)) })
	}
	if len(f.Priority) > 0 {
		out = append(out, task.PriorityIn(f.Priority...))
	}
	due, err := s.due(ctx, f)
	return append(out, due...), err
}

func (f *Filter) status() []predicate.Task {
	switch {
	case f.Status == nil || *f.Status == enum.TaskAll:
		return nil
	case *f.Status == enum.TaskCompleted:
		return []predicate.Task{task.CompletedAtNotNil()}
	default:
		return []predicate.Task{task.CompletedAtIsNil()}
	}
}

// words asks for each word of the search in title or description.
func (f *Filter) words() ([]predicate.Task, error) {
	if f.Search == nil {
		return nil, nil
	}
	if utf8.RuneCountInString(*f.Search) > maxSearch || !plain(*f.Search) {
		return nil, apperr.Invalid("search", "A search text has at most %d characters.", maxSearch)
	}
	words := strings.Fields(*f.Search)
	if len(words) > maxWords {
		return nil, apperr.Invalid("search", "A search text has at most %d words.", maxWords)
	}
	if len(words) == 0 {
		return nil, nil
	}
	return []predicate.Task{func(s *sql.Selector) { s.Where(mentions(s, words)) }}, nil
}

// mentions finds rows that hold each of the words, in any case. LIKE would take time by the
// product of the lengths, and would fold every text once a word.
func mentions(s *sql.Selector, words []string) *sql.Predicate {
	title, description, all := s.C(task.FieldTitle), s.C(task.FieldDescription), strings.Join(words, " ")
	return sql.P(func(b *sql.Builder) {
		if s.Dialect() != dialect.Postgres {
			b.WriteString("mentions(").IdentComma(title, description).Comma().Arg(all).WriteString(")")
			return
		}
		b.WriteString("(SELECT bool_and(strpos(folded.text, lower(word)) > 0) FROM (SELECT lower(").
			Ident(title).WriteString(" || ' ' || ").Ident(description).
			WriteString(") AS text OFFSET 0) AS folded, unnest(string_to_array(").Arg(all).WriteString(", ' ')) AS word)")
	})
}

// due compares days with days and instants with the bounds of days in the viewer's zone.
func (s *Service) due(ctx context.Context, f *Filter) ([]predicate.Task, error) {
	if f.DueFrom == nil && f.DueTo == nil {
		return nil, nil
	}
	zone, err := s.TimeZone(ctx)
	if err != nil {
		return nil, err
	}
	var out []predicate.Task
	if f.DueFrom != nil {
		start, err := time.ParseInLocation(time.DateOnly, *f.DueFrom, zone)
		if err != nil {
			return nil, apperr.Invalid("dueFrom", "Not a day that exists: write it as 2026-11-25.")
		}
		out = append(out, task.Or(task.DueOnGTE(*f.DueFrom), task.DueAtGTE(start.UTC())))
	}
	if f.DueTo != nil {
		start, err := time.ParseInLocation(time.DateOnly, *f.DueTo, zone)
		if err != nil {
			return nil, apperr.Invalid("dueTo", "Not a day that exists: write it as 2026-11-25.")
		}
		out = append(out, task.Or(task.DueOnLTE(*f.DueTo), task.DueAtLT(start.AddDate(0, 0, 1).UTC())))
	}
	return out, nil
}

// TimeZone is the viewer's time zone, UTC where the stored one is unknown to this machine.
func (s *Service) TimeZone(ctx context.Context) (*time.Location, error) {
	u, err := s.person(ctx)
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(u.TimeZone)
	if err != nil {
		return time.UTC, nil //nolint:nilerr // a zone that only another machine knows
	}
	return zone, nil
}
