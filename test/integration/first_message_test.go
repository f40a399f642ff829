package integration

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// TestFirstMessage_NewUser_StreamsReplyAndTask sends a new user's first message to a server process.
func TestFirstMessage_NewUser_StreamsReplyAndTask(t *testing.T) {
	t.Parallel()
	testdb.EachURL(t, func(t *testing.T, url string) {
		t.Parallel()
		server := harness.StartProcess(t, url, harness.Settings{"BETTER_AUTH_SECRET": ""})
		c := testclient.New(t, server.URL, signInWithCommand(t, server.URL, "alice"))

		turn := harness.Send(t, c, "", "Add a task to buy groceries")
		require.Equal(t, "Add a task to buy groceries", turn.Conversation.Title)
		require.Equal(t, "PENDING", turn.AssistantMessage.Status)
		stream := c.Dial(t).Follow(t, turn.Conversation.ID, "")
		reply := stream.AwaitFinished(t, turn.AssistantMessage.ID)
		require.Equal(t, "COMPLETED", reply.Status)
		require.Contains(t, reply.Content, "Buy groceries")
		states := toolCallStates(stream, "add_task")
		require.Equal(t, "SUCCEEDED", states[len(states)-1])
		require.LessOrEqual(t, len(states), 2, "STARTED, if the subscription was early enough, and SUCCEEDED")

		task := harness.AllTasks(t, c)[0]
		require.Equal(t, "Buy groceries", task.Title)
		require.Equal(t, 1, task.Number)
		changes := harness.ListChanges(t, c, 1).Changes
		require.Equal(t, 1, changes.TotalCount)
		require.Equal(t, "AGENT", changes.Nodes[0].Actor)
		require.Equal(t, reply.ToolCalls[0].ID, changes.Nodes[0].ToolCall.ID)
	})
}

// toolCallStates returns the consecutive states of a tool's calls in a stream.
func toolCallStates(s *testclient.Stream, tool string) []string {
	var states []string
	for _, e := range s.Events {
		for _, call := range append(e.Message.ToolCalls, e.ToolCall) {
			if call.Name == tool {
				states = append(states, call.Status)
			}
		}
	}
	return slices.Compact(states)
}

// signInWithCommand returns a token of the development sign-in endpoint.
func signInWithCommand(t *testing.T, url, user string) string {
	t.Helper()
	body, err := json.Marshal(map[string]string{"user": user})
	require.NoError(t, err)
	response, err := http.Post(url+"/dev/sign-in", "application/json", bytes.NewReader(body))
	require.NoError(t, err)
	defer http.DefaultClient.CloseIdleConnections()
	defer response.Body.Close()
	require.Equal(t, http.StatusOK, response.StatusCode)
	var answer struct{ Token, User, ExpiresAt string }
	require.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
	require.Equal(t, user, answer.User)
	return answer.Token
}

func TestTokenCommand_SameName_SignsInSameUser(t *testing.T) {
	t.Parallel()
	environ := harness.Settings{"DATABASE_URL": testdb.SQLiteURL(t)}
	printed := harness.RunCommand(t, environ, "token", "--user", "alice")
	require.Equal(t, 1, strings.Count(printed, "\n"), "the token alone: %q", printed)

	server := harness.StartProcess(t, environ["DATABASE_URL"], harness.Settings{"BETTER_AUTH_SECRET": ""})
	const doc = `{ viewer { id name } }`
	type viewerResponse struct{ Viewer struct{ ID, Name string } }
	first := testclient.Run[viewerResponse](t, testclient.New(t, server.URL, strings.TrimSpace(printed)), doc, nil)
	second := testclient.Run[viewerResponse](
		t,
		testclient.New(t, server.URL, signInWithCommand(t, server.URL, "alice")),
		doc,
		nil,
	)
	require.Equal(t, "alice", first.Viewer.Name)
	require.Equal(t, first, second)

	limited := harness.RunCommand(t, environ, "token", "--user", "alice", "--scopes", "chat tasks:read")
	c := testclient.New(t, server.URL, strings.TrimSpace(limited))
	require.Empty(t, harness.AllTasks(t, c))
	a := c.Try(t, doc, nil)
	require.Equal(t, "FORBIDDEN", a.ErrorCode(), a.Raw)
	require.Error(t, harness.Command(t, environ, "token", "--user", "alice", "--scopes", "tasks").Run())
}

func TestLogs_Conversation_ContainNoContentOrToken(t *testing.T) {
	eachModelProvider(t, func(t *testing.T, b *harness.Env) {
		conversation := &harness.Conversation{Client: b.Client(t, "alice")}
		conversation.SendAndWait(t, "Add a task to feed the platypus")
		harness.RequireErrorCode(t, "BAD_USER_INPUT title", conversation.Client.Try(t, harness.CreateTaskDoc,
			testclient.Vars{"in": testclient.Vars{"title": "platypus\nplatypus"}}))
		require.Contains(t, b.Logs.String(), "add_task")
		require.NotContains(t, strings.ToLower(b.Logs.String()), "platypus")
		require.NotContains(t, b.Logs.String(), conversation.Client.Token)
	})
}
