package task

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/predicate"
	"errand/ent/task"
	"errand/internal/apperr"
	"errand/internal/terms"
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
	list, _, err := o.selection(ctx, f)
	return list, err
}

// selection returns f's conditions for a query that reads a page and for one that counts all tasks.
func (o operations) selection(ctx context.Context, f *Filter) (list, count []predicate.Task, err error) {
	if f == nil {
		f = &Filter{}
	}
	state := []predicate.Task{task.DeletedAtIsNil()}
	if f.inTrash() {
		state[0] = task.DeletedAtNotNil()
	}
	state = append(state, f.statusPredicates()...)
	page, all, err := o.indexedPredicates(ctx, f, state)
	if err != nil {
		return nil, nil, err
	}
	others, err := o.otherPredicates(ctx, f)
	if err != nil {
		return nil, nil, err
	}
	return slices.Concat(state, page, others), slices.Concat(state, all, others), nil
}

// otherPredicates returns f's conditions on priorities and days.
func (o operations) otherPredicates(ctx context.Context, f *Filter) ([]predicate.Task, error) {
	var out []predicate.Task
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

// labelLists returns the labels of the filter: a task has at least one of each list.
func (f *Filter) labelLists() ([][]string, error) {
	if len(f.Labels) > MaxLabels {
		return nil, apperr.Invalid("labels", "A filter must have at most %d labels; this one has %d.",
			MaxLabels, len(f.Labels))
	}
	var lists [][]string
	if f.Label != nil {
		label, err := filterLabel("label", *f.Label)
		if err != nil {
			return nil, err
		}
		lists = append(lists, []string{label})
	}
	for _, label := range f.Labels {
		label, err := filterLabel("labels", label)
		if err != nil {
			return nil, err
		}
		lists = append(lists, []string{label})
	}
	for _, spellings := range f.LabelSpellings {
		list := make([]string, 0, len(spellings))
		for _, label := range spellings {
			label, err := filterLabel("labels", label)
			if err != nil {
				return nil, err
			}
			list = append(list, label)
		}
		lists = append(lists, list)
	}
	return lists, nil
}

// filterLabel returns a label of a filter without surrounding spaces. An invalid label is an error of the field.
func filterLabel(field, label string) (string, error) {
	label = strings.TrimSpace(label)
	if utf8.RuneCountInString(label) > MaxLabel || !isStorableText(label) {
		return "", apperr.Invalid(field, "A label must be plain text of at most %d characters.", MaxLabel)
	}
	return label, nil
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

// indexedPredicates returns f's conditions on words and labels, of tasks in the state that f selects, for a query that
// reads a page and for one that counts all tasks.
func (o operations) indexedPredicates(
	ctx context.Context, f *Filter, state []predicate.Task,
) (list, count []predicate.Task, err error) {
	var search string
	var words []string
	if f.Search != nil {
		search = *f.Search
		if words, err = terms.Words("search", search); err != nil {
			return nil, nil, err
		}
	}
	labels, err := f.labelLists()
	if err != nil || len(words)+len(labels) == 0 {
		return nil, nil, err
	}
	page, all, err := o.indexed(ctx, search, words, labels, state)
	return []predicate.Task{page}, []predicate.Task{all}, err
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
	return CalendarOf(u), nil
}

// CalendarOf returns the calendar of a user.
func CalendarOf(u *ent.User) Calendar {
	zone, err := time.LoadLocation(u.TimeZone)
	if err != nil { // stored by a replica with a newer time zone database
		zone = time.UTC
	}
	return Calendar{Zone: zone, WeekStart: u.WeekStart.Time()}
}

// TimeZone returns the zone of the viewer's Calendar.
func (o operations) TimeZone(ctx context.Context) (*time.Location, error) {
	c, err := o.Calendar(ctx)
	return c.Zone, err
}
