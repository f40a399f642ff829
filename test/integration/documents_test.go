package integration

import (
	"encoding/json"
	"testing"

	"errand/internal/testclient"

	"github.com/stretchr/testify/require"
)

// The shorter names of what every test uses.
type (
	client = testclient.Client
	vars   = testclient.Vars
)

const (
	createTaskDoc = `mutation ($in: CreateTaskInput!) { r: createTask(input: $in) { task { ` + testclient.TaskFields + ` } } }`
	updateTaskDoc = `mutation ($in: UpdateTaskInput!) { r: updateTask(input: $in) { task { ` + testclient.TaskFields + ` } } }`
	tasksDoc      = `query ($first: Int, $after: Cursor, $last: Int, $before: Cursor, $by: TaskOrder, $filter: TaskFilter) {
		tasks(first: $first, after: $after, last: $last, before: $before, orderBy: $by, filter: $filter) {
			edges { cursor node { ` + testclient.TaskFields + ` } } nodes { id } totalCount
			pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`
	sendDoc = `mutation ($in: SendMessageInput!) { sendMessage(input: $in) { conversation { id title }
		userMessage { ` + testclient.MessageFields + ` } assistantMessage { ` + testclient.MessageFields + ` } } }`
	cancelDoc  = `mutation ($id: ID!) { cancelReply(messageId: $id) { message { ` + testclient.MessageFields + ` } } }`
	messageDoc = `query ($id: ID!) { node(id: $id) { ... on Message { ` + testclient.MessageFields + ` } } }`
	historyDoc = `query ($number: Int!) { task(number: $number) { id version changes(first: 100) {
		totalCount nodes { id kind actor taskVersion toolCall { id name } fields { name from to } } } } }`
)

// taskPayload is the answer of a mutation of a task, under the alias r.
type taskPayload struct {
	R struct{ Task testclient.Task }
}

func createTask(t testing.TB, c *client, in vars) testclient.Task {
	t.Helper()
	return testclient.Run[taskPayload](t, c, createTaskDoc, vars{"in": in}).R.Task
}

func updateTask(t testing.TB, c *client, in vars) testclient.Task {
	t.Helper()
	return testclient.Run[taskPayload](t, c, updateTaskDoc, vars{"in": in}).R.Task
}

// changeTask runs completeTask, reopenTask, deleteTask or restoreTask.
func changeTask(t testing.TB, c *client, mutation, id string) testclient.Task {
	t.Helper()
	document := `mutation ($id: ID!) { r: ` + mutation + `(id: $id) { task { ` + testclient.TaskFields + ` } } }`
	return testclient.Run[taskPayload](t, c, document, vars{"id": id}).R.Task
}

// taskPage is a page of tasks.
type taskPage struct {
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

func (p taskPage) tasks() []testclient.Task {
	var out []testclient.Task
	for _, e := range p.Edges {
		out = append(out, e.Node)
	}
	return out
}

func listTasks(t testing.TB, c *client, args vars) taskPage {
	t.Helper()
	return testclient.Run[struct{ Tasks taskPage }](t, c, tasksDoc, args).Tasks
}

// allTasks are the person's first hundred tasks outside the trash, in the order of their numbers.
func allTasks(t testing.TB, c *client) []testclient.Task {
	t.Helper()
	return listTasks(t, c, vars{"first": 100, "by": vars{"field": "NUMBER", "direction": "ASC"}}).tasks()
}

func titles(tasks []testclient.Task) []string {
	out := []string{}
	for _, one := range tasks {
		out = append(out, one.Title)
	}
	return out
}

// send says something, in a new conversation when none is named.
func send(t testing.TB, c *client, conversationID, content string) testclient.Turn {
	t.Helper()
	in := vars{"content": content}
	if conversationID != "" {
		in["conversationId"] = conversationID
	}
	return testclient.Run[struct{ SendMessage testclient.Turn }](t, c, sendDoc, vars{"in": in}).SendMessage
}

func cancelReply(t testing.TB, c *client, messageID string) testclient.Message {
	t.Helper()
	type payload struct {
		CancelReply struct{ Message testclient.Message }
	}
	return testclient.Run[payload](t, c, cancelDoc, vars{"id": messageID}).CancelReply.Message
}

// stored is a message as the database has it.
func stored(t testing.TB, c *client, messageID string) testclient.Message {
	t.Helper()
	return testclient.Run[struct{ Node testclient.Message }](t, c, messageDoc, vars{"id": messageID}).Node
}

// history is a task's changes.
type history struct {
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

func historyOf(t testing.TB, c *client, number int) history {
	t.Helper()
	return testclient.Run[struct{ Task history }](t, c, historyDoc, vars{"number": number}).Task
}

// talk is one conversation of one person, followed on a socket.
type talk struct {
	c      *client
	id     string
	stream *testclient.Stream
}

// say sends a message, waits for the end of its reply and checks that the client's text is the stored one.
func (k *talk) say(t testing.TB, content string) testclient.Message {
	t.Helper()
	turn := send(t, k.c, k.id, content)
	if k.id == "" {
		k.id = turn.Conversation.ID
		k.stream = k.c.Dial(t).Follow(t, k.id, "")
	}
	reply := k.stream.AwaitFinished(t, turn.AssistantMessage.ID)
	require.Equal(t, stored(t, k.c, reply.ID), reply)
	return reply
}

// requireFault checks an answer's only error: its code, and its field if it names one.
func requireFault(t testing.TB, want string, a testclient.Response) {
	t.Helper()
	require.Equal(t, want, a.ErrorCode(), "%s", a.Raw)
	require.NotEmpty(t, a.Errors[0].Message)
}

func jsonInto(data []byte, into any) error { return json.Unmarshal(data, into) }
