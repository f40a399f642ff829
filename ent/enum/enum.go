// Package enum holds the value types that the entities, the domain and the
// GraphQL schema share, so that one list of values serves all three.
package enum

import (
	"fmt"
	"io"
)

// text is any enum kept as its own name.
type text interface{ ~string }

func names[T text](vs ...T) []string {
	out := make([]string, len(vs))
	for i, v := range vs {
		out[i] = string(v)
	}
	return out
}

// marshal writes a name, in which nothing needs an escape (specification, section 2.9.6), without a copy.
func marshal[T text](w io.Writer, name T) {
	for _, part := range [...]string{`"`, string(name), `"`} {
		_, _ = io.WriteString(w, part)
	}
}

// unmarshal trusts GraphQL validation for membership only as far as Values says so.
func unmarshal[T interface {
	text
	Values() []string
}](v any, into *T) error {
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("an enum value must be a name")
	}
	for _, name := range T(s).Values() {
		if name == s {
			*into = T(s)
			return nil
		}
	}
	return fmt.Errorf("%q is not one of the allowed values", s)
}
