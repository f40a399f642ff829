package eval_test

import (
	"context"
	"fmt"

	"errand/internal/eval"
)

// echo is a target whose agent does nothing.
type echo struct{ tasks []eval.Task }

func (e *echo) CreateTask(_ context.Context, t eval.Task) error {
	e.tasks = append(e.tasks, t)
	return nil
}

func (e *echo) SendMessage(_ context.Context, message string) (eval.Reply, error) {
	return eval.Reply{Text: "You wrote: " + message, Steps: 1}, nil
}

func (e *echo) ListTasks(context.Context) ([]eval.Task, error) { return e.tasks, nil }

func ExampleRun() {
	cases, err := eval.Load([]byte(`[
		{"kind": "talk", "name": "greeting", "say": ["hello"], "reply": ["hello"]},
		{"kind": "add", "name": "one task", "say": ["add buy milk"], "want": [{"title": "buy milk"}]}
	]`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range cases {
		result, err := eval.Run(context.Background(), c, &echo{})
		fmt.Printf("%s: %q %v\n", c.Name, result.Failure, err)
	}
	// Output:
	// greeting: "" <nil>
	// one task: "0 tasks instead of 1" <nil>
}
