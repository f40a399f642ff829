package integration

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"errand/internal/llm/providertest"
	"errand/internal/testdb"

	"github.com/stretchr/testify/require"
)

// fleet starts replicas a, b, … on one database. They look for work only when told,
// so that a reply is written where it was asked for.
func fleet(t *testing.T, url string, n int, more ...settings) []*child {
	t.Helper()
	all := make([]*child, n)
	for i := range all {
		name := string(rune('a' + i))
		own := append([]settings{{"REPLICA_NAME": name, "RUN_LEASE": "2m", "RUN_SWEEP": "1m"}}, more...)
		all[i] = launch(t, url, own...)
	}
	return all
}

// soon is what "at once" may take: the bound itself, or more when the race detector or a
// crowded machine slows everything down.
func soon(bound time.Duration) time.Duration {
	if raceDetector {
		return 10 * bound
	}
	return bound
}

func TestAStreamOnOneReplicaShowsWhatAnotherWrites(t *testing.T) {
	t.Parallel()
	p := make(pace)
	m := pacedModel(t, p)
	url := testdb.PostgresURL(t)
	all := fleet(t, url, 2, m.environ())
	a := all[0].user("alice")
	turn := send(t, a, "", "Go")
	m.await(t, func(asked) bool { return true })
	writer, other := writerFirst(t, url, all, turn.AssistantMessage.ID)
	there := other.user("alice").Dial(t).Follow(t, turn.Conversation.ID, "")
	for _, pieces := range pacedPieces {
		for _, piece := range pieces {
			p <- struct{}{}
			there.UntilText(t, turn.AssistantMessage.ID, func(text string) bool { return strings.HasSuffix(text, piece) })
		}
	}
	reply := there.AwaitFinished(t, turn.AssistantMessage.ID)
	require.Equal(t, pacedText, reply.Content)
	require.Equal(t, stored(t, a, reply.ID), reply)
	require.Equal(t, []string{"STARTED", "SUCCEEDED", "STARTED", "SUCCEEDED"}, callStates(there, "add_task"))
	require.Zero(t, there.Rewinds)
	require.Equal(t, "completed", writer.logged("run attempt ended")["end"], "the other replica wrote it")
}

func TestJoiningOnAnotherReplicaShowsTheTextSoFarAtOnce(t *testing.T) {
	t.Parallel()
	// The model falls silent before the first checkpoint: the text is in the writer's memory alone.
	m := scripted(t, func(asked) providertest.Step { return providertest.StreamThenHang(textFrames("Once upon 🦊 ", "a time")...) })
	all := fleet(t, testdb.PostgresURL(t), 2, m.environ())
	a, b := all[0].user("alice"), all[1].user("alice")
	turn := send(t, a, "", "Tell me a story")
	whole := func(text string) bool { return text == "Once upon 🦊 a time" }
	a.Dial(t).Follow(t, turn.Conversation.ID, "").UntilText(t, turn.AssistantMessage.ID, whole)

	socket := b.Dial(t)
	joined := time.Now()
	socket.Follow(t, turn.Conversation.ID, "").UntilText(t, turn.AssistantMessage.ID, whole)
	took := time.Since(joined)
	t.Logf("the text so far came after %s", took)
	require.Less(t, took, soon(250*time.Millisecond))
}

func TestCancellingOnAnotherReplicaStopsTheReply(t *testing.T) {
	t.Parallel()
	stopped := make(chan time.Time, 1)
	m := scripted(t, func(asked) providertest.Step {
		stall := providertest.StreamThenHang(textFrames("On and on")...)
		return func(w http.ResponseWriter, r *http.Request) {
			stall(w, r)
			stopped <- time.Now()
		}
	})
	all := fleet(t, testdb.PostgresURL(t), 2, m.environ())
	a, b := all[0].user("alice"), all[1].user("alice")
	turn := send(t, a, "", "Talk")
	here := a.Dial(t).Follow(t, turn.Conversation.ID, "")
	here.UntilText(t, turn.AssistantMessage.ID, func(text string) bool { return text != "" })

	asked := time.Now()
	cancelReply(t, b, turn.AssistantMessage.ID)
	took := (<-stopped).Sub(asked)
	t.Logf("the model was left after %s", took)
	require.Less(t, took, soon(200*time.Millisecond))
	reply := here.AwaitFinished(t, turn.AssistantMessage.ID)
	require.Equal(t, "CANCELLED", reply.Status)
	require.Equal(t, "On and on", reply.Content)
	require.Equal(t, reply, stored(t, b, reply.ID))
}

