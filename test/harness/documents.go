package harness

import (
	"testing"
	"time"

	"errand/internal/testclient"

	"github.com/stretchr/testify/require"
)

// GraphQL documents for tasks and chat. The task mutations return their payload under the alias r.
const (
	// CreateTaskDoc creates a task; its variable is $in.
	CreateTaskDoc = `mutation ($in: CreateTaskInput!) {
		r: createTask(input: $in) { task { ` + testclient.TaskFields + ` } } }`
	// UpdateTaskDoc updates a task; its variable is $in.
	UpdateTaskDoc = `mutation ($in: UpdateTaskInput!) {
		r: updateTask(input: $in) { task { ` + testclient.TaskFields + ` } } }`
	// TasksDoc lists tasks with every paging, order and filter argument.
	TasksDoc = `query ($first: Int, $after: Cursor, $last: Int, $before: Cursor, $by: TaskOrder, $filter: TaskFilter) {
		tasks(first: $first, after: $after, last: $last, before: $before, orderBy: $by, filter: $filter) {
			edges { cursor node { ` + testclient.TaskFields + ` } } nodes { id } totalCount
			pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`
	// SendDoc sends a message; its variable is $in.
	SendDoc = `mutation ($in: SendMessageInput!) { sendMessage(input: $in) { conversation { id title }
		userMessage { ` + testclient.MessageFields + ` } assistantMessage { ` + testclient.MessageFields + ` } } }`
	// CancelDoc cancels the reply with the message ID $id.
	CancelDoc  = `mutation ($id: ID!) { cancelReply(messageId: $id) { message { ` + testclient.MessageFields + ` } } }`
	messageDoc = `query ($id: ID!) { node(id: $id) { ... on Message { ` + testclient.MessageFields + ` } } }`
	historyDoc = `query ($number: Int!) { task(number: $number) { id version changes(first: 100) {
		totalCount nodes { id kind actor taskVersion toolCall { id name } fields { name from to } } } } }`
)

// TaskPayload is the data of a task mutation whose payload has the alias r.
type TaskPayload struct {
	R struct{ Task testclient.Task }
}

// CreateTask creates a task from a CreateTaskInput and returns it. It fails the test on any error.
func CreateTask(t testing.TB, c *testclient.Client, in testclient.Vars) testclient.Task {
	t.Helper()
	return testclient.Run[TaskPayload](t, c, CreateTaskDoc, testclient.Vars{"in": in}).R.Task
}

// UpdateTask applies an UpdateTaskInput and returns the updated task. It fails the test on any error.
func UpdateTask(t testing.TB, c *testclient.Client, in testclient.Vars) testclient.Task {
	t.Helper()
	return testclient.Run[TaskPayload](t, c, UpdateTaskDoc, testclient.Vars{"in": in}).R.Task
}

// ChangeTask runs the mutation completeTask, reopenTask, deleteTask or restoreTask and returns the changed task.
func ChangeTask(t testing.TB, c *testclient.Client, mutation, id string) testclient.Task {
	t.Helper()
	document := `mutation ($id: ID!) { r: ` + mutation + `(id: $id) { task { ` + testclient.TaskFields + ` } } }`
	return testclient.Run[TaskPayload](t, c, document, testclient.Vars{"id": id}).R.Task
}

// TaskPage is a page of the tasks connection as [TasksDoc] selects it.
type TaskPage struct {
	Edges []struct {
		Cursor string
		Node   testclient.Task
	}
	Nodes      []struct{ ID string }
	TotalCount int
	PageInfo   struct {
		HasNextPage, HasPreviousPage bool
		StartCursor, EndCursor       *string
	}
}

// Tasks returns the nodes of the page's edges.
func (p TaskPage) Tasks() []testclient.Task {
	var out []testclient.Task
	for _, e := range p.Edges {
		out = append(out, e.Node)
	}
	return out
}

// ListTasks returns one page of tasks for the variables of [TasksDoc].
func ListTasks(t testing.TB, c *testclient.Client, args testclient.Vars) TaskPage {
	t.Helper()
	return testclient.Run[struct{ Tasks TaskPage }](t, c, TasksDoc, args).Tasks
}

