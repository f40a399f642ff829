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

	"github.com/stretchr/testify/require"
)

// TestTheStoryOfAFirstMessage is what a newcomer does, with the real program.
func TestTheStoryOfAFirstMessage(t *testing.T) {
	t.Parallel()
	testdb.EachURL(t, func(t *testing.T, url string) {
		t.Parallel()
		server := launch(t, url, settings{"BETTER_AUTH_SECRET": ""})
		c := testclient.New(t, server.url, signIn(t, server.url, "alice"))

		turn := send(t, c, "", "Add a task to buy groceries")
		require.Equal(t, "Add a task to buy groceries", turn.Conversation.Title)
		require.Equal(t, "PENDING", turn.AssistantMessage.Status)
		stream := c.Dial(t).Follow(t, turn.Conversation.ID, "")
		reply := stream.AwaitFinished(t, turn.AssistantMessage.ID)
		require.Equal(t, "COMPLETED", reply.Status)
		require.Contains(t, reply.Content, "Buy groceries")
		states := callStates(stream, "add_task")
		require.Equal(t, "SUCCEEDED", states[len(states)-1])
		require.LessOrEqual(t, len(states), 2, "started, if the stream was there in time, and succeeded")

		task := allTasks(t, c)[0]
		require.Equal(t, "Buy groceries", task.Title)
		require.Equal(t, 1, task.Number)
		changes := historyOf(t, c, 1).Changes
		require.Equal(t, 1, changes.TotalCount)
		require.Equal(t, "AGENT", changes.Nodes[0].Actor)
		require.Equal(t, reply.ToolCalls[0].ID, changes.Nodes[0].ToolCall.ID)
	})
}

// callStates are the states that a stream showed of a tool, in order.
func callStates(s *testclient.Stream, tool string) []string {
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

// signIn is the development sign-in.
func signIn(t *testing.T, url, user string) string {
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

func TestTheTokenCommandSignsInTheSamePerson(t *testing.T) {
	t.Parallel()
	environ := settings{"DATABASE_URL": testdb.SQLiteURL(t)}
	printed := output(t, environ, "token", "--user", "alice")
	require.Equal(t, 1, strings.Count(printed, "\n"), "the token alone: %q", printed)

	server := launch(t, environ["DATABASE_URL"], settings{"BETTER_AUTH_SECRET": ""})
	const doc = `{ viewer { id name } }`
	type person struct{ Viewer struct{ ID, Name string } }
	first := testclient.Run[person](t, testclient.New(t, server.url, strings.TrimSpace(printed)), doc, nil)
	second := testclient.Run[person](t, testclient.New(t, server.url, signIn(t, server.url, "alice")), doc, nil)
	require.Equal(t, "alice", first.Viewer.Name)
	require.Equal(t, first, second)
}

func TestLogsNeverHoldWordsOrTokens(t *testing.T) {
	eachModel(t, func(t *testing.T, b *bench) {
		k := &talk{c: b.user(t, "alice")}
		k.say(t, "Add a task to feed the platypus")
		requireFault(t, "BAD_USER_INPUT title", k.c.Try(t, createTaskDoc, vars{"in": vars{"title": "platypus\nplatypus"}}))
		require.Contains(t, b.logs.String(), "add_task")
		require.NotContains(t, strings.ToLower(b.logs.String()), "platypus")
		require.NotContains(t, b.logs.String(), k.c.Token)
	})
}
