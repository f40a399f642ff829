package integration

import (
	"testing"
	"time"

	"errand/internal/llm/providertest"
	"errand/internal/testclient"

	"github.com/stretchr/testify/require"
)

// promptly is how soon a cancelled reply must have stopped.
const promptly = 200 * time.Millisecond

// storyteller stalls when it is asked for a story, and answers everything else.
func storyteller(t *testing.T) *model {
	return scripted(t, func(a asked) providertest.Step {
		if a.said == "Tell me a story" {
			return providertest.StreamThenHang(textFrames("Once ", "upon 🦊")...)
		}
		return sayText("You said: ", a.said)
	})
}

// eachScripted runs a test on each wire with a server that asks a model of its own.
func eachScripted(
	t *testing.T,
	model func(t *testing.T) *model,
	test func(t *testing.T, b *bench, m *model),
	more ...settings,
) {
	t.Helper()
	t.Parallel()
	eachWire(t, func(t *testing.T, url, provider string) {
		m := model(t)
		m.provider = provider
		test(t, boot(t, url, append([]settings{m.environ()}, more...)...), m)
	})
}

func TestCancellingStopsAReplyAndKeepsItsText(t *testing.T) {
	eachScripted(t, storyteller, func(t *testing.T, b *bench, m *model) {
		k := &talk{c: b.user(t, "alice")}
		k.say(t, "Hello")
		turn := send(t, k.c, k.id, "Tell me a story")
		k.stream.UntilText(t, turn.AssistantMessage.ID, func(text string) bool { return text == "Once upon 🦊" })

		asked := time.Now()
		cancelled := cancelReply(t, k.c, turn.AssistantMessage.ID)
		if took := time.Since(asked); !raceDetector {
			require.Less(t, took, promptly)
		}
		require.Equal(t, "CANCELLED", cancelled.Status)
		require.Equal(t, "Once upon 🦊", cancelled.Content)
		require.Equal(t, cancelled, k.stream.AwaitFinished(t, cancelled.ID))

		require.Equal(t, "You said: And now?", k.say(t, "And now?").Content)
		last := m.requests()[len(m.requests())-1].body
		require.Contains(t, last, "Once upon 🦊")
		require.Contains(t, last, "stopped", "the model is told that the reply was stopped")
		require.Equal(t, cancelled, cancelReply(t, k.c, cancelled.ID), "once more changes nothing")
	})
}

func TestCancellingAQueuedReplyLeavesTheOthers(t *testing.T) {
	eachScripted(t, storyteller, func(t *testing.T, b *bench, m *model) {
		k := &talk{c: b.user(t, "alice")}
		k.say(t, "Hello")
		story := send(t, k.c, k.id, "Tell me a story")
		second := send(t, k.c, k.id, "second")
		third := send(t, k.c, k.id, "third")
		k.stream.UntilText(t, story.AssistantMessage.ID, func(text string) bool { return text != "" })

		cancelled := cancelReply(t, k.c, second.AssistantMessage.ID)
		require.Equal(t, "CANCELLED", cancelled.Status)
		require.Empty(t, cancelled.Content)
		require.Equal(t, "STREAMING", stored(t, k.c, story.AssistantMessage.ID).Status)
		cancelReply(t, k.c, story.AssistantMessage.ID)
		require.Equal(t, "You said: third", k.stream.AwaitFinished(t, third.AssistantMessage.ID).Content)
		for _, a := range m.requests() {
			require.NotEqual(t, "second", a.said, "a cancelled reply is not asked for")
		}
	})
}

func TestCancellingAFinishedReplyChangesNothing(t *testing.T) {
	eachScripted(t, storyteller, func(t *testing.T, b *bench, _ *model) {
		k := &talk{c: b.user(t, "alice")}
		reply := k.say(t, "Hello")
		require.Equal(t, "COMPLETED", reply.Status)
		require.Equal(t, reply, cancelReply(t, k.c, reply.ID))
		require.Equal(t, "You said: Still there?", k.say(t, "Still there?").Content)
	})
}

// TestCancellingBetweenToolsKeepsWhatWasDone: what was done stays done, and the reply's
// calls are all closed, so that the next turn can replay them.
func TestCancellingBetweenToolsKeepsWhatWasDone(t *testing.T) {
	planner := func(t *testing.T) *model {
		return scripted(t, func(a asked) providertest.Step {
			switch {
			case a.said != "Plan":
				return sayText("Yes.")
			case len(a.results) == 0:
				return useTools("First. ", addTask("Kept"))
			default:
				return providertest.Hang()
			}
		})
	}
	eachScripted(t, planner, func(t *testing.T, b *bench, m *model) {
		k := &talk{c: b.user(t, "alice")}
		k.say(t, "Hello")
		turn := send(t, k.c, k.id, "Plan")
		m.await(t, func(a asked) bool { return len(a.results) == 1 })
		cancelled := cancelReply(t, k.c, turn.AssistantMessage.ID)
		require.Equal(t, "CANCELLED", cancelled.Status)
		require.Equal(t, "SUCCEEDED", cancelled.ToolCalls[0].Status)
		require.Equal(t, cancelled, k.stream.AwaitFinished(t, cancelled.ID))
		require.Equal(t, []string{"Kept"}, titles(allTasks(t, k.c)))
		require.Equal(t, "COMPLETED", k.say(t, "Well?").Status)
	})
}

func TestDeletingAConversationEndsItsReplyAndStream(t *testing.T) {
	eachScripted(t, storyteller, func(t *testing.T, b *bench, _ *model) {
		k := &talk{c: b.user(t, "alice")}
		k.say(t, "Hello")
		turn := send(t, k.c, k.id, "Tell me a story")
		k.stream.UntilText(t, turn.AssistantMessage.ID, func(text string) bool { return text != "" })
		testclient.Run[any](t, k.c, `mutation ($id: ID!) { deleteConversation(id: $id) { deletedId } }`, vars{"id": k.id})
		for {
			if _, err := k.stream.TryNextEvent(t.Context()); err != nil {
				require.EqualError(t, err, "EOF", "the stream is complete")
				break
			}
		}
		requireFault(t, "NOT_FOUND", k.c.Try(t, sendDoc, vars{"in": vars{"conversationId": k.id, "content": "Hello?"}}))
		require.Equal(t, "You said: Elsewhere", (&talk{c: k.c}).say(t, "Elsewhere").Content)
	})
}
