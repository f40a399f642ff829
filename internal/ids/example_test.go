package ids_test

import (
	"fmt"

	"errand/internal/ids"
)

func ExampleNew() {
	newTaskID := ids.New(ids.Task)
	id := newTaskID()
	fmt.Println(ids.Prefix(id), len(id))
	// Output: task 31
}

func ExamplePrefix() {
	fmt.Printf("%q\n", ids.Prefix("task_01m81g5w7wegh82z02z1ydv7bj"))
	fmt.Printf("%q\n", ids.Prefix("not an id"))
	// Output:
	// "task"
	// ""
}

func ExampleIs() {
	const id = "conv_01m81g5w7wegh82z02z1ydv7bj"
	fmt.Println(ids.Is(id, ids.Conversation), ids.Is(id, ids.Task))
	// Output: true false
}
