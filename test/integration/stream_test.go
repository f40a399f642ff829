package integration

import (
	"fmt"
	"testing"

	"errand/internal/testclient"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// eachSteppedModel runs a test for each provider with a server whose model is released step by step.
func eachSteppedModel(t *testing.T, test func(t *testing.T, b *harness.Env, p stepper)) {
	t.Helper()
	t.Parallel()
	eachProvider(t, func(t *testing.T, url, provider string) {
		p := make(stepper)
		m := startSteppedModel(t, p)
		m.Provider = provider
		test(t, harness.Start(t, url, m.Settings()), p)
	})
}

// TestStream_Reply_DeliversEachPiece checks that every piece has its offset in UTF-16 units and that tool
// calls are delivered between the pieces.
func TestStream_Reply_DeliversEachPiece(t *testing.T) {
	eachSteppedModel(t, func(t *testing.T, b *harness.Env, p stepper) {
		conversation := &harness.Conversation{Client: b.Client(t, "alice")}
		conversation.SendAndWait(t, "Hello")
		before := len(conversation.Stream.Events)
		turn := harness.Send(t, conversation.Client, conversation.ID, "Go")
		for step, pieces := range steppedPieces {
			for i := range pieces {
				if step == 0 && i == 0 {
					require.Equal(t, turn.UserMessage.ID, conversation.Stream.NextEvent(t).Message.ID)
					require.Equal(t, turn.AssistantMessage.ID, conversation.Stream.NextEvent(t).Message.ID)
				}
				p.releaseNext(t, conversation.Stream, step < 2 && i == len(pieces)-1)
			}
		}
		reply := conversation.Stream.AwaitFinished(t, turn.AssistantMessage.ID)
		require.Equal(t, steppedText, reply.Content)
		require.Zero(t, conversation.Stream.Rewinds)
		var seen []string
		for _, e := range conversation.Stream.Events[before:] {
			seen = append(seen, describeEvent(e))
		}
		require.Equal(t, []string{
			"added USER", "added ASSISTANT", `0 "One "`, `4 "🦊 two"`, "add_task STARTED 10", "add_task SUCCEEDED 10",
			`10 "\n\nthrée "`, `18 "four"`, "add_task STARTED 22", "add_task SUCCEEDED 22",
			`22 "\n\nfive"`, `28 " 🦊🦊 "`, `34 "six."`, "finished COMPLETED",
		}, seen)
		usage := reply.Usage
		require.Equal(
			t,
			[]int{33, 21, 9},
			[]int{usage.InputTokens, usage.OutputTokens, usage.CachedTokens},
			"over all three steps",
		)
		require.Equal(t, string(b.Config.LLM.Provider)+"/scripted", usage.Model)
	})
}

func describeEvent(e testclient.Event) string {
	switch e.Kind {
	case "MessageAdded":
		return "added " + e.Message.Role
	case "MessageDelta":
		return fmt.Sprintf("%d %q", e.Offset, e.Text)
	case "ToolCallChanged":
		return fmt.Sprint(e.ToolCall.Name, " ", e.ToolCall.Status, " ", e.ToolCall.Offset)
	default:
		return "finished " + e.Message.Status
	}
}

// TestStream_JoinAtAnyTime_EndsWithSameText at each event of a running reply opens a new subscription and
// resumes another from its cursor.
func TestStream_JoinAtAnyTime_EndsWithSameText(t *testing.T) {
	eachSteppedModel(t, func(t *testing.T, b *harness.Env, p stepper) {
		c := b.Client(t, "alice")
		turn := harness.Send(t, c, "", "Go")
		id := turn.Conversation.ID
		first, second := c.Dial(t), c.Dial(t)
		watcher := first.Follow(t, id, "")
		watcher.Until(t, func(e testclient.Event) bool { return e.Message.ID == turn.AssistantMessage.ID })
		var others []*testclient.Stream
		for step, pieces := range steppedPieces {
			for i := range pieces {
				p.releaseNext(t, watcher, step < 2 && i == len(pieces)-1)
				others = append(others, second.Follow(t, id, ""), second.ResumeAt(t, id, watcher, len(watcher.Events)),
					first.ResumeAt(t, id, watcher, len(watcher.Events)-1))
			}
		}
		reply := watcher.AwaitFinished(t, turn.AssistantMessage.ID)
		require.Equal(t, steppedText, reply.Content)
		for _, s := range others {
			require.Equal(t, reply, s.AwaitFinished(t, reply.ID))
			require.Zero(t, s.Rewinds, "no event may be repeated")
		}
	})
}

func TestStream_Open_SendsNewestAndUnfinishedTurns(t *testing.T) {
	eachSteppedModel(t, func(t *testing.T, b *harness.Env, p stepper) {
		conversation := &harness.Conversation{Client: b.Client(t, "alice")}
		for range 3 {
			conversation.SendAndWait(t, "Hello")
		}
		socket := conversation.Client.Dial(t)
		opening := socket.Follow(t, conversation.ID, "")
		require.Equal(t, []string{"added USER 5", "added ASSISTANT 6", "finished COMPLETED 6"}, cursorsOf(t, opening, 3))

		going := harness.Send(t, conversation.Client, conversation.ID, "Go")
		waiting := harness.Send(t, conversation.Client, conversation.ID, "Hello again")
		opening.Until(t, func(e testclient.Event) bool { return e.Message.ID == waiting.AssistantMessage.ID })
		late := socket.Follow(t, conversation.ID, "")
		require.Equal(
			t,
			[]string{"added USER 7", "added ASSISTANT 8", "added USER 9", "added ASSISTANT 10"},
			cursorsOf(t, late, 4),
		)

		harness.CancelReply(t, conversation.Client, going.AssistantMessage.ID)
		require.Equal(t, "CANCELLED", late.AwaitFinished(t, going.AssistantMessage.ID).Status)
		require.Equal(t, "Done.", late.AwaitFinished(t, waiting.AssistantMessage.ID).Content)
		require.Equal(t, "Done.", opening.AwaitFinished(t, waiting.AssistantMessage.ID).Content)
	})
}

func cursorsOf(t *testing.T, s *testclient.Stream, n int) []string {
	t.Helper()
	var out []string
	for range n {
		e := s.NextEvent(t)
		out = append(out, fmt.Sprint(describeEvent(e), " ", e.Message.Position))
	}
	return out
}
