package eval_test

import (
	"fmt"

	"errand/internal/eval"
)

func ExampleLoad() {
	cases, err := eval.Load([]byte(`[
		{"kind": "adding", "name": "one task", "say": ["Add milk"], "want": [{"title": "Milk"}]}
	]`))
	fmt.Println(len(cases), cases[0].Kind, err)
	_, err = eval.Load([]byte(`[{"kind": "adding"}]`))
	fmt.Println(err != nil)
	// Output:
	// 1 adding <nil>
	// true
}
