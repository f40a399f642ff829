package integration

import (
	"sync/atomic"
	"testing"
	"time"

	"errand/internal/llm/providertest"
	"errand/internal/testdb"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

// stallOnce is a model that says a beginning and stalls, and answers when asked again.
func stallOnce(t *testing.T, beginning, whole string) *model {
	var stalled atomic.Bool
	return scripted(t, func(asked) providertest.Step {
		if !stalled.Swap(true) {
			return providertest.StreamThenHang(textFrames(beginning)...)
		}
		return sayText(whole)
	})
}

func TestAServerThatIsAskedToStopHandsItsRepliesOver(t *testing.T) {
	t.Parallel()
	eachWire(t, func(t *testing.T, url, provider string) {
		m := stallOnce(t, "Once upon", "Once again from the start.")
		m.provider = provider
		// With this lease, only a reply that was handed over is taken up in time.
		environ := []settings{m.environ(), {"RUN_LEASE": "10m", "SHUTDOWN_TIMEOUT": "10s"}}
		server := launch(t, url, environ...)
		c := server.user("alice")
		turn := send(t, c, "", "Tell me a story")
		socket := c.Dial(t)
		before := socket.Follow(t, turn.Conversation.ID, "")
		before.UntilText(t, turn.AssistantMessage.ID, func(text string) bool { return text == "Once upon" })

		asked := time.Now()
		server.terminate()
		require.Equal(t, websocket.CloseServiceRestart, socket.CloseCode(t))
		require.Zero(t, server.ended())
		require.Less(t, time.Since(asked), 10*time.Second)
		_, err := before.TryNextEvent(t.Context())
		var closed *websocket.CloseError
		require.ErrorAs(t, err, &closed, "a stream that goes on elsewhere must not say that it is complete")

		server = launch(t, url, environ...)
		c = server.user("alice")
		after := c.Dial(t).ResumeAt(t, turn.Conversation.ID, before, len(before.Events))
		reply := after.AwaitFinished(t, turn.AssistantMessage.ID)
		require.Equal(t, "COMPLETED", reply.Status)
		require.Equal(t, "Once again from the start.", reply.Content)
		require.Len(t, m.requests(), 2)
	})
}

func TestAServerWithNothingToDoStopsAtOnce(t *testing.T) {
	t.Parallel()
	server := launch(t, testdb.SQLiteURL(t))
	server.terminate()
	require.Zero(t, server.ended())
}
