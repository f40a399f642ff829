package enum

import (
	"fmt"
	"io"
	"strings"
)

// Priority is how much a task matters, 0 (none) to 4 (urgent): a number, so
// that the database sorts it.
type Priority int

// The priorities.
const (
	PriorityNone Priority = iota
	PriorityLow
	PriorityMedium
	PriorityHigh
	PriorityUrgent
)

var priorityNames = [...]string{"NONE", "LOW", "MEDIUM", "HIGH", "URGENT"}

// ParsePriority reads a priority's name in either case.
func ParsePriority(name string) (Priority, error) {
	for i, n := range priorityNames {
		if strings.EqualFold(n, name) {
			return Priority(i), nil
		}
	}
	return 0, fmt.Errorf("%q is not a priority", name)
}

// String is the name, upper-case, as GraphQL shows it.
func (p Priority) String() string {
	if p < 0 || int(p) >= len(priorityNames) {
		return priorityNames[0]
	}
	return priorityNames[p]
}

// MarshalGQL writes the name.
func (p Priority) MarshalGQL(w io.Writer) { marshal(w, p.String()) }

// UnmarshalGQL reads a name and refuses unknown ones.
func (p *Priority) UnmarshalGQL(in any) error {
	s, ok := in.(string)
	if !ok {
		return fmt.Errorf("a priority must be a name")
	}
	v, err := ParsePriority(s)
	*p = v
	return err
}
