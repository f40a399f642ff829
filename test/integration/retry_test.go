package integration

import (
	"net/http"
	"sync/atomic"
	"testing"

	"errand/internal/llm/providertest"
	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

const retryDoc = `mutation ($id: ID!) { retryReply(messageId: $id) { conversation { id } userMessage { id }
	assistantMessage { id position status content } } }`

func retryReply(t *testing.T, c *testclient.Client, id string) testclient.Turn {
	t.Helper()
	return testclient.Run[struct{ RetryReply testclient.Turn }](t, c, retryDoc, testclient.Vars{"id": id}).RetryReply
}

// A retry continues from the calls of the failed reply, and returns the same reply when it is repeated.
func TestRetryReply_AfterFailure_RepeatsNoEffect(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]func(testing.TB) string{"sqlite": testdb.SQLiteURL, "postgres": testdb.PostgresURL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testRetry(t, url(t))
		})
	}
}

func testRetry(t *testing.T, url string) {
	var broken atomic.Bool
	m := harness.StartModel(t, func(r harness.ModelRequest) providertest.Step {
		switch {
		case len(r.ToolResults) == 0:
			return harness.ToolCallResponse("I add it.", harness.AddTaskCall("Only once"))
		case broken.Load():
			return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadRequest) }
		default:
			return harness.TextResponse("It is there.")
		}
	})
	b := harness.Start(t, url, m.Settings())
	broken.Store(true)
	c := b.Client(t, "alice")
	turn := harness.Send(t, c, "", "Add a task")
	id := turn.Conversation.ID
	stream := c.Dial(t).Follow(t, id, "")
	require.Equal(t, "FAILED", stream.AwaitFinished(t, turn.AssistantMessage.ID).Status)
	broken.Store(false)

	retried := harness.Concurrently(12, func(int) testclient.Turn { return retryReply(t, c, turn.AssistantMessage.ID) })
	for _, r := range retried {
		require.Equal(t, retried[0].AssistantMessage.ID, r.AssistantMessage.ID)
		require.Equal(t, turn.UserMessage.ID, r.UserMessage.ID)
		require.Equal(t, 3, r.AssistantMessage.Position)
	}
	reply := stream.AwaitFinished(t, retried[0].AssistantMessage.ID)
	require.Equal(t, "COMPLETED", reply.Status)
	require.Equal(t, "It is there.", reply.Content)
	require.Len(t, harness.AllTasks(t, c), 1)
	require.Equal(t, reply.ID, retryReply(t, c, turn.AssistantMessage.ID).AssistantMessage.ID)

	joined := c.Dial(t).Follow(t, id, "")
	require.Equal(t, turn.UserMessage.ID, joined.NextEvent(t).Message.ID, "the newest turn has all its replies")
	joined.AwaitFinished(t, reply.ID)

	next := harness.Send(t, c, id, "Thanks")
	require.Equal(t, "COMPLETED", stream.AwaitFinished(t, next.AssistantMessage.ID).Status)
	for _, refused := range []string{reply.ID, next.AssistantMessage.ID} {
		harness.RequireErrorCode(t, "CONFLICT", c.Try(t, retryDoc, testclient.Vars{"id": refused}))
	}
	harness.RequireErrorCode(t, "BAD_USER_INPUT messageId", c.Try(t, retryDoc, testclient.Vars{"id": turn.UserMessage.ID}))
	harness.RequireErrorCode(t, "NOT_FOUND",
		b.Client(t, "bob").Try(t, retryDoc, testclient.Vars{"id": turn.AssistantMessage.ID}))
}
