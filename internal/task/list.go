package task

import (
	"context"
	"fmt"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/predicate"
	"errand/ent/task"
	"errand/internal/apperr"
	"errand/internal/page"
	"errand/internal/store"
	"errand/internal/viewer"

	"entgo.io/ent/dialect/sql"
)

// Order is the sort order of a list of tasks; ties are broken by number.
type Order struct {
	Field     enum.TaskOrderField
	Direction enum.Direction
	// PriorityFirst sorts tasks with equal values by priority, the highest first, before their numbers. Only pages after
	// a cursor in the ascending order exist.
	PriorityFirst bool
}

// column returns the first sort column; the second is always the number.
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
	default: // numbers are assigned in the order of creation
		return task.FieldNumber
	}
}

// listName identifies the order in cursors: a cursor of another order is rejected.
func (o Order) listName() string {
	if o.PriorityFirst {
		return "tasks:" + o.column() + ",priority"
	}
	return "tasks:" + o.column()
}

// keyLen is the number of values in a cursor.
func (o Order) keyLen() int {
	if o.PriorityFirst {
		return 3
	}
	return 2
}

// cursor returns a task's position in the order.
func (o Order) cursor(t *ent.Task) page.Cursor {
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
	key := []any{first, t.Number}
	if o.PriorityFirst {
		key = append(key, int(t.Priority))
	}
	return page.Cursor{List: o.listName(), Key: key}
}

// sortValues converts a cursor's values to the types of the sort columns.
func (o Order) sortValues(c *page.Cursor) []any {
	var first any = c.Int(0)
	switch o.column() {
	case task.FieldUpdatedAt:
		// A forged cursor with an invalid time yields the year 1, which is a valid position.
		first, _ = time.Parse(time.RFC3339Nano, c.Text(0))
	case task.FieldTitle:
		first = c.Text(0)
	}
	return []any{first, c.Int(1)}
}

// AfterNumber returns the cursor that follows the task number in the ascending order of numbers.
func AfterNumber(number int) string {
	order := Order{Field: enum.OrderNumber}
	return order.cursor(&ent.Task{Number: number}).Encode()
}

// AfterTask returns the cursor that follows the viewer's task with the number in the order; the task may be in any
// state. Without such a task it returns NOT_FOUND, except in the order of numbers.
func (o operations) AfterTask(ctx context.Context, number int, order Order) (string, error) {
	if _, err := viewer.Require(ctx, viewer.TasksRead); err != nil {
		return "", err
	}
	if order.Field == enum.OrderNumber {
		return AfterNumber(number), nil
	}
	t, err := o.client.Task.Query().Where(task.Number(number)).Only(ctx)
	if ent.IsNotFound(err) {
		missing := apperr.New(apperr.NotFound, "There is no task %d.", number)
		missing.Field = "after"
		return "", missing
	}
	if err != nil {
		return "", fmt.Errorf("reading a task: %w", err)
	}
	return order.cursor(t).Encode(), nil
}

// Edge returns a task with its cursor in the list of that order. A nil order is newest first.
func Edge(t *ent.Task, order *Order) *page.TaskEdge {
	return page.NewEdge(t, order.orNewestFirst().cursor)
}

func (o *Order) orNewestFirst() Order {
	if o == nil {
		return Order{Field: enum.OrderNumber, Direction: enum.Descending}
	}
	return *o
}

// ListTasks returns a page of the viewer's tasks that match filter. A nil order is newest first,
// a nil filter selects all tasks outside the trash. The total is counted only when it is read.
func (o operations) ListTasks(
	ctx context.Context,
	args page.Args,
	order *Order,
	filter *Filter,
) (*page.TaskConnection, error) {
	if _, err := viewer.Require(ctx, viewer.TasksRead); err != nil {
		return nil, err
	}
	by := order.orNewestFirst()
	w, err := args.Window(by.listName(), by.keyLen())
	if err != nil {
		return nil, err
	}
	where, counted, err := o.selection(ctx, filter)
	if err != nil {
		return nil, err
	}
	q := o.client.Task.Query().Where(where...).Where(by.between(w)).Order(by.sort(w)).Limit(w.Size + 1)
	if columns := args.SelectColumns(task.FieldID, task.FieldNumber, task.FieldVersion, by.column()); columns != nil {
		q.Select(columns...)
	}
	found, err := q.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing tasks: %w", err)
	}
	count := func(ctx context.Context) (page.Total, error) { return o.count(ctx, filter, counted) }
	return page.Build(w, found, by.cursor, count), nil
}

// maxCounted is how many tasks of a filter are counted; beyond it a total is "at least".
const maxCounted = 10_000

// count returns the number of tasks that match. Filters by state alone use the user's counters.
func (o operations) count(ctx context.Context, f *Filter, where []predicate.Task) (page.Total, error) {
	if f.isState() {
		u, err := o.user(ctx)
		if err != nil {
			return page.Total{}, err
		}
		return page.Total{Count: f.counted(u)}, nil
	}
	q := o.client.Task.Query().Where(where...)
	q.Modify(func(s *sql.Selector) { store.LimitCount(s, task.Table, task.FieldID, maxCounted+1) })
	n, err := q.Count(ctx)
	if err != nil {
		return page.Total{}, fmt.Errorf("counting tasks: %w", err)
	}
	return page.Total{Count: min(n, maxCounted), AtLeast: n > maxCounted}, nil
}

// between limits a query to the rows between the window's cursors.
func (o Order) between(w page.Window) func(*sql.Selector) {
	if o.PriorityFirst {
		return o.afterWithPriority(w)
	}
	return func(s *sql.Selector) {
		columns := []string{s.C(o.column()), s.C(task.FieldNumber)}
		beyond, within := sql.CompositeGT, sql.CompositeLT
		if o.Direction == enum.Descending {
			beyond, within = within, beyond
		}
		if w.After != nil {
			s.Where(beyond(columns, o.sortValues(w.After)...))
		}
		if w.Before != nil {
			s.Where(within(columns, o.sortValues(w.Before)...))
		}
	}
}

// afterWithPriority is between for PriorityFirst, whose columns have different directions.
func (o Order) afterWithPriority(w page.Window) func(*sql.Selector) {
	return func(s *sql.Selector) {
		if w.After == nil {
			return
		}
		first, number, priority := o.sortValues(w.After)[0], w.After.Int(1), w.After.Int(2)
		column := s.C(o.column())
		s.Where(sql.GTE(column, first)) // follows from the rest, and lets an index begin here
		s.Where(sql.Or(
			sql.GT(column, first),
			sql.LT(s.C(task.FieldPriority), priority),
			sql.And(sql.EQ(s.C(task.FieldPriority), priority), sql.GT(s.C(task.FieldNumber), number)),
		))
	}
}

// sort orders the rows from the end of the list at which the window starts.
func (o Order) sort(w page.Window) task.OrderOption {
	by := sql.Asc
	if (o.Direction == enum.Descending) != w.Backward {
		by = sql.Desc
	}
	return func(s *sql.Selector) {
		s.OrderBy(by(s.C(o.column())))
		if o.PriorityFirst {
			s.OrderBy(sql.Desc(s.C(task.FieldPriority)))
		}
		if o.column() != task.FieldNumber {
			s.OrderBy(by(s.C(task.FieldNumber)))
		}
	}
}
