package integration

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"errand/internal/testclient"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

func TestSend_Concurrent_RepliesInOrder(t *testing.T) {
	eachScriptedModel(t, startStalledModel, func(t *testing.T, b *harness.Env, m *harness.Model) {
		conversation := &harness.Conversation{Client: b.Client(t, "alice")}
		conversation.SendAndWait(t, "Hello")
		var turns []testclient.Turn
		for i := range 5 {
			turns = append(turns, harness.Send(t, conversation.Client, conversation.ID, fmt.Sprint("message ", i)))
		}
		for i, turn := range turns {
			reply := conversation.Stream.AwaitFinished(t, turn.AssistantMessage.ID)
			require.Equal(t, fmt.Sprint("You said: message ", i), reply.Content)
			require.Equal(t, 2*i+4, reply.Position)
		}
		// Each reply finishes before the next one starts.
		under := ""
		for _, e := range conversation.Stream.Events {
			switch e.Kind {
			case "MessageDelta":
				require.Contains(t, []string{"", e.MessageID}, under)
				under = e.MessageID
			case "MessageFinished":
				under = ""
			}
		}
		for i, a := range m.Requests() {
			require.Equal(t, []string{"Hello", "message 0", "message 1", "message 2", "message 3", "message 4"}[i],
				a.UserMessage)
		}
	})
}

func TestSend_TwoConversations_RunInParallel(t *testing.T) {
	eachScriptedModel(t, startStalledModel, func(t *testing.T, b *harness.Env, _ *harness.Model) {
		c := b.Client(t, "alice")
		story := harness.Send(t, c, "", "Tell me a story")
		require.Equal(t, "You said: Hello", (&harness.Conversation{Client: c}).SendAndWait(t, "Hello").Content)
		require.Equal(t, "CANCELLED", harness.CancelReply(t, c, story.AssistantMessage.ID).Status)
	})
}

func TestSend_SameKey_ReturnsSameTurn(t *testing.T) {
	eachModelProvider(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		in := testclient.Vars{"content": "Add a task to call Bob", "idempotencyKey": "k1"}
		const senders = 8
		turns := make([]testclient.Turn, senders)
		var all sync.WaitGroup
		for i := range senders {
			all.Go(func() {
				a, err := c.Do(t.Context(), harness.SendDoc, testclient.Vars{"in": in})
				turns[i] = decodeTurn(t, a, err)
			})
		}
		all.Wait()
		for _, turn := range turns {
			require.Equal(t, turns[0].UserMessage.ID, turn.UserMessage.ID)
			require.Equal(t, turns[0].AssistantMessage.ID, turn.AssistantMessage.ID)
			require.Equal(t, turns[0].Conversation, turn.Conversation)
		}
		reply := c.Dial(t).Follow(t, turns[0].Conversation.ID, "").AwaitFinished(t, turns[0].AssistantMessage.ID)
		require.Equal(t, "COMPLETED", reply.Status)
		require.Equal(t, []string{"Call Bob"}, harness.Titles(harness.AllTasks(t, c)))

		repeated := testclient.Run[struct{ SendMessage testclient.Turn }](t, c, harness.SendDoc,
			testclient.Vars{"in": in}).SendMessage
		require.Equal(t, reply, repeated.AssistantMessage, "a repeated key must return the current turn")
		harness.RequireErrorCode(t, "CONFLICT", c.Try(t, harness.SendDoc,
			testclient.Vars{"in": testclient.Vars{"content": "Something else", "idempotencyKey": "k1"}}))
		elsewhere := harness.Send(t, c, "", "Hello").Conversation.ID
		harness.RequireErrorCode(t, "CONFLICT", c.Try(t, harness.SendDoc, testclient.Vars{"in": testclient.Vars{
			"content": "Add a task to call Bob", "idempotencyKey": "k1", "conversationId": elsewhere,
		}}))

		// Idempotency keys are per user.
		other := testclient.Run[struct{ SendMessage testclient.Turn }](
			t,
			b.Client(t, "bob"),
			harness.SendDoc,
			testclient.Vars{"in": in},
		).SendMessage
		require.NotEqual(t, repeated.UserMessage.ID, other.UserMessage.ID)
	})
}

// decodeTurn reports errors with t.Error, because goroutines must not call FailNow.
func decodeTurn(t *testing.T, a testclient.Response, err error) testclient.Turn {
	t.Helper()
	var data struct{ SendMessage testclient.Turn }
	if err == nil && len(a.Errors) > 0 {
		err = a.Errors
	}
	if err == nil {
		err = json.Unmarshal(a.Data, &data)
	}
	if err != nil {
		t.Error(err)
	}
	return data.SendMessage
}

func TestSend_UnfinishedReplyLimit_FreesWithCompletion(t *testing.T) {
	eachScriptedModel(t, startStalledModel, func(t *testing.T, b *harness.Env, _ *harness.Model) {
		c := b.Client(t, "alice")
		first := harness.Send(t, c, "", "Tell me a story")
		second := harness.Send(t, c, "", "Tell me a story")
		a := c.Try(t, harness.SendDoc, testclient.Vars{"in": testclient.Vars{"content": "Hello"}})
		harness.RequireErrorCode(t, "RATE_LIMITED", a)
		require.Positive(t, a.Errors[0].Extensions.RetryAfterMs)
		harness.CancelReply(t, c, first.AssistantMessage.ID)
		harness.CancelReply(t, c, second.AssistantMessage.ID)
		require.Equal(t, "You said: Hello", (&harness.Conversation{Client: c}).SendAndWait(t, "Hello").Content)
	}, harness.Settings{"MAX_REPLIES_PER_USER": "2"})
}

func TestSend_MessageRateExceeded_IsRateLimited(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		for range 3 {
			harness.Send(t, c, "", "Hello")
		}
		a := c.Try(t, harness.SendDoc, testclient.Vars{"in": testclient.Vars{"content": "Hello"}})
		harness.RequireErrorCode(t, "RATE_LIMITED", a)
		require.InDelta(t, 60_000, a.Errors[0].Extensions.RetryAfterMs, 30_000)
		harness.Send(t, b.Client(t, "bob"), "", "Hello")
	}, harness.Settings{"MESSAGES_PER_MINUTE": "3"})
}
