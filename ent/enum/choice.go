package enum

// TaskChoice is a reference that did not name a task with certainty, with the tasks that it may name.
type TaskChoice struct {
	Reference  string                `json:"reference"`
	Candidates []TaskChoiceCandidate `json:"candidates"`
}

// TaskChoiceCandidate is a task that a reference may name, as it was when the choice was stored.
type TaskChoiceCandidate struct {
	TaskID string      `json:"taskId"`
	Number int         `json:"number"`
	Title  string      `json:"title"`
	Reason MatchReason `json:"reason"`
}
