package integration

import (
	"testing"

	"errand/internal/testclient"

	"github.com/stretchr/testify/require"
)

// TestEveryCursorOfAStreamResumesWithExactlyTheRest: from each event of a recorded stream a
// client goes on. What it knew and what it is told make up the whole, and nothing is told twice.
func TestEveryCursorOfAStreamResumesWithExactlyTheRest(t *testing.T) {
	eachPaced(t, func(t *testing.T, b *bench, p pace) {
		c := b.user(t, "alice")
		turn := send(t, c, "", "Go")
		id := turn.Conversation.ID
		recorded := c.Dial(t).Follow(t, id, "")
		recorded.Until(t, func(e testclient.Event) bool { return e.Message.ID == turn.AssistantMessage.ID })
		for step, pieces := range pacedPieces {
			for i := range pieces {
				p.release(t, recorded, step < 2 && i == len(pieces)-1)
			}
		}
		reply := recorded.AwaitFinished(t, turn.AssistantMessage.ID)
		socket := c.Dial(t)
		var resumed []*testclient.Stream
		for at := 1; at <= len(recorded.Events); at++ {
			resumed = append(resumed, socket.ResumeAt(t, id, recorded, at))
		}
		next := send(t, c, id, "And then?")
		for i, s := range resumed {
			rest := 0
			for s.NextEvent(t).Message.ID != next.UserMessage.ID {
				rest++
			}
			require.Equal(t, reply, s.AwaitFinished(t, reply.ID))
			require.Zero(t, s.Rewinds)
			require.LessOrEqual(t, rest, len(recorded.Events)-i-1, "the rest, and text in fewer pieces")
			require.Equal(t, "Done.", s.AwaitFinished(t, next.AssistantMessage.ID).Content)
		}
	})
}

// refusal subscribes and gives the fault with which that was refused.
func refusal(t *testing.T, s *testclient.Socket, document string, v vars) string {
	t.Helper()
	payload, err := s.Subscribe(t, document, v).Next(t.Context())
	var faults testclient.Errors
	require.ErrorAs(t, err, &faults, "%s", payload)
	return testclient.Response{Errors: faults}.ErrorCode()
}

func TestBadCursorsAreRefusedByName(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		c := b.user(t, "alice")
		k, other := &talk{c: c}, &talk{c: c}
		k.say(t, "Hello")
		other.say(t, "Hello")
		socket := c.Dial(t)
		task := createTask(t, c, vars{"title": "x"})
		require.NotEmpty(t, task.ID)
		listCursor := listTasks(t, c, nil).Edges[0].Cursor
		good := k.stream.Events[0].Cursor
		for _, bad := range []string{
			"", "x", "AAAA", "%%%", good + "A", good[:len(good)-2], other.stream.Events[0].Cursor, listCursor, task.ID,
			"AQAAAAD_____________", "AQ", good + good,
		} {
			require.Equal(
				t,
				"BAD_USER_INPUT after",
				refusal(t, socket, testclient.MessageStream, vars{"id": k.id, "after": bad}),
				"%q",
				bad,
			)
		}
		for _, bad := range []string{"", "x", good, listCursor, good + "A"} {
			require.Equal(t, "BAD_USER_INPUT after", refusal(t, socket, taskStreamDoc, vars{"after": bad}), "%q", bad)
		}
	})
}

const taskStreamDoc = `subscription ($after: Cursor) { taskStream(after: $after) { cursor kind task { number title } change { id actor } } }`

// taskEvent is an event of taskStream.
type taskEvent struct {
	Cursor, Kind string
	Task         struct {
		Number int
		Title  string
	}
	Change struct{ ID, Actor string }
}

func nextTaskEvent(t *testing.T, s *testclient.Subscription) taskEvent {
	t.Helper()
	payload, err := s.Next(t.Context())
	require.NoError(t, err)
	var response struct {
		Data   struct{ TaskStream taskEvent }
		Errors testclient.Errors
	}
	require.NoError(t, jsonInto(payload, &response))
	require.Empty(t, response.Errors)
	return response.Data.TaskStream
}

func TestTheTaskStreamTellsEveryChangeAndResumes(t *testing.T) {
	eachModel(t, func(t *testing.T, b *bench) {
		c := b.user(t, "alice")
		first := createTask(t, c, vars{"title": "before"})
		socket := c.Dial(t)
		// The first event proves that the stream is open: what is changed later must come.
		live := socket.Subscribe(t, taskStreamDoc, vars{"after": originCursor})
		require.Equal(t, "CREATED", nextTaskEvent(t, live).Kind)

		changeTask(t, c, "completeTask", first.ID)
		changeTask(t, c, "completeTask", first.ID) // changes nothing, and tells nothing
		changeTask(t, c, "reopenTask", first.ID)
		updateTask(t, c, vars{"id": first.ID, "title": "after"})
		changeTask(t, c, "deleteTask", first.ID)
		changeTask(t, c, "restoreTask", first.ID)
		(&talk{c: c}).say(t, "Add a task to call Bob")
		var events []taskEvent
		for range 6 {
			events = append(events, nextTaskEvent(t, live))
		}
		require.Equal(t, []string{"COMPLETED", "REOPENED", "UPDATED", "DELETED", "RESTORED", "CREATED"}, kinds(events))
		require.Equal(t, "AGENT", events[5].Change.Actor)
		require.Equal(t, "Call Bob", events[5].Task.Title)

		var resumed []*testclient.Subscription
		for _, e := range events {
			resumed = append(resumed, socket.Subscribe(t, taskStreamDoc, vars{"after": e.Cursor}))
		}
		last := createTask(t, c, vars{"title": "last"})
		for i, s := range resumed {
			for _, want := range events[i+1:] {
				got := nextTaskEvent(t, s)
				require.Equal(t, want.Change, got.Change)
				require.Equal(t, want.Cursor, got.Cursor)
			}
			require.Equal(t, last.Number, nextTaskEvent(t, s).Task.Number)
		}
	})
}

// originCursor is the place before a person's first change.
const originCursor = "eyJsIjoidGFza1N0cmVhbSIsImsiOlswXX0"

func kinds(events []taskEvent) []string {
	var out []string
	for _, e := range events {
		out = append(out, e.Kind)
	}
	return out
}
