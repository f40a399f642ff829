package task

import (
	"context"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/predicate"
	"errand/ent/task"
	"errand/internal/apperr"

	"entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/sqljson"
)

// Limits of a search text. Each word is searched in all of the user's texts.
const (
	maxSearchChars = 200
	maxSearchWords = 20
)

// maxPriorities is the maximum length of a filter's list of priorities, the number of different ones.
const maxPriorities = int(enum.PriorityUrgent-enum.PriorityNone) + 1

// Filter selects tasks that meet all of its conditions. Nil fields are no condition.
type Filter struct {
	Status *enum.TaskStatus
	// Search holds words; each must begin a word of the title or the description, in any case and with any accents.
	Search *string
	Label  *string
	// Labels must all be among the task's labels.
	Labels []string
	// LabelSpellings has the spellings of labels: the tasks have at least one of each list.
	LabelSpellings [][]string
	// Priority selects tasks with any of these priorities.
	Priority []enum.Priority
	// DueFrom and DueTo are days (YYYY-MM-DD) in the viewer's time zone, inclusive.
	DueFrom, DueTo *string
	// Overdue selects tasks that are overdue, or all others: see dueFilter.overdue.
	Overdue *bool
	// NoDue selects tasks without a due date, or with one.
	NoDue *bool
	// CompletedFrom and CompletedTo are days like DueFrom and DueTo.
	CompletedFrom, CompletedTo *string
	// Trashed selects tasks in the trash instead of those outside it.
	Trashed *bool
}

// isState reports whether f selects tasks by a state for which the user's row has a counter.
func (f *Filter) isState() bool {
	if f == nil {
		return true
	}
	state := *f
	state.Status, state.Trashed = nil, nil
	if !reflect.ValueOf(state).IsZero() {
		return false
	}
	return !f.inTrash() || f.Status == nil || *f.Status == enum.TaskAll
}

// counted returns the user's number of tasks for a filter by state.
func (f *Filter) counted(u *ent.User) int {
	switch {
	case f.inTrash():
		return u.TrashedTasks
	case f == nil || f.Status == nil || *f.Status == enum.TaskAll:
		return u.OpenTasks + u.CompletedTasks
	case *f.Status == enum.TaskCompleted:
		return u.CompletedTasks
	default:
		return u.OpenTasks
	}
}

func (f *Filter) inTrash() bool { return f != nil && f.Trashed != nil && *f.Trashed }

// predicates returns f's conditions; a nil f selects all tasks outside the trash.
func (o operations) predicates(ctx context.Context, f *Filter) ([]predicate.Task, error) {
	if f == nil {
		f = &Filter{}
	}
	out := []predicate.Task{task.DeletedAtIsNil()}
	if f.inTrash() {
		out[0] = task.DeletedAtNotNil()
	}
	out = append(out, f.statusPredicates()...)
	search, err := o.searchPredicates(ctx, f)
	if err != nil {
		return nil, err
	}
	out = append(out, search...)
	labels, err := f.labelPredicates()
	if err != nil {
		return nil, err
	}
	out = append(out, labels...)
	if len(f.Priority) > maxPriorities {
		return nil, apperr.Invalid("priority", "A filter must have at most %d priorities; this one has %d.",
			maxPriorities, len(f.Priority))
	}
	if len(f.Priority) > 0 {
		out = append(out, task.PriorityIn(f.Priority...))
	}
	days, err := o.dayPredicates(ctx, f)
	return append(out, days...), err
}

func (f *Filter) labelPredicates() ([]predicate.Task, error) {
	if len(f.Labels) > MaxLabels {
		return nil, apperr.Invalid("labels", "A filter must have at most %d labels; this one has %d.",
			MaxLabels, len(f.Labels))
	}
	var out []predicate.Task
	if f.Label != nil {
		has, err := hasLabel("label", *f.Label)
		if err != nil {
			return nil, err
		}
		out = append(out, has)
	}
	for _, label := range f.Labels {
		has, err := hasLabel("labels", label)
		if err != nil {
			return nil, err
		}
		out = append(out, has)
	}
	for _, spellings := range f.LabelSpellings {
		either := make([]predicate.Task, 0, len(spellings))
		for _, label := range spellings {
			has, err := hasLabel("labels", label)
			if err != nil {
				return nil, err
			}
			either = append(either, has)
		}
		out = append(out, task.Or(either...))
	}
	return out, nil
}

// hasLabel returns the condition that a task has the label. An invalid label is an error of the field.
func hasLabel(field, label string) (predicate.Task, error) {
	label = strings.TrimSpace(label)
	if utf8.RuneCountInString(label) > MaxLabel || !isStorableText(label) {
		return nil, apperr.Invalid(field, "A label must be plain text of at most %d characters.", MaxLabel)
	}
	return func(s *sql.Selector) { s.Where(sqljson.ValueContains(s.C(task.FieldLabels), label)) }, nil
}

func (f *Filter) statusPredicates() []predicate.Task {
	switch {
	case f.Status == nil || *f.Status == enum.TaskAll:
		return nil
	case *f.Status == enum.TaskCompleted:
		return []predicate.Task{task.CompletedAtNotNil()}
	default:
		return []predicate.Task{task.CompletedAtIsNil()}
	}
}

func (o operations) searchPredicates(ctx context.Context, f *Filter) ([]predicate.Task, error) {
	if f.Search == nil {
		return nil, nil
	}
	words, err := searchWords(*f.Search)
	if err != nil || len(words) == 0 {
		return nil, err
	}
	search, err := o.searchPredicate(ctx, *f.Search, words)
	return []predicate.Task{search}, err
}

// searchWords validates a search and returns its words.
func searchWords(search string) ([]string, error) {
	if utf8.RuneCountInString(search) > maxSearchChars || !isStorableText(search) {
		return nil, apperr.Invalid("search", "A search text must be plain text of at most %d characters.", maxSearchChars)
	}
	words := strings.Fields(search)
	if len(words) > maxSearchWords {
		return nil, apperr.Invalid("search", "A search text must have at most %d words.", maxSearchWords)
	}
	return words, nil
}

// Calendar is how the viewer's days and weeks are counted.
type Calendar struct {
	Zone      *time.Location
	WeekStart time.Weekday
}

// Calendar returns the viewer's time zone and first day of the week. The zone is UTC when this machine's time zone
// database lacks the viewer's.
func (o operations) Calendar(ctx context.Context) (Calendar, error) {
	u, err := o.user(ctx)
	if err != nil {
		return Calendar{}, err
	}
	zone, err := time.LoadLocation(u.TimeZone)
	if err != nil { // stored by a replica with a newer time zone database
		zone = time.UTC
	}
	return Calendar{Zone: zone, WeekStart: u.WeekStart.Time()}, nil
}

// TimeZone returns the zone of the viewer's Calendar.
func (o operations) TimeZone(ctx context.Context) (*time.Location, error) {
	c, err := o.Calendar(ctx)
	return c.Zone, err
}
