package integration

import (
	"sync/atomic"
	"testing"
	"time"

	"errand/internal/llm/providertest"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

// startModelStallingOnce starts a model that stalls after beginning on the first request, and returns whole
// on later ones.
func startModelStallingOnce(t *testing.T, beginning, complete string) *harness.Model {
	var stalled atomic.Bool
	return harness.StartModel(t, func(harness.ModelRequest) providertest.Step {
		if !stalled.Swap(true) {
			return providertest.StreamThenHang(harness.TextFrames(beginning)...)
		}
		return harness.TextResponse(complete)
	})
}

func TestShutdown_RepliesInProgress_AreHandedOver(t *testing.T) {
	t.Parallel()
	eachProvider(t, func(t *testing.T, url, provider string) {
		m := startModelStallingOnce(t, "Once upon", "Once again from the start.")
		m.Provider = provider
		// With this lease, only a reply that was handed over is resumed in time.
		environ := []harness.Settings{m.Settings(), {"RUN_LEASE": "10m", "SHUTDOWN_TIMEOUT": "10s"}}
		server := harness.StartProcess(t, url, environ...)
		c := server.Client("alice")
		turn := harness.Send(t, c, "", "Tell me a story")
		socket := c.Dial(t)
		before := socket.Follow(t, turn.Conversation.ID, "")
		before.UntilText(t, turn.AssistantMessage.ID, func(text string) bool { return text == "Once upon" })

		requested := time.Now()
		server.Terminate()
		require.Equal(t, websocket.CloseServiceRestart, socket.CloseCode(t))
		require.Zero(t, server.Wait())
		require.Less(t, time.Since(requested), 10*time.Second)
		_, err := before.TryNextEvent(t.Context())
		var closed *websocket.CloseError
		require.ErrorAs(t, err, &closed, "an interrupted stream must not complete")

		server = harness.StartProcess(t, url, environ...)
		c = server.Client("alice")
		after := c.Dial(t).ResumeAt(t, turn.Conversation.ID, before, len(before.Events))
		reply := after.AwaitFinished(t, turn.AssistantMessage.ID)
		require.Equal(t, "COMPLETED", reply.Status)
		require.Equal(t, "Once again from the start.", reply.Content)
		require.Len(t, m.Requests(), 2)
	})
}

func TestShutdown_Idle_StopsAtOnce(t *testing.T) {
	t.Parallel()
	server := harness.StartProcess(t, testdb.SQLiteURL(t))
	server.Terminate()
	require.Zero(t, server.Wait())
}
