package task

import (
	"context"
	"fmt"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/task"
	"errand/internal/page"

	"entgo.io/ent/dialect/sql"
)

// Order is how a list of tasks is sorted; equal tasks follow their numbers.
type Order struct {
	Field     enum.TaskOrderField
	Direction enum.Direction
}

// column is the order's first sort column; the second is always the number.
func (o Order) column() string {
	switch o.Field {
	case enum.OrderUpdatedAt:
		return task.FieldUpdatedAt
	case enum.OrderDue:
		return task.FieldDueSort
	case enum.OrderPriority:
		return task.FieldPriority
	case enum.OrderTitle:
		return task.FieldTitle
	default: // numbers are given out in the order of making
		return task.FieldNumber
	}
}

func (o Order) name() string { return "tasks:" + o.column() }

// key is a task's place in the order.
func (o Order) key(t *ent.Task) page.Cursor {
	var first any
	switch o.column() {
	case task.FieldUpdatedAt:
		first = t.UpdatedAt.UTC().Format(time.RFC3339Nano)
	case task.FieldDueSort:
		first = t.DueSort
	case task.FieldPriority:
		first = int(t.Priority)
	case task.FieldTitle:
		first = t.Title
	default:
		first = t.Number
	}
	return page.Cursor{List: o.name(), Key: []any{first, t.Number}}
}

// values are a cursor's sort values in the types of the columns.
func (o Order) values(c *page.Cursor) []any {
	var first any = c.Int(0)
	switch o.column() {
	case task.FieldUpdatedAt:
		// A forged time reads as the year 1, which is a place like any other.
		first, _ = time.Parse(time.RFC3339Nano, c.Text(0))
	case task.FieldTitle:
		first = c.Text(0)
	}
	return []any{first, c.Int(1)}
}

// AfterNumber is the cursor behind a task's number in the order of numbers.
func AfterNumber(number int) string {
	order := Order{Field: enum.OrderNumber}
	return order.key(&ent.Task{Number: number}).Encode()
}

// ListTasks is a page of the viewer's tasks.
func (s *Service) ListTasks(
	ctx context.Context,
	args page.Args,
	order *Order,
	filter *Filter,
) (*page.TaskConnection, error) {
	o := Order{Field: enum.OrderNumber, Direction: enum.Descending}
	if order != nil {
		o = *order
	}
	w, err := args.Window(o.name(), 2)
	if err != nil {
		return nil, err
	}
	conditions, err := s.conditions(ctx, filter)
	if err != nil {
		return nil, err
	}
	q := s.reader(ctx).Task.Query().Where(conditions...).Where(o.between(w)).Order(o.sort(w)).Limit(w.Size + 1)
	if columns := args.SelectColumns(task.FieldID, task.FieldNumber, task.FieldVersion, o.column()); columns != nil {
		q.Select(columns...)
	}
	found, err := q.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing tasks: %w", err)
	}
	count := func(ctx context.Context) (int, error) {
		return s.reader(ctx).Task.Query().Where(conditions...).Count(ctx)
	}
	return page.Build(w, found, o.key, count), nil
}

// between keeps a list within the window's cursors.
func (o Order) between(w page.Window) func(*sql.Selector) {
	return func(s *sql.Selector) {
		columns := []string{s.C(o.column()), s.C(task.FieldNumber)}
		beyond, within := sql.CompositeGT, sql.CompositeLT
		if o.Direction == enum.Descending {
			beyond, within = within, beyond
		}
		if w.After != nil {
			s.Where(beyond(columns, o.values(w.After)...))
		}
		if w.Before != nil {
			s.Where(within(columns, o.values(w.Before)...))
		}
	}
}

// sort reads the list from the end that the window starts at.
func (o Order) sort(w page.Window) task.OrderOption {
	by := sql.Asc
	if (o.Direction == enum.Descending) != w.Backward {
		by = sql.Desc
	}
	return func(s *sql.Selector) {
		s.OrderBy(by(s.C(o.column())))
		if o.column() != task.FieldNumber {
			s.OrderBy(by(s.C(task.FieldNumber)))
		}
	}
}
