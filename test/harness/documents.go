package harness

import (
	"testing"

	"errand/internal/testclient"

	"github.com/stretchr/testify/require"
)

const (
	CreateTaskDoc = `mutation ($in: CreateTaskInput!) { r: createTask(input: $in) { task { ` + testclient.TaskFields + ` } } }`
	UpdateTaskDoc = `mutation ($in: UpdateTaskInput!) { r: updateTask(input: $in) { task { ` + testclient.TaskFields + ` } } }`
	TasksDoc      = `query ($first: Int, $after: Cursor, $last: Int, $before: Cursor, $by: TaskOrder, $filter: TaskFilter) {
		tasks(first: $first, after: $after, last: $last, before: $before, orderBy: $by, filter: $filter) {
			edges { cursor node { ` + testclient.TaskFields + ` } } nodes { id } totalCount
			pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`
	SendDoc = `mutation ($in: SendMessageInput!) { sendMessage(input: $in) { conversation { id title }
		userMessage { ` + testclient.MessageFields + ` } assistantMessage { ` + testclient.MessageFields + ` } } }`
	CancelDoc  = `mutation ($id: ID!) { cancelReply(messageId: $id) { message { ` + testclient.MessageFields + ` } } }`
	messageDoc = `query ($id: ID!) { node(id: $id) { ... on Message { ` + testclient.MessageFields + ` } } }`
	historyDoc = `query ($number: Int!) { task(number: $number) { id version changes(first: 100) {
		totalCount nodes { id kind actor taskVersion toolCall { id name } fields { name from to } } } } }`
)

// TaskPayload is the answer of a mutation of a task, under the alias r.
type TaskPayload struct {
	R struct{ Task testclient.Task }
}

func CreateTask(t testing.TB, c *testclient.Client, in testclient.Vars) testclient.Task {
	t.Helper()
	return testclient.Run[TaskPayload](t, c, CreateTaskDoc, testclient.Vars{"in": in}).R.Task
}

func UpdateTask(t testing.TB, c *testclient.Client, in testclient.Vars) testclient.Task {
	t.Helper()
	return testclient.Run[TaskPayload](t, c, UpdateTaskDoc, testclient.Vars{"in": in}).R.Task
}

// ChangeTask runs completeTask, reopenTask, deleteTask or restoreTask.
func ChangeTask(t testing.TB, c *testclient.Client, mutation, id string) testclient.Task {
	t.Helper()
	document := `mutation ($id: ID!) { r: ` + mutation + `(id: $id) { task { ` + testclient.TaskFields + ` } } }`
	return testclient.Run[TaskPayload](t, c, document, testclient.Vars{"id": id}).R.Task
}

// TaskPage is a page of tasks.
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

func (p TaskPage) Tasks() []testclient.Task {
	var out []testclient.Task
	for _, e := range p.Edges {
		out = append(out, e.Node)
	}
	return out
}

func ListTasks(t testing.TB, c *testclient.Client, args testclient.Vars) TaskPage {
	t.Helper()
	return testclient.Run[struct{ Tasks TaskPage }](t, c, TasksDoc, args).Tasks
}

// AllTasks are the person's first hundred tasks outside the trash, in the order of their numbers.
func AllTasks(t testing.TB, c *testclient.Client) []testclient.Task {
	t.Helper()
	return ListTasks(t, c, testclient.Vars{"first": 100, "by": testclient.Vars{"field": "NUMBER", "direction": "ASC"}}).Tasks()
}

func Titles(tasks []testclient.Task) []string {
	out := []string{}
	for _, one := range tasks {
		out = append(out, one.Title)
	}
	return out
}

// Send says something, in a new conversation when none is named.
func Send(t testing.TB, c *testclient.Client, conversationID, content string) testclient.Turn {
	t.Helper()
	in := testclient.Vars{"content": content}
	if conversationID != "" {
		in["conversationId"] = conversationID
	}
	return testclient.Run[struct{ SendMessage testclient.Turn }](t, c, SendDoc, testclient.Vars{"in": in}).SendMessage
}

func CancelReply(t testing.TB, c *testclient.Client, messageID string) testclient.Message {
	t.Helper()
	type payload struct {
		CancelReply struct{ Message testclient.Message }
	}
	return testclient.Run[payload](t, c, CancelDoc, testclient.Vars{"id": messageID}).CancelReply.Message
}

// StoredMessage is a message as the database has it.
func StoredMessage(t testing.TB, c *testclient.Client, messageID string) testclient.Message {
	t.Helper()
	return testclient.Run[struct{ Node testclient.Message }](t, c, messageDoc, testclient.Vars{"id": messageID}).Node
}

// ChangeHistory is a task's changes.
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

func ListChanges(t testing.TB, c *testclient.Client, number int) ChangeHistory {
	t.Helper()
	return testclient.Run[struct{ Task ChangeHistory }](t, c, historyDoc, testclient.Vars{"number": number}).Task
}

// Conversation is one conversation of one person, followed on a socket.
type Conversation struct {
	C      *testclient.Client
	Id     string
	Stream *testclient.Stream
}

// SendAndWait sends a message, waits for the end of its reply and checks that the client's text is the stored one.
func (k *Conversation) SendAndWait(t testing.TB, content string) testclient.Message {
	t.Helper()
	turn := Send(t, k.C, k.Id, content)
	if k.Id == "" {
		k.Id = turn.Conversation.ID
		k.Stream = k.C.Dial(t).Follow(t, k.Id, "")
	}
	reply := k.Stream.AwaitFinished(t, turn.AssistantMessage.ID)
	require.Equal(t, StoredMessage(t, k.C, reply.ID), reply)
	return reply
}

// RequireErrorCode checks an answer's only error: its code, and its field if it names one.
func RequireErrorCode(t testing.TB, want string, a testclient.Response) {
	t.Helper()
	require.Equal(t, want, a.ErrorCode(), "%s", a.Raw)
	require.NotEmpty(t, a.Errors[0].Message)
}