func TestAKilledReplicasReplyIsTakenUpInTime(t *testing.T) {
	t.Parallel()
	const lease, sweep = 2 * time.Second, 200 * time.Millisecond
	m := stallOnce(t, "Once upon", "Once again from the start.")
	url := testdb.PostgresURL(t)
	all := fleet(t, url, 2, m.environ(), settings{"RUN_LEASE": lease.String(), "RUN_SWEEP": sweep.String()})
	turn := send(t, all[0].user("alice"), "", "Tell me a story")
	before := all[1].user("alice").Dial(t).Follow(t, turn.Conversation.ID, "")
	before.UntilText(t, turn.AssistantMessage.ID, func(text string) bool { return text == "Once upon" })
	writer, other := writerFirst(t, url, all, turn.AssistantMessage.ID)

	writer.kill()
	killed := time.Now()
	after := other.user("alice").Dial(t).ResumeAt(t, turn.Conversation.ID, before, len(before.Events))
	after.UntilText(t, turn.AssistantMessage.ID, func(text string) bool { return strings.HasPrefix(text, "Once again") })
	took := time.Since(killed)
	t.Logf("the reply went on after %s", took)
	require.Less(t, took, lease+sweep+soon(time.Second))
	require.Equal(t, "COMPLETED", after.AwaitFinished(t, turn.AssistantMessage.ID).Status)
}

func TestAStoppingReplicasReplyGoesOnElsewhereAtOnce(t *testing.T) {
	t.Parallel()
	var stalled atomic.Bool
	again := make(chan time.Time, 1)
	m := scripted(t, func(asked) providertest.Step {
		if !stalled.Swap(true) {
			return providertest.StreamThenHang(textFrames("Once upon")...)
		}
		again <- time.Now()
		return sayText("Once again from the start.")
	})
	url := testdb.PostgresURL(t)
	all := fleet(t, url, 2, m.environ(), settings{"LLM_TITLES": "false"})
	turn := send(t, all[0].user("alice"), "", "Tell me a story")
	before := all[1].user("alice").Dial(t).Follow(t, turn.Conversation.ID, "")
	before.UntilText(t, turn.AssistantMessage.ID, func(text string) bool { return text == "Once upon" })
	writer, other := writerFirst(t, url, all, turn.AssistantMessage.ID)
	there := other.user("alice").Dial(t).ResumeAt(t, turn.Conversation.ID, before, len(before.Events))

	stopped := time.Now()
	writer.terminate()
	reply := there.AwaitFinished(t, turn.AssistantMessage.ID)
	took := (<-again).Sub(stopped)
	t.Logf("another replica asked the model after %s", took)
	require.Less(t, took, soon(200*time.Millisecond))
	require.Equal(t, "COMPLETED", reply.Status)
	require.Equal(t, "Once again from the start.", reply.Content)
	require.Zero(t, writer.ended())
}

// writerFirst are two replicas in order: a run is taken by whoever is quicker, mostly the one that was asked.
func writerFirst(t *testing.T, url string, all []*child, messageID string) (writer, other *child) {
	t.Helper()
	if writerOf(t, url, messageID) == "b" {
		return all[1], all[0]
	}
	return all[0], all[1]
}

// writerOf is the name of the replica that holds a reply's run.
func writerOf(t *testing.T, url, messageID string) string {
	t.Helper()
	rows, err := testdb.Open(t, url).
		Client().
		QueryContext(t.Context(), "SELECT worker FROM runs WHERE message_id = $1", messageID)
	require.NoError(t, err)
	defer rows.Close()
	require.True(t, rows.Next())
	var worker string
	require.NoError(t, rows.Scan(&worker))
	require.NoError(t, rows.Err())
	name, _, _ := strings.Cut(worker, "-")
	return name
}

func TestManyReplicasThatStartTogetherMigrateOnce(t *testing.T) {
	t.Parallel()
	url := testdb.EmptyPostgresURL(t)
	var starting sync.WaitGroup
	all := make([]*child, 4)
	for i := range all {
		starting.Go(func() { all[i] = launch(t, url, settings{"MIGRATE": "true"}) })
	}
	starting.Wait()
	for i, one := range all {
		require.NotNil(t, one)
		createTask(t, one.user("alice"), vars{"title": fmt.Sprint(i)})
	}
	require.Len(t, allTasks(t, all[0].user("alice")), len(all))
	for line := range strings.Lines(output(t, settings{"DATABASE_URL": url}, "migrate", "status")) {
		require.NotContains(t, line, "pending")
	}
}
