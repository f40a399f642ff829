package enum

import "io"

// TaskStatus selects tasks by whether they are done.
type TaskStatus string

// The values of TaskStatus.
const (
	// TaskAll means: both.
	TaskAll TaskStatus = "ALL"
	// TaskPending means: not done.
	TaskPending TaskStatus = "PENDING"
	// TaskCompleted means: done.
	TaskCompleted TaskStatus = "COMPLETED"
)

// Values lists the names, for GraphQL.
func (TaskStatus) Values() []string {
	return names(TaskAll, TaskPending, TaskCompleted)
}

// MarshalGQL writes the name.
func (v TaskStatus) MarshalGQL(w io.Writer) { marshal(w, v) }

// UnmarshalGQL reads a name and refuses unknown ones.
func (v *TaskStatus) UnmarshalGQL(in any) error { return unmarshal(in, v) }
