package limits_test

import (
	"fmt"

	"errand/internal/graphqlhttp/limits"
)

// Check counts a document before the more expensive validation.
func ExampleLimits_Check() {
	l := limits.Limits{Depth: 2}.Filled()
	doc, tokens, err := l.Parse(`{ tasks { nodes { id } } }`)
	fmt.Println(tokens, err)
	_, err = l.Check(doc)
	fmt.Println(err)
	// Output:
	// 9 <nil>
	// The document has 3 levels of fields; the limit "depth" is 2.
}
