package testclient

import "encoding/json"

// Task is a task as selected by TaskFields.
type Task struct {
	ID, Title, Description, Priority string
	Number, Version                  int
	Completed                        bool
	CompletedAt, DueOn, DueAt        *string
	CreatedAt, UpdatedAt             string
	DeletedAt                        *string
	Labels                           []string
}

// Message is a message as selected by MessageFields.
type Message struct {
	ID, Role, Content, Status string
	Position                  int
	Truncated                 bool
	Error                     *struct{ Code, Message string }
	ToolCalls                 []ToolCall
	Usage                     *struct {
		InputTokens, OutputTokens, CachedTokens int
		Model                                   string
	}
	FinishedAt *string
}

// Terminal reports whether the message can no longer change.
func (m Message) Terminal() bool {
	return m.Status == "COMPLETED" || m.Status == "FAILED" || m.Status == "CANCELLED"
}

// ToolCall is a tool call as selected by ToolCallFields.
type ToolCall struct {
	ID, Name, Status  string
	Arguments, Result json.RawMessage
	LatencyMs         *int
	Offset            int
}

// Turn is the payload of sendMessage.
type Turn struct {
	Conversation     struct{ ID, Title string }
	UserMessage      Message
	AssistantMessage Message
}

// The selections that the types decode.
const (
	TaskFields     = `id number title description completed completedAt priority dueOn dueAt labels createdAt updatedAt deletedAt version`
	ToolCallFields = `id name arguments result status latencyMs offset`
	// MessageFields selects every field but the edge to the conversation.
	MessageFields = `id position role content status truncated error { code message } toolCalls { ` + ToolCallFields + ` }
		usage { inputTokens outputTokens cachedTokens model } finishedAt`
)
