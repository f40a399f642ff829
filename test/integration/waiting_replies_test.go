package integration

import (
	"testing"

	"errand/internal/testclient"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// With one reply at once, the next ones wait. A user sees the number of their own, and the operator of all.
func TestWaitingReplies_AtTheLimit_CountsOwnReplies(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		alice, bob := b.Client(t, "alice"), b.Client(t, "bob")
		waiting := func(c *testclient.Client) int {
			return testclient.Run[struct{ Viewer struct{ WaitingReplies int } }](t, c,
				`{ viewer { waitingReplies } }`, nil).Viewer.WaitingReplies
		}
		require.Zero(t, waiting(alice))
		first := harness.Send(t, alice, "", "Go")
		stream := alice.Dial(t).Follow(t, first.Conversation.ID, "")
		stream.Until(t, func(e testclient.Event) bool { return e.Kind == "MessageDelta" })
		second := harness.Send(t, alice, "", "Go")
		harness.Send(t, alice, first.Conversation.ID, "Go")
		require.Equal(t, 2, waiting(alice))
		require.Zero(t, waiting(bob))
		metrics := metricsOf(t, b)
		require.Contains(t, metrics, "\nerrand_runs_waiting 2\n")
		require.Contains(t, metrics, "\nerrand_runs_active 1\n")
		harness.CancelReply(t, alice, second.AssistantMessage.ID)
		require.Equal(t, 1, waiting(alice))
	}, harness.Settings{"RUN_CONCURRENCY": "1", "ADMIN_ADDR": "127.0.0.1:0", "RULES_PACE": "1s"})
}
