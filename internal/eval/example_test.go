package eval_test

import (
	"context"
	"fmt"

	"errand/internal/eval"
)

// echo is a target whose agent does nothing.
type echo struct{ tasks []eval.State }

func (e *echo) SetTimeZone(context.Context, string) error { return nil }

func (e *echo) CreateTask(_ context.Context, t eval.State) error {
	e.tasks = append(e.tasks, t)
	return nil
}

func (e *echo) SendMessage(_ context.Context, message string) (eval.Reply, error) {
	return eval.Reply{Text: "You wrote: " + message}, nil
}

func (e *echo) ListTasks(context.Context) ([]eval.State, error) { return e.tasks, nil }

func ExampleRun() {
	cases, err := eval.Parse([]byte(`[
		{"kind": "talk", "say": ["hello"], "want": {"same": true, "says": ["hello"]}},
		{"kind": "adding", "say": ["add buy milk"], "want": {"tasks": [{"title": "buy milk", "due": "none"}]}}
	]`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range cases {
		result, err := eval.Run(context.Background(), c, &echo{})
		fmt.Println(result.Outcome, result.Reason, err)
	}
	// Output:
	// right  <nil>
	// wrong 0 tasks instead of 1 <nil>
}
