package task

import (
	"context"
	"time"

	"errand/ent/enum"
	"errand/ent/predicate"
	"errand/ent/task"
	"errand/internal/ids"
)

// dayPredicates returns f's conditions on days, which are days in the viewer's time zone.
func (o operations) dayPredicates(ctx context.Context, f *Filter) ([]predicate.Task, error) {
	out := f.noDuePredicates()
	if f.DueFrom == nil && f.DueTo == nil && f.CompletedFrom == nil && f.CompletedTo == nil && f.Overdue == nil {
		return out, nil
	}
	zone, err := o.TimeZone(ctx)
	if err != nil {
		return nil, err
	}
	due, err := f.duePredicates(zone)
	if err != nil {
		return nil, err
	}
	completed, err := f.completedPredicates(zone)
	if err != nil {
		return nil, err
	}
	out = append(append(out, due...), completed...)
	if f.Overdue != nil {
		out = append(out, overduePredicate(*f.Overdue, ids.Now(), zone))
	}
	return out, nil
}

func (f *Filter) noDuePredicates() []predicate.Task {
	switch {
	case f.NoDue == nil:
		return nil
	case *f.NoDue:
		return []predicate.Task{task.DueOnIsNil(), task.DueAtIsNil(), task.DueSort(enum.NeverDue)}
	default:
		return []predicate.Task{task.Or(task.DueOnNotNil(), task.DueAtNotNil())}
	}
}

// duePredicates compares due days with the filter's days, and due instants with the start and end of those days in the
// zone. The conditions on the sort key follow from the others and let an index limit the rows.
func (f *Filter) duePredicates(zone *time.Location) (out []predicate.Task, err error) {
	if f.DueFrom != nil {
		start, _, err := boundsOfDay("dueFrom", *f.DueFrom, zone)
		if err != nil {
			return nil, err
		}
		out = append(out, task.Or(task.DueOnGTE(*f.DueFrom), task.DueAtGTE(start)),
			task.DueSortGTE(min(start.UnixMilli(), dueSortOfDay(*f.DueFrom))))
	}
	if f.DueTo != nil {
		_, end, err := boundsOfDay("dueTo", *f.DueTo, zone)
		if err != nil {
			return nil, err
		}
		out = append(out, task.Or(task.DueOnLTE(*f.DueTo), task.DueAtLT(end)),
			task.DueSortLTE(max(end.UnixMilli(), dueSortOfDay(*f.DueTo))))
	}
	return out, nil
}

func (f *Filter) completedPredicates(zone *time.Location) (out []predicate.Task, err error) {
	if f.CompletedFrom != nil {
		start, _, err := boundsOfDay("completedFrom", *f.CompletedFrom, zone)
		if err != nil {
			return nil, err
		}
		out = append(out, task.CompletedAtGTE(start))
	}
	if f.CompletedTo != nil {
		_, end, err := boundsOfDay("completedTo", *f.CompletedTo, zone)
		if err != nil {
			return nil, err
		}
		out = append(out, task.CompletedAtLT(end))
	}
	return out, nil
}

// overduePredicate selects the tasks that are overdue, or all others. A task is overdue if it is pending and due at an
// instant before now, or on a day before the current one in the zone.
func overduePredicate(overdue bool, now time.Time, zone *time.Location) predicate.Task {
	today := now.In(zone).Format(time.DateOnly)
	if !overdue {
		return task.Or(
			task.CompletedAtNotNil(),
			task.And(task.DueOnIsNil(), task.DueAtIsNil()),
			task.DueOnGTE(today),
			task.DueAtGTE(now),
		)
	}
	return task.And(
		task.CompletedAtIsNil(),
		task.Or(task.DueOnLT(today), task.DueAtLT(now)),
		task.DueSortLTE(max(now.UnixMilli(), dueSortOfDay(today))), // follows from the line above; for the index
	)
}

// boundsOfDay returns the instant at which a day (YYYY-MM-DD) begins in the zone, and that at which the next day
// begins. An invalid day is an error of the field.
func boundsOfDay(field, day string, zone *time.Location) (start, end time.Time, err error) {
	date, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return start, end, errNotADay(field)
	}
	return startOfDay(date, zone).UTC(), startOfDay(date.AddDate(0, 0, 1), zone).UTC(), nil
}

// startOfDay returns the first instant in the zone that is not before the date. It differs from the result of
// time.Date where a change of the clocks skips or repeats midnight.
func startOfDay(date time.Time, zone *time.Location) time.Time {
	const step = 15 * time.Minute // all changes since 1972 are multiples of it
	y, m, d := date.Date()
	t := time.Date(y, m, d, 0, 0, 0, 0, zone)
	before := func(t time.Time) bool {
		ty, tm, td := t.Date()
		return time.Date(ty, tm, td, 0, 0, 0, 0, time.UTC).Before(date)
	}
	for before(t) {
		t = t.Add(step)
	}
	for !before(t.Add(-step)) {
		t = t.Add(-step)
	}
	return t
}
