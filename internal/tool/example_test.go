package tool_test

import (
	"context"
	"fmt"
	"time"

	"errand/ent"
	"errand/internal/task"
	"errand/internal/tool"
	"errand/internal/viewer"
)

// The registry describes each tool to a model.
func ExampleRegistry_Tools() {
	for _, t := range tool.NewRegistry().Tools() {
		fmt.Printf("%s: %s (read-only: %t)\n", t.Name, t.Title, t.ReadOnly)
	}
	// Output:
	// add_task: Add tasks (read-only: false)
	// list_tasks: List tasks (read-only: true)
	// get_task: Show a task (read-only: true)
	// complete_task: Complete tasks (read-only: false)
	// reopen_task: Reopen tasks (read-only: false)
	// update_task: Change tasks (read-only: false)
	// delete_task: Delete tasks (read-only: false)
	// restore_task: Restore tasks (read-only: false)
	// recent_changes: Show recent changes (read-only: true)
	// undo: Undo changes (read-only: false)
	// set_time_zone: Set the time zone (read-only: false)
}

// Call validates the arguments, and returns faults of the model as a failed result.
func ExampleRegistry_Call() {
	registry := tool.NewRegistry()
	ctx := viewer.NewContext(context.Background(), viewer.Viewer{UserID: "user_1", Scopes: "tasks:write"})
	for _, arguments := range []string{`{"title":"Buy milk"}`, `{"title":{}}`} {
		result, err := registry.Call(ctx, emptyList{}, "add_task", arguments)
		if err != nil {
			panic(err)
		}
		if result.Failed {
			fmt.Println("failed:", result.Code)
			continue
		}
		fmt.Println(result.JSON)
		fmt.Println(result.Text)
	}
	// Output:
	// {"task":{"number":1,"title":"Buy milk","completed":false,"priority":"none"}}
	// Added task 1: "Buy milk".
	// failed: BAD_USER_INPUT
}

// emptyList is a list of tasks in which each created task is the first. A server passes *task.Service.
type emptyList struct{ tool.Tasks }

func (emptyList) TimeZone(context.Context) (*time.Location, error) { return time.UTC, nil }

func (emptyList) CreateTask(_ context.Context, in task.CreateTaskInput) (*ent.Task, error) {
	return &ent.Task{Number: 1, Title: in.Title, Version: 1}, nil
}
