package enum

import "io"

// Direction is which way a list runs.
type Direction string

// The values of Direction.
const (
	// Ascending means: smallest first.
	Ascending Direction = "ASC"
	// Descending means: largest first.
	Descending Direction = "DESC"
)

// Values lists the names, for GraphQL.
func (Direction) Values() []string {
	return names(Ascending, Descending)
}

// MarshalGQL writes the name.
func (v Direction) MarshalGQL(w io.Writer) { marshal(w, v) }

// UnmarshalGQL reads a name and refuses unknown ones.
func (v *Direction) UnmarshalGQL(in any) error { return unmarshal(in, v) }
