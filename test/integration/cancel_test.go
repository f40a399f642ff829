package integration

import (
	"testing"
	"time"

	"errand/internal/llm/providertest"
	"errand/internal/testclient"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// cancelDeadline is the maximum duration of a cancellation.
const cancelDeadline = 200 * time.Millisecond

// startStalledModel starts a model that stalls when the message requests a story, and completes all other
// replies.
func startStalledModel(t *testing.T) *harness.Model {
	return harness.StartModel(t, func(a harness.ModelRequest) providertest.Step {
		if a.UserMessage == "Tell me a story" {
			return providertest.StreamThenHang(harness.TextFrames("Once ", "upon 🦊")...)
		}
		return harness.TextResponse("You said: ", a.UserMessage)
	})
}

// eachScriptedModel runs test for each provider with a server that uses its own scripted model.
func eachScriptedModel(
	t *testing.T,
	model func(t *testing.T) *harness.Model,
	test func(t *testing.T, b *harness.Env, m *harness.Model),
	more ...harness.Settings,
) {
	t.Helper()
	t.Parallel()
	eachProvider(t, func(t *testing.T, url, provider string) {
		m := model(t)
		m.Provider = provider
		test(t, harness.Start(t, url, append([]harness.Settings{m.Settings()}, more...)...), m)
	})
}

func TestCancelReply_Streaming_StopsAndKeepsText(t *testing.T) {
	eachScriptedModel(t, startStalledModel, func(t *testing.T, b *harness.Env, m *harness.Model) {
		k := &harness.Conversation{Client: b.Client(t, "alice")}
		k.SendAndWait(t, "Hello")
		turn := harness.Send(t, k.Client, k.ID, "Tell me a story")
		k.Stream.UntilText(t, turn.AssistantMessage.ID, func(text string) bool { return text == "Once upon 🦊" })

		asked := time.Now()
		cancelled := harness.CancelReply(t, k.Client, turn.AssistantMessage.ID)
		if took := time.Since(asked); !harness.RaceEnabled {
			require.Less(t, took, cancelDeadline)
		}
		require.Equal(t, "CANCELLED", cancelled.Status)
		require.Equal(t, "Once upon 🦊", cancelled.Content)
		require.Equal(t, cancelled, k.Stream.AwaitFinished(t, cancelled.ID))

		require.Equal(t, "You said: And now?", k.SendAndWait(t, "And now?").Content)
		last := m.Requests()[len(m.Requests())-1].Body
		require.Contains(t, last, "Once upon 🦊")
		require.Contains(t, last, "stopped", "the history must mark the stopped reply")
		require.Equal(
			t,
			cancelled,
			harness.CancelReply(t, k.Client, cancelled.ID),
			"a second cancellation must change nothing",
		)
	})
}

func TestCancelReply_Queued_LeavesOtherReplies(t *testing.T) {
	eachScriptedModel(t, startStalledModel, func(t *testing.T, b *harness.Env, m *harness.Model) {
		k := &harness.Conversation{Client: b.Client(t, "alice")}
		k.SendAndWait(t, "Hello")
		story := harness.Send(t, k.Client, k.ID, "Tell me a story")
		second := harness.Send(t, k.Client, k.ID, "second")
		third := harness.Send(t, k.Client, k.ID, "third")
		k.Stream.UntilText(t, story.AssistantMessage.ID, func(text string) bool { return text != "" })

		cancelled := harness.CancelReply(t, k.Client, second.AssistantMessage.ID)
		require.Equal(t, "CANCELLED", cancelled.Status)
		require.Empty(t, cancelled.Content)
		require.Equal(t, "STREAMING", harness.StoredMessage(t, k.Client, story.AssistantMessage.ID).Status)
		harness.CancelReply(t, k.Client, story.AssistantMessage.ID)
		require.Equal(t, "You said: third", k.Stream.AwaitFinished(t, third.AssistantMessage.ID).Content)
		for _, a := range m.Requests() {
			require.NotEqual(t, "second", a.UserMessage, "a cancelled reply must not reach the model")
		}
	})
}

func TestCancelReply_Finished_ChangesNothing(t *testing.T) {
	eachScriptedModel(t, startStalledModel, func(t *testing.T, b *harness.Env, _ *harness.Model) {
		k := &harness.Conversation{Client: b.Client(t, "alice")}
		reply := k.SendAndWait(t, "Hello")
		require.Equal(t, "COMPLETED", reply.Status)
		require.Equal(t, reply, harness.CancelReply(t, k.Client, reply.ID))
		require.Equal(t, "You said: Still there?", k.SendAndWait(t, "Still there?").Content)
	})
}

// TestCancellingBetweenToolsKeepsWhatWasDone: what was done stays done, and the reply's
// calls are all closed, so that the next turn can replay them.
func TestCancelReply_BetweenToolCalls_KeepsCompletedCalls(t *testing.T) {
	planner := func(t *testing.T) *harness.Model {
		return harness.StartModel(t, func(a harness.ModelRequest) providertest.Step {
			switch {
			case a.UserMessage != "Plan":
				return harness.TextResponse("Yes.")
			case len(a.ToolResults) == 0:
				return harness.ToolCallResponse("First. ", harness.AddTaskCall("Kept"))
			default:
				return providertest.Hang()
			}
		})
	}
	eachScriptedModel(t, planner, func(t *testing.T, b *harness.Env, m *harness.Model) {
		k := &harness.Conversation{Client: b.Client(t, "alice")}
		k.SendAndWait(t, "Hello")
		turn := harness.Send(t, k.Client, k.ID, "Plan")
		m.WaitForRequest(t, func(a harness.ModelRequest) bool { return len(a.ToolResults) == 1 })
		cancelled := harness.CancelReply(t, k.Client, turn.AssistantMessage.ID)
		require.Equal(t, "CANCELLED", cancelled.Status)
		require.Equal(t, "SUCCEEDED", cancelled.ToolCalls[0].Status)
		require.Equal(t, cancelled, k.Stream.AwaitFinished(t, cancelled.ID))
		require.Equal(t, []string{"Kept"}, harness.Titles(harness.AllTasks(t, k.Client)))
		require.Equal(t, "COMPLETED", k.SendAndWait(t, "Well?").Status)
	})
}

func TestDeleteConversation_ReplyStreaming_EndsReplyAndStream(t *testing.T) {
	eachScriptedModel(t, startStalledModel, func(t *testing.T, b *harness.Env, _ *harness.Model) {
		k := &harness.Conversation{Client: b.Client(t, "alice")}
		k.SendAndWait(t, "Hello")
		turn := harness.Send(t, k.Client, k.ID, "Tell me a story")
		k.Stream.UntilText(t, turn.AssistantMessage.ID, func(text string) bool { return text != "" })
		testclient.Run[any](t, k.Client, `mutation ($id: ID!) { deleteConversation(id: $id) { deletedId } }`,
			testclient.Vars{"id": k.ID})
		for {
			if _, err := k.Stream.TryNextEvent(t.Context()); err != nil {
				require.EqualError(t, err, "EOF", "the stream is complete")
				break
			}
		}
		harness.RequireErrorCode(t, "NOT_FOUND", k.Client.Try(t, harness.SendDoc,
			testclient.Vars{"in": testclient.Vars{"conversationId": k.ID, "content": "Hello?"}}))
		require.Equal(t, "You said: Elsewhere", (&harness.Conversation{Client: k.Client}).SendAndWait(t, "Elsewhere").Content)
	})
}
