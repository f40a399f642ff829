package integration

import (
	"testing"

	"errand/internal/llm/providertest"
	"errand/internal/testclient"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

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
		conversation := &harness.Conversation{Client: b.Client(t, "alice")}
		conversation.SendAndWait(t, "Hello")
		turn := harness.Send(t, conversation.Client, conversation.ID, "Tell me a story")
		conversation.Stream.UntilText(t, turn.AssistantMessage.ID, func(text string) bool { return text == "Once upon 🦊" })

		cancelled := harness.CancelReply(t, conversation.Client, turn.AssistantMessage.ID)
		require.Equal(t, "CANCELLED", cancelled.Status)
		require.Equal(t, "Once upon 🦊", cancelled.Content)
		require.Equal(t, cancelled, conversation.Stream.AwaitFinished(t, cancelled.ID))

		require.Equal(t, "You said: And now?", conversation.SendAndWait(t, "And now?").Content)
		last := m.Requests()[len(m.Requests())-1].Body
		require.Contains(t, last, "Once upon 🦊")
		require.Contains(t, last, "stopped", "the history must mark the stopped reply")
		require.Equal(
			t,
			cancelled,
			harness.CancelReply(t, conversation.Client, cancelled.ID),
			"a second cancellation must change nothing",
		)
	})
}

func TestCancelReply_Queued_LeavesOtherReplies(t *testing.T) {
	eachScriptedModel(t, startStalledModel, func(t *testing.T, b *harness.Env, m *harness.Model) {
		conversation := &harness.Conversation{Client: b.Client(t, "alice")}
		conversation.SendAndWait(t, "Hello")
		story := harness.Send(t, conversation.Client, conversation.ID, "Tell me a story")
		second := harness.Send(t, conversation.Client, conversation.ID, "second")
		third := harness.Send(t, conversation.Client, conversation.ID, "third")
		conversation.Stream.UntilText(t, story.AssistantMessage.ID, func(text string) bool { return text != "" })

		cancelled := harness.CancelReply(t, conversation.Client, second.AssistantMessage.ID)
		require.Equal(t, "CANCELLED", cancelled.Status)
		require.Empty(t, cancelled.Content)
		require.Equal(t, "STREAMING", harness.StoredMessage(t, conversation.Client, story.AssistantMessage.ID).Status)
		harness.CancelReply(t, conversation.Client, story.AssistantMessage.ID)
		require.Equal(t, "You said: third", conversation.Stream.AwaitFinished(t, third.AssistantMessage.ID).Content)
		for _, a := range m.Requests() {
			require.NotEqual(t, "second", a.UserMessage, "a cancelled reply must not reach the model")
		}
	})
}

func TestCancelReply_Finished_ChangesNothing(t *testing.T) {
	eachScriptedModel(t, startStalledModel, func(t *testing.T, b *harness.Env, _ *harness.Model) {
		conversation := &harness.Conversation{Client: b.Client(t, "alice")}
		reply := conversation.SendAndWait(t, "Hello")
		require.Equal(t, "COMPLETED", reply.Status)
		require.Equal(t, reply, harness.CancelReply(t, conversation.Client, reply.ID))
		require.Equal(t, "You said: Still there?", conversation.SendAndWait(t, "Still there?").Content)
	})
}

// TestCancelReply_BetweenToolCalls_KeepsCompletedCalls checks that completed calls keep their effects and that the
// others are closed, so that the next turn can replay the reply.
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
		conversation := &harness.Conversation{Client: b.Client(t, "alice")}
		conversation.SendAndWait(t, "Hello")
		turn := harness.Send(t, conversation.Client, conversation.ID, "Plan")
		m.WaitForRequest(t, func(a harness.ModelRequest) bool { return len(a.ToolResults) == 1 })
		cancelled := harness.CancelReply(t, conversation.Client, turn.AssistantMessage.ID)
		require.Equal(t, "CANCELLED", cancelled.Status)
		require.Equal(t, "SUCCEEDED", cancelled.ToolCalls[0].Status)
		require.Equal(t, cancelled, conversation.Stream.AwaitFinished(t, cancelled.ID))
		require.Equal(t, []string{"Kept"}, harness.Titles(harness.AllTasks(t, conversation.Client)))
		require.Equal(t, "COMPLETED", conversation.SendAndWait(t, "Well?").Status)
	})
}

func TestDeleteConversation_ReplyStreaming_EndsReplyAndStream(t *testing.T) {
	eachScriptedModel(t, startStalledModel, func(t *testing.T, b *harness.Env, _ *harness.Model) {
		conversation := &harness.Conversation{Client: b.Client(t, "alice")}
		conversation.SendAndWait(t, "Hello")
		turn := harness.Send(t, conversation.Client, conversation.ID, "Tell me a story")
		conversation.Stream.UntilText(t, turn.AssistantMessage.ID, func(text string) bool { return text != "" })
		testclient.Run[any](t, conversation.Client, `mutation ($id: ID!) { deleteConversation(id: $id) { deletedId } }`,
			testclient.Vars{"id": conversation.ID})
		for {
			if _, err := conversation.Stream.TryNextEvent(t.Context()); err != nil {
				require.EqualError(t, err, "EOF", "the stream is complete")
				break
			}
		}
		harness.RequireErrorCode(t, "NOT_FOUND", conversation.Client.Try(t, harness.SendDoc,
			testclient.Vars{"in": testclient.Vars{"conversationId": conversation.ID, "content": "Hello?"}}))
		other := &harness.Conversation{Client: conversation.Client}
		require.Equal(t, "You said: Elsewhere", other.SendAndWait(t, "Elsewhere").Content)
	})
}
