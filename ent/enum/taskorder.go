package enum

import "io"

// TaskOrderField is by what tasks are sorted.
type TaskOrderField string

// The values of TaskOrderField.
const (
	// OrderNumber means: by number.
	OrderNumber TaskOrderField = "NUMBER"
	// OrderCreatedAt means: by the time of making, which is the order of the numbers.
	OrderCreatedAt TaskOrderField = "CREATED_AT"
	// OrderUpdatedAt means: by the time of the last change.
	OrderUpdatedAt TaskOrderField = "UPDATED_AT"
	// OrderDue means: by due date, those without one last.
	OrderDue TaskOrderField = "DUE"
	// OrderPriority means: by priority.
	OrderPriority TaskOrderField = "PRIORITY"
	// OrderTitle means: by title.
	OrderTitle TaskOrderField = "TITLE"
)

// Values lists the names, for GraphQL.
func (TaskOrderField) Values() []string {
	return names(OrderNumber, OrderCreatedAt, OrderUpdatedAt, OrderDue, OrderPriority, OrderTitle)
}

// MarshalGQL writes the name.
func (v TaskOrderField) MarshalGQL(w io.Writer) { marshal(w, v) }

// UnmarshalGQL reads a name and refuses unknown ones.
func (v *TaskOrderField) UnmarshalGQL(in any) error { return unmarshal(in, v) }
