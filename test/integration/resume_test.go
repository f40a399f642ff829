package integration

import (
	"encoding/json"
	"testing"

	"errand/internal/testclient"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// TestConversationStream_EveryCursor_ResumesExactly resumes from each event of a recorded stream and checks
// that the earlier and the resumed events add up to the complete stream without duplicates.
func TestConversationStream_EveryCursor_ResumesExactly(t *testing.T) {
	eachSteppedModel(t, func(t *testing.T, b *harness.Env, p stepper) {
		c := b.Client(t, "alice")
		turn := harness.Send(t, c, "", "Go")
		id := turn.Conversation.ID
		recorded := c.Dial(t).Follow(t, id, "")
		recorded.Until(t, func(e testclient.Event) bool { return e.Message.ID == turn.AssistantMessage.ID })
		for step, pieces := range steppedPieces {
			for i := range pieces {
				p.releaseNext(t, recorded, step < 2 && i == len(pieces)-1)
			}
		}
		reply := recorded.AwaitFinished(t, turn.AssistantMessage.ID)
		socket := c.Dial(t)
		var resumed []*testclient.Stream
		for at := 1; at <= len(recorded.Events); at++ {
			resumed = append(resumed, socket.ResumeAt(t, id, recorded, at))
		}
		next := harness.Send(t, c, id, "And then?")
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

// subscriptionError subscribes and returns the error code of the rejection.
func subscriptionError(t *testing.T, s *testclient.Socket, document string, v testclient.Vars) string {
	t.Helper()
	payload, err := s.Subscribe(t, document, v).Next(t.Context())
	var faults testclient.Errors
	require.ErrorAs(t, err, &faults, "%s", payload)
	return testclient.Response{Errors: faults}.ErrorCode()
}

func TestStream_InvalidCursor_IsRejected(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		conversation, other := &harness.Conversation{Client: c}, &harness.Conversation{Client: c}
		conversation.SendAndWait(t, "Hello")
		other.SendAndWait(t, "Hello")
		socket := c.Dial(t)
		task := harness.CreateTask(t, c, testclient.Vars{"title": "x"})
		require.NotEmpty(t, task.ID)
		listCursor := harness.ListTasks(t, c, nil).Edges[0].Cursor
		good := conversation.Stream.Events[0].Cursor
		for _, bad := range []string{
			"", "x", "AAAA", "%%%", good + "A", good[:len(good)-2], other.Stream.Events[0].Cursor, listCursor, task.ID,
			"AQAAAAD_____________", "AQ", good + good,
		} {
			require.Equal(
				t,
				"BAD_USER_INPUT after",
				subscriptionError(t, socket, testclient.MessageStream, testclient.Vars{"id": conversation.ID, "after": bad}),
				"%q",
				bad,
			)
		}
		for _, bad := range []string{"", "x", good, listCursor, good + "A"} {
			require.Equal(t, "BAD_USER_INPUT after", subscriptionError(t, socket, taskStreamDoc,
				testclient.Vars{"after": bad}), "%q", bad)
		}
	})
}

const taskStreamDoc = `subscription ($after: Cursor) { taskStream(after: $after) { cursor kind task { number ` +
	`title } change { id actor } } }`

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
	require.NoError(t, json.Unmarshal(payload, &response))
	require.Empty(t, response.Errors)
	return response.Data.TaskStream
}

func TestTaskStream_EveryChange_IsSentAndResumable(t *testing.T) {
	eachModelProvider(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		first := harness.CreateTask(t, c, testclient.Vars{"title": "before"})
		socket := c.Dial(t)
		// The first event proves that the stream is open, so later changes must be delivered.
		live := socket.Subscribe(t, taskStreamDoc, testclient.Vars{"after": originCursor})
		require.Equal(t, "CREATED", nextTaskEvent(t, live).Kind)

		harness.ChangeTask(t, c, "completeTask", first.ID)
		harness.ChangeTask(t, c, "completeTask", first.ID) // changes nothing, and tells nothing
		harness.ChangeTask(t, c, "reopenTask", first.ID)
		harness.UpdateTask(t, c, testclient.Vars{"id": first.ID, "title": "after"})
		harness.ChangeTask(t, c, "deleteTask", first.ID)
		harness.ChangeTask(t, c, "restoreTask", first.ID)
		(&harness.Conversation{Client: c}).SendAndWait(t, "Add a task to call Bob")
		var events []taskEvent
		for range 6 {
			events = append(events, nextTaskEvent(t, live))
		}
		require.Equal(t, []string{"COMPLETED", "REOPENED", "UPDATED", "DELETED", "RESTORED", "CREATED"}, eventKinds(events))
		require.Equal(t, "AGENT", events[5].Change.Actor)
		require.Equal(t, "Call Bob", events[5].Task.Title)

		var resumed []*testclient.Subscription
		for _, e := range events {
			resumed = append(resumed, socket.Subscribe(t, taskStreamDoc, testclient.Vars{"after": e.Cursor}))
		}
		last := harness.CreateTask(t, c, testclient.Vars{"title": "last"})
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

// originCursor returns the position before a user's first change.
const originCursor = "eyJsIjoidGFza1N0cmVhbSIsImsiOlswXX0"

func eventKinds(events []taskEvent) []string {
	var out []string
	for _, e := range events {
		out = append(out, e.Kind)
	}
	return out
}

// TestTasks_StreamCursor_ContinuesWhereThePageEnds subscribes with the cursor of a page and receives the changes
// made after the page was read.
func TestTasks_StreamCursor_ContinuesWhereThePageEnds(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		readCursor := func() string {
			var data struct{ Tasks struct{ StreamCursor string } }
			response := c.Try(t, `{ tasks { streamCursor nodes { id } } }`, nil)
			require.Empty(t, response.Errors)
			require.NoError(t, json.Unmarshal(response.Data, &data))
			return data.Tasks.StreamCursor
		}
		empty := readCursor()
		first := harness.CreateTask(t, c, testclient.Vars{"title": "first"})
		between := readCursor()
		second := harness.CreateTask(t, c, testclient.Vars{"title": "second"})

		socket := c.Dial(t)
		fromEmpty := socket.Subscribe(t, taskStreamDoc, testclient.Vars{"after": empty})
		require.Equal(t, first.Number, nextTaskEvent(t, fromEmpty).Task.Number)
		require.Equal(t, second.Number, nextTaskEvent(t, fromEmpty).Task.Number)
		fromBetween := socket.Subscribe(t, taskStreamDoc, testclient.Vars{"after": between})
		require.Equal(t, second.Number, nextTaskEvent(t, fromBetween).Task.Number)
	})
}
