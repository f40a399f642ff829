package integration

import (
	"fmt"
	"sync"
	"testing"

	"errand/internal/testclient"

	"github.com/stretchr/testify/require"
)

func TestMessagesSentTogetherAreAnsweredInOrder(t *testing.T) {
	eachScripted(t, storyteller, func(t *testing.T, b *bench, m *model) {
		k := &talk{c: b.user(t, "alice")}
		k.say(t, "Hello")
		var turns []testclient.Turn
		for i := range 5 {
			turns = append(turns, send(t, k.c, k.id, fmt.Sprint("message ", i)))
		}
		for i, turn := range turns {
			reply := k.stream.AwaitFinished(t, turn.AssistantMessage.ID)
			require.Equal(t, fmt.Sprint("You said: message ", i), reply.Content)
			require.Equal(t, 2*i+4, reply.Position)
		}
		// One reply was finished before the next began.
		under := ""
		for _, e := range k.stream.Events {
			switch e.Kind {
			case "MessageDelta":
				require.Contains(t, []string{"", e.MessageID}, under)
				under = e.MessageID
			case "MessageFinished":
				under = ""
			}
		}
		for i, a := range m.requests() {
			require.Equal(t, []string{"Hello", "message 0", "message 1", "message 2", "message 3", "message 4"}[i], a.said)
		}
	})
}

func TestConversationsOfOnePersonDoNotWaitForEachOther(t *testing.T) {
	eachScripted(t, storyteller, func(t *testing.T, b *bench, _ *model) {
		c := b.user(t, "alice")
		story := send(t, c, "", "Tell me a story")
		require.Equal(t, "You said: Hello", (&talk{c: c}).say(t, "Hello").Content)
		require.Equal(t, "CANCELLED", cancelReply(t, c, story.AssistantMessage.ID).Status)
	})
}

func TestTheSameKeyGivesTheSameTurn(t *testing.T) {
	eachModel(t, func(t *testing.T, b *bench) {
		c := b.user(t, "alice")
		in := vars{"content": "Add a task to call Bob", "idempotencyKey": "k1"}
		const senders = 8
		turns := make([]testclient.Turn, senders)
		var all sync.WaitGroup
		for i := range senders {
			all.Go(func() {
				a, err := c.Do(t.Context(), sendDoc, vars{"in": in})
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
		require.Equal(t, []string{"Call Bob"}, titles(allTasks(t, c)))

		again := testclient.Run[struct{ SendMessage testclient.Turn }](t, c, sendDoc, vars{"in": in}).SendMessage
		require.Equal(t, reply, again.AssistantMessage, "later, the same turn as it is by then")
		requireFault(t, "CONFLICT", c.Try(t, sendDoc, vars{"in": vars{"content": "Something else", "idempotencyKey": "k1"}}))
		elsewhere := send(t, c, "", "Hello").Conversation.ID
		requireFault(t, "CONFLICT", c.Try(t, sendDoc, vars{"in": vars{
			"content": "Add a task to call Bob", "idempotencyKey": "k1", "conversationId": elsewhere,
		}}))

		// Another person's key of the same name is another key.
		other := testclient.Run[struct{ SendMessage testclient.Turn }](
			t,
			b.user(t, "bob"),
			sendDoc,
			vars{"in": in},
		).SendMessage
		require.NotEqual(t, again.UserMessage.ID, other.UserMessage.ID)
	})
}

// decodeTurn is for goroutines, which must not end the test.
func decodeTurn(t *testing.T, a testclient.Response, err error) testclient.Turn {
	t.Helper()
	var data struct{ SendMessage testclient.Turn }
	if err == nil && len(a.Errors) > 0 {
		err = a.Errors
	}
	if err == nil {
		err = jsonInto(a.Data, &data)
	}
	if err != nil {
		t.Error(err)
	}
	return data.SendMessage
}

func TestALimitOfRepliesUnderWayOpensAgain(t *testing.T) {
	eachScripted(t, storyteller, func(t *testing.T, b *bench, _ *model) {
		c := b.user(t, "alice")
		first := send(t, c, "", "Tell me a story")
		second := send(t, c, "", "Tell me a story")
		a := c.Try(t, sendDoc, vars{"in": vars{"content": "Hello"}})
		requireFault(t, "RATE_LIMITED", a)
		require.Positive(t, a.Errors[0].Extensions.RetryAfterMs)
		cancelReply(t, c, first.AssistantMessage.ID)
		cancelReply(t, c, second.AssistantMessage.ID)
		require.Equal(t, "You said: Hello", (&talk{c: c}).say(t, "Hello").Content)
	}, settings{"MAX_REPLIES_PER_USER": "2"})
}

func TestALimitOfMessagesAMinute(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		c := b.user(t, "alice")
		for range 3 {
			send(t, c, "", "Hello")
		}
		a := c.Try(t, sendDoc, vars{"in": vars{"content": "Hello"}})
		requireFault(t, "RATE_LIMITED", a)
		require.InDelta(t, 60_000, a.Errors[0].Extensions.RetryAfterMs, 30_000)
		send(t, b.user(t, "bob"), "", "Hello")
	}, settings{"MESSAGES_PER_MINUTE": "3"})
}
