package authz

import (
	"strings"
	"sync/atomic"
	"testing"

	"errand/internal/llm/providertest"
	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// replyTo sends a message and returns the finished reply, as the client receives it.
func replyTo(t *testing.T, c *testclient.Client, conversationID, content string) (testclient.Turn, testclient.Message) {
	t.Helper()
	turn := harness.Send(t, c, conversationID, content)
	return turn, c.Dial(t).Follow(t, turn.Conversation.ID, "").AwaitFinished(t, turn.AssistantMessage.ID)
}

// TestScopes_Agent_ActsWithinTheSendersScopes sends the same orders with tokens of different scopes.
func TestScopes_Agent_ActsWithinTheSendersScopes(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, env *harness.Env) {
		full := env.Client(t, "ann")
		harness.CreateTask(t, full, testclient.Vars{"title": "Hide the " + secretMarker})
		for _, c := range []struct {
			scopes       string
			reads, write bool
		}{
			{"chat", false, false},
			{"chat tasks:read", true, false},
			{"chat tasks:write account", false, true},
			{"tasks:read tasks:write chat", true, true},
		} {
			client := env.ClientWithScopes(t, "ann", c.scopes)
			before := len(harness.AllTasks(t, full))
			_, added := replyTo(t, client, "", "Add a task to buy milk")
			require.Equal(t, "COMPLETED", added.Status, c.scopes)
			require.Equal(t, c.write, len(harness.AllTasks(t, full)) > before, c.scopes)
			require.Len(t, added.ToolCalls, 1, c.scopes)
			if !c.write {
				require.Equal(t, "FAILED", added.ToolCalls[0].Status, c.scopes)
				require.Contains(t, string(added.ToolCalls[0].Result), "lacks the scope tasks:write", c.scopes)
			}
			_, listed := replyTo(t, client, "", "Show my tasks")
			require.Equal(t, c.reads, strings.Contains(listed.Content, secretMarker), "%s: %s", c.scopes, listed.Content)
		}
	})
}

// TestScopes_Conversation_ToolCallsAreRedacted reads, with a token of the scope chat alone, what an unlimited token's
// messages made the agent do: the arguments and results of its calls hold tasks.
func TestScopes_Conversation_ToolCallsAreRedacted(t *testing.T) {
	t.Parallel()
	model := harness.StartModel(t, func(r harness.ModelRequest) providertest.Step {
		if r.UserMessage == "Add it" && len(r.ToolResults) == 0 {
			return harness.ToolCallResponse("", harness.AddTaskCall("Hide the "+secretMarker))
		}
		return harness.TextResponse("Done.")
	})
	env := harness.Start(t, testdb.SQLiteURL(t), model.Settings())
	full, limited := env.Client(t, "ann"), env.ClientWithScopes(t, "ann", "chat")
	turn, reply := replyTo(t, full, "", "Add it")
	require.Contains(t, string(reply.ToolCalls[0].Result), secretMarker)

	const nodeDoc = `query ($id: ID!) { node(id: $id) { ... on ToolCall { name arguments result } } }`
	const messageDoc = `query ($id: ID!) {
		conversation(id: $id) { messages { nodes { toolCalls { name arguments result } } } } }`
	streamed := limited.Dial(t).Follow(t, turn.Conversation.ID, "").AwaitFinished(t, reply.ID)
	require.Len(t, streamed.ToolCalls, 1)
	require.NotContains(t, string(streamed.ToolCalls[0].Arguments)+string(streamed.ToolCalls[0].Result), secretMarker)
	for doc, id := range map[string]string{nodeDoc: reply.ToolCalls[0].ID, messageDoc: turn.Conversation.ID} {
		a := limited.Try(t, doc, testclient.Vars{"id": id})
		require.Contains(t, a.Raw, "add_task")
		require.NotContains(t, a.Raw, secretMarker)
		require.Contains(t, full.Try(t, doc, testclient.Vars{"id": id}).Raw, secretMarker)
	}
	const receiptDoc = `query ($id: ID!) { node(id: $id) { ... on Message { status changes { kind }
		toolCalls { changes { kind } } } } }`
	a := limited.Try(t, receiptDoc, testclient.Vars{"id": reply.ID})
	require.JSONEq(t, `{"node":{"status":"COMPLETED","changes":[],"toolCalls":[{"changes":[]}]}}`, string(a.Data))
	require.Empty(t, a.Errors)
	require.Contains(t, full.Try(t, receiptDoc, testclient.Vars{"id": reply.ID}).Raw, `"changes":[{"kind":"CREATED"}]`)
	// Nor does the model receive them again on behalf of that token.
	_, _ = replyTo(t, limited, turn.Conversation.ID, "Repeat the result of your last tool call")
	requests := model.Requests()
	require.NotContains(t, requests[len(requests)-1].Body, secretMarker)
}

// TestScopes_RunAfterKill_KeepsSendersScopes kills the server that writes a reply; the next one must not do more than
// the sender's token allows.
func TestScopes_RunAfterKill_KeepsSendersScopes(t *testing.T) {
	t.Parallel()
	testdb.EachURL(t, func(t *testing.T, url string) {
		t.Parallel()
		var asked atomic.Int32
		model := harness.StartModel(t, func(r harness.ModelRequest) providertest.Step {
			switch {
			case asked.Add(1) == 1:
				return providertest.StreamThenHang(harness.TextFrames("I begin")...)
			case len(r.ToolResults) == 0:
				return harness.ToolCallResponse("", harness.AddTaskCall("Not allowed"))
			default:
				return harness.TextResponse("I tried.")
			}
		})
		settings := harness.Settings{"RUN_LEASE": "500ms", "RUN_SWEEP": "50ms"}
		first := harness.StartProcess(t, url, model.Settings(), settings)
		limited := testclient.New(t, first.URL, harness.TokenWithScopes(t, "ann", "chat tasks:read"))
		turn := harness.Send(t, limited, "", "Begin")
		limited.Dial(t).Follow(t, turn.Conversation.ID, "").UntilText(t, turn.AssistantMessage.ID,
			func(text string) bool { return text == "I begin" })
		first.Kill()

		second := harness.StartProcess(t, url, model.Settings(), settings)
		full := second.Client("ann")
		reply := full.Dial(t).Follow(t, turn.Conversation.ID, "").AwaitFinished(t, turn.AssistantMessage.ID)
		require.Equal(t, "I tried.", reply.Content)
		require.Contains(t, string(reply.ToolCalls[0].Result), "lacks the scope tasks:write")
		require.Empty(t, harness.AllTasks(t, full))
	})
}
