package enum

import (
	"fmt"
	"io"
	"strings"
)

// NeverDue is the sort key of a task without a due date: the last millisecond of the year 9999, which is later than
// every date that can be set.
const NeverDue int64 = 253402300799999

// Priority is the priority of a task. It is stored as a number, so that the database can sort by it.
type Priority int

// Priorities, from 0 to 4.
const (
	PriorityNone Priority = iota
	PriorityLow
	PriorityMedium
	PriorityHigh
	PriorityUrgent
)

var priorityNames = [...]string{"NONE", "LOW", "MEDIUM", "HIGH", "URGENT"}

// ParsePriority returns the priority with the given name, ignoring case.
func ParsePriority(name string) (Priority, error) {
	for i, n := range priorityNames {
		if strings.EqualFold(n, name) {
			return Priority(i), nil
		}
	}
	return 0, fmt.Errorf("%q is not a priority", name)
}

// String returns the name in upper case, as in GraphQL. Numbers out of range are "NONE".
func (p Priority) String() string {
	if p < 0 || int(p) >= len(priorityNames) {
		return priorityNames[0]
	}
	return priorityNames[p]
}

// MarshalGQL implements graphql.Marshaler.
func (p Priority) MarshalGQL(w io.Writer) { marshal(w, p.String()) }

// UnmarshalGQL implements graphql.Unmarshaler.
func (p *Priority) UnmarshalGQL(in any) error {
	name, ok := in.(string)
	if !ok {
		return fmt.Errorf("priority is %T, want a string", in)
	}
	v, err := ParsePriority(name)
	*p = v
	return err
}

// TaskStatus is a filter on the completion state of tasks.
type TaskStatus string

// Filters on the completion state.
const (
	TaskAll       TaskStatus = "ALL"
	TaskPending   TaskStatus = "PENDING"
	TaskCompleted TaskStatus = "COMPLETED"
)

// Values returns all names, for gqlgen.
func (TaskStatus) Values() []string { return values(TaskAll, TaskPending, TaskCompleted) }

// MarshalGQL implements graphql.Marshaler.
func (v TaskStatus) MarshalGQL(w io.Writer) { marshal(w, v) }

// UnmarshalGQL implements graphql.Unmarshaler.
func (v *TaskStatus) UnmarshalGQL(in any) error { return unmarshal(in, v) }

// TaskOrderField is the sort field of a list of tasks.
type TaskOrderField string

// Sort fields.
const (
	OrderNumber    TaskOrderField = "NUMBER"
	OrderCreatedAt TaskOrderField = "CREATED_AT" // the same order as OrderNumber
	OrderUpdatedAt TaskOrderField = "UPDATED_AT"
	OrderDue       TaskOrderField = "DUE" // tasks without a due date have the key NeverDue
	OrderPriority  TaskOrderField = "PRIORITY"
	OrderTitle     TaskOrderField = "TITLE"
)

// Values returns all names, for gqlgen.
func (TaskOrderField) Values() []string {
	return values(OrderNumber, OrderCreatedAt, OrderUpdatedAt, OrderDue, OrderPriority, OrderTitle)
}

// MarshalGQL implements graphql.Marshaler.
func (v TaskOrderField) MarshalGQL(w io.Writer) { marshal(w, v) }

// UnmarshalGQL implements graphql.Unmarshaler.
func (v *TaskOrderField) UnmarshalGQL(in any) error { return unmarshal(in, v) }

// Direction is a sort direction.
type Direction string

// Sort directions.
const (
	Ascending  Direction = "ASC"
	Descending Direction = "DESC"
)

// Values returns all names, for gqlgen.
func (Direction) Values() []string { return values(Ascending, Descending) }

// MarshalGQL implements graphql.Marshaler.
func (v Direction) MarshalGQL(w io.Writer) { marshal(w, v) }

// UnmarshalGQL implements graphql.Unmarshaler.
func (v *Direction) UnmarshalGQL(in any) error { return unmarshal(in, v) }

// MatchReason is why a task is a candidate for a reference, from the best reason to the worst.
type MatchReason string

// Reasons of a candidate.
const (
	MatchNumber    MatchReason = "NUMBER"
	MatchTitle     MatchReason = "TITLE"
	MatchAllWords  MatchReason = "ALL_WORDS"
	MatchPrefixes  MatchReason = "PREFIXES"
	MatchSpelling  MatchReason = "SPELLING"
	MatchSomeWords MatchReason = "SOME_WORDS"
)

// Values returns all names, for gqlgen.
func (MatchReason) Values() []string {
	return values(MatchNumber, MatchTitle, MatchAllWords, MatchPrefixes, MatchSpelling, MatchSomeWords)
}

// MarshalGQL implements graphql.Marshaler.
func (v MatchReason) MarshalGQL(w io.Writer) { marshal(w, v) }

// UnmarshalGQL implements graphql.Unmarshaler.
func (v *MatchReason) UnmarshalGQL(in any) error { return unmarshal(in, v) }