// AllTasks returns the user's first 100 tasks that are not deleted, ordered by number.
func AllTasks(t testing.TB, c *testclient.Client) []testclient.Task {
	t.Helper()
	return ListTasks(t, c, testclient.Vars{"first": 100, "by": testclient.Vars{
		"field":     "NUMBER",
		"direction": "ASC",
	}}).Tasks()
}

// Titles returns the titles of tasks in the same order; it is empty, not nil, for no tasks.
func Titles(tasks []testclient.Task) []string {
	out := []string{}
	for _, task := range tasks {
		out = append(out, task.Title)
	}
	return out
}

// Send sends a message and returns the turn without waiting for the reply. An empty conversationID starts a new
// conversation.
func Send(t testing.TB, c *testclient.Client, conversationID, content string) testclient.Turn {
	t.Helper()
	in := testclient.Vars{"content": content}
	if conversationID != "" {
		in["conversationId"] = conversationID
	}
	return testclient.Run[struct{ SendMessage testclient.Turn }](t, c, SendDoc, testclient.Vars{"in": in}).SendMessage
}

// CancelReply cancels a reply that is in progress and returns its finished message. It repeats the mutation, which
// waits only for two seconds, until the reply has finished.
func CancelReply(t testing.TB, c *testclient.Client, messageID string) testclient.Message {
	t.Helper()
	type payload struct {
		CancelReply struct{ Message testclient.Message }
	}
	for deadline := time.Now().Add(testclient.Timeout); ; {
		message := testclient.Run[payload](t, c, CancelDoc, testclient.Vars{"id": messageID}).CancelReply.Message
		if message.Terminal() {
			return message
		}
		require.True(t, time.Now().Before(deadline), "the reply was not cancelled")
	}
}

// StoredMessage returns a message as the API reads it from the database.
func StoredMessage(t testing.TB, c *testclient.Client, messageID string) testclient.Message {
	t.Helper()
	return testclient.Run[struct{ Node testclient.Message }](t, c, messageDoc, testclient.Vars{"id": messageID}).Node
}

// ChangeHistory is a task with its recorded changes.
type ChangeHistory struct {
	ID      string
	Version int
	Changes struct {
		TotalCount int
		Nodes      []struct {
			ID, Kind, Actor string
			TaskVersion     int
			ToolCall        *struct{ ID, Name string }
			Fields          []struct {
				Name     string
				From, To *string
			}
		}
	}
}

// ListChanges returns the first 100 changes of the task with the given number.
func ListChanges(t testing.TB, c *testclient.Client, number int) ChangeHistory {
	t.Helper()
	return testclient.Run[struct{ Task ChangeHistory }](t, c, historyDoc, testclient.Vars{"number": number}).Task
}

// Conversation is a user's conversation that a subscription on a socket follows. Set Client; the first
// [Conversation.SendAndWait] sets ID and Stream.
type Conversation struct {
	Client *testclient.Client
	ID     string
	Stream *testclient.Stream
}

// SendAndWait sends a message, waits until its reply has finished and returns the reply. It fails the test when the
// streamed message differs from the stored one.
func (c *Conversation) SendAndWait(t testing.TB, content string) testclient.Message {
	t.Helper()
	turn := Send(t, c.Client, c.ID, content)
	if c.ID == "" {
		c.ID = turn.Conversation.ID
		c.Stream = c.Client.Dial(t).Follow(t, c.ID, "")
	}
	reply := c.Stream.AwaitFinished(t, turn.AssistantMessage.ID)
	require.Equal(t, StoredMessage(t, c.Client, reply.ID), reply)
	return reply
}

// RequireErrorCode requires that a response has the error code want and that its first error has a message.
func RequireErrorCode(t testing.TB, want string, response testclient.Response) {
	t.Helper()
	require.Equal(t, want, response.ErrorCode(), "%s", response.Raw)
	require.NotEmpty(t, response.Errors[0].Message)
}
