package integration

import (
	"fmt"
	"testing"

	"errand/internal/testclient"

	"github.com/stretchr/testify/require"
)

// eachPaced runs a test on each wire with a server whose model waits for the pace.
func eachPaced(t *testing.T, test func(t *testing.T, b *bench, p pace)) {
	t.Helper()
	t.Parallel()
	eachWire(t, func(t *testing.T, url, provider string) {
		p := make(pace)
		m := pacedModel(t, p)
		m.provider = provider
		test(t, boot(t, url, m.environ()), p)
	})
}

// TestAReplyStreamsPieceByPiece: every piece comes with its offset in UTF-16 units, and
// tools between the pieces where they were used.
func TestAReplyStreamsPieceByPiece(t *testing.T) {
	eachPaced(t, func(t *testing.T, b *bench, p pace) {
		k := &talk{c: b.user(t, "alice")}
		k.say(t, "Hello")
		told := len(k.stream.Events)
		turn := send(t, k.c, k.id, "Go")
		for step, pieces := range pacedPieces {
			for i := range pieces {
				if step == 0 && i == 0 {
					require.Equal(t, turn.UserMessage.ID, k.stream.NextEvent(t).Message.ID)
					require.Equal(t, turn.AssistantMessage.ID, k.stream.NextEvent(t).Message.ID)
				}
				p.release(t, k.stream, step < 2 && i == len(pieces)-1)
			}
		}
		reply := k.stream.AwaitFinished(t, turn.AssistantMessage.ID)
		require.Equal(t, pacedText, reply.Content)
		require.Zero(t, k.stream.Rewinds)
		var seen []string
		for _, e := range k.stream.Events[told:] {
			seen = append(seen, describe(e))
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

func describe(e testclient.Event) string {
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

// TestSubscribersWhoJoinAtAnyMomentEndWithTheSameText: at each event of a reply under way
// one client joins anew and another goes on from its cursor.
func TestSubscribersWhoJoinAtAnyMomentEndWithTheSameText(t *testing.T) {
	eachPaced(t, func(t *testing.T, b *bench, p pace) {
		c := b.user(t, "alice")
		turn := send(t, c, "", "Go")
		id := turn.Conversation.ID
		first, second := c.Dial(t), c.Dial(t)
		watcher := first.Follow(t, id, "")
		watcher.Until(t, func(e testclient.Event) bool { return e.Message.ID == turn.AssistantMessage.ID })
		var others []*testclient.Stream
		for step, pieces := range pacedPieces {
			for i := range pieces {
				p.release(t, watcher, step < 2 && i == len(pieces)-1)
				others = append(others, second.Follow(t, id, ""), second.ResumeAt(t, id, watcher, len(watcher.Events)),
					first.ResumeAt(t, id, watcher, len(watcher.Events)-1))
			}
		}
		reply := watcher.AwaitFinished(t, turn.AssistantMessage.ID)
		require.Equal(t, pacedText, reply.Content)
		for _, s := range others {
			require.Equal(t, reply, s.AwaitFinished(t, reply.ID))
			require.Zero(t, s.Rewinds, "nothing is told twice")
		}
	})
}

func TestAStreamOpensWithTheNewestTurnAndTheUnfinishedOnes(t *testing.T) {
	eachPaced(t, func(t *testing.T, b *bench, p pace) {
		k := &talk{c: b.user(t, "alice")}
		for range 3 {
			k.say(t, "Hello")
		}
		socket := k.c.Dial(t)
		opening := socket.Follow(t, k.id, "")
		require.Equal(t, []string{"added USER 5", "added ASSISTANT 6", "finished COMPLETED 6"}, positions(t, opening, 3))

		going := send(t, k.c, k.id, "Go")
		waiting := send(t, k.c, k.id, "Hello again")
		opening.Until(t, func(e testclient.Event) bool { return e.Message.ID == waiting.AssistantMessage.ID })
		late := socket.Follow(t, k.id, "")
		require.Equal(
			t,
			[]string{"added USER 7", "added ASSISTANT 8", "added USER 9", "added ASSISTANT 10"},
			positions(t, late, 4),
		)

		cancelReply(t, k.c, going.AssistantMessage.ID)
		require.Equal(t, "CANCELLED", late.AwaitFinished(t, going.AssistantMessage.ID).Status)
		require.Equal(t, "Done.", late.AwaitFinished(t, waiting.AssistantMessage.ID).Content)
		require.Equal(t, "Done.", opening.AwaitFinished(t, waiting.AssistantMessage.ID).Content)
	})
}

func positions(t *testing.T, s *testclient.Stream, n int) []string {
	t.Helper()
	var out []string
	for range n {
		e := s.NextEvent(t)
		out = append(out, fmt.Sprint(describe(e), " ", e.Message.Position))
	}
	return out
}
