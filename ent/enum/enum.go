// Package enum holds the enumerations and small value types that the database, the domain and the GraphQL API share.
//
// Every enumeration is stored and sent under the same name. Its type has the methods that Ent and gqlgen require:
// Values, MarshalGQL and UnmarshalGQL.
package enum

import (
	"fmt"
	"io"
	"slices"
)

// values converts enumeration values to their names.
func values[T ~string](vs ...T) []string {
	names := make([]string, len(vs))
	for i, v := range vs {
		names[i] = string(v)
	}
	return names
}

// marshal writes v as a JSON string. GraphQL names (specification, section "Names") need no escaping.
func marshal[T ~string](w io.Writer, v T) {
	for _, part := range [...]string{`"`, string(v), `"`} {
		_, _ = io.WriteString(w, part)
	}
}

// unmarshal sets *v to the value named by in. It returns an error when in is not a string or not one of T's values.
func unmarshal[T interface {
	~string
	Values() []string
}](in any, v *T) error {
	name, ok := in.(string)
	if !ok {
		return fmt.Errorf("enum value is %T, want a string", in)
	}
	if !slices.Contains(T(name).Values(), name) {
		return fmt.Errorf("%q is not one of the allowed values", name)
	}
	*v = T(name)
	return nil
}
