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
	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// startReplicas starts replicas a, b, … on one database. Renewals (40 s) and sweeps are rarer than any test waits, so
// that whatever one replica does about a reply of another, it does because of an event on the bus.
func startReplicas(t *testing.T, url string, n int, settings ...harness.Settings) []*harness.Process {
	t.Helper()
	all := make([]*harness.Process, n)
	for i := range all {
		name := string(rune('a' + i))
		merged := append([]harness.Settings{{"REPLICA_NAME": name, "RUN_LEASE": "2m", "RUN_SWEEP": "1m"}}, settings...)
		all[i] = harness.StartProcess(t, url, merged...)
	}
	return all
}

func TestStream_WriterOnOtherReplica_ReceivesText(t *testing.T) {
	t.Parallel()
	p := make(stepper)
	m := startSteppedModel(t, p)
	url := testdb.PostgresURL(t)
	all := startReplicas(t, url, 2, m.Settings())
	a := all[0].Client("alice")
	turn := harness.Send(t, a, "", "Go")
	m.WaitForRequest(t, func(harness.ModelRequest) bool { return true })
	writer, other := writerAndOther(t, url, all, turn.AssistantMessage.ID)
	stream := other.Client("alice").Dial(t).Follow(t, turn.Conversation.ID, "")
	for _, pieces := range steppedPieces {
		for _, piece := range pieces {
			p <- struct{}{}
			stream.UntilText(t, turn.AssistantMessage.ID, func(text string) bool { return strings.HasSuffix(text, piece) })
		}
	}
	reply := stream.AwaitFinished(t, turn.AssistantMessage.ID)
	require.Equal(t, steppedText, reply.Content)
	require.Equal(t, harness.StoredMessage(t, a, reply.ID), reply)
	require.Equal(t, []string{"STARTED", "SUCCEEDED", "STARTED", "SUCCEEDED"}, toolCallStates(stream, "add_task"))
	require.Zero(t, stream.Rewinds)
	require.Equal(t, "completed", writer.WaitForLog("run attempt ended")["end"], "the writer completed the reply")
}

func TestStream_JoinOnOtherReplica_ReceivesTextSoFar(t *testing.T) {
	t.Parallel()
	// The model stalls before the first checkpoint, so the text is only in the writer's memory.
	m := harness.StartModel(t, func(harness.ModelRequest) providertest.Step {
		return providertest.StreamThenHang(harness.TextFrames("Once upon 🦊 ", "a time")...)
	})
	all := startReplicas(t, testdb.PostgresURL(t), 2, m.Settings())
	a, b := all[0].Client("alice"), all[1].Client("alice")
	turn := harness.Send(t, a, "", "Tell me a story")
	isComplete := func(text string) bool { return text == "Once upon 🦊 a time" }
	a.Dial(t).Follow(t, turn.Conversation.ID, "").UntilText(t, turn.AssistantMessage.ID, isComplete)

	socket := b.Dial(t)
	joined := time.Now()
	socket.Follow(t, turn.Conversation.ID, "").UntilText(t, turn.AssistantMessage.ID, isComplete)
	t.Logf("the text so far arrived after %s", time.Since(joined))
}

func TestCancelReply_OnOtherReplica_StopsReply(t *testing.T) {
	t.Parallel()
	stopped := make(chan time.Time, 1)
	m := harness.StartModel(t, func(harness.ModelRequest) providertest.Step {
		stall := providertest.StreamThenHang(harness.TextFrames("On and on")...)
		return func(w http.ResponseWriter, r *http.Request) {
			stall(w, r)
			stopped <- time.Now()
		}
	})
	all := startReplicas(t, testdb.PostgresURL(t), 2, m.Settings())
	a, b := all[0].Client("alice"), all[1].Client("alice")
	turn := harness.Send(t, a, "", "Talk")
	stream := a.Dial(t).Follow(t, turn.Conversation.ID, "")
	stream.UntilText(t, turn.AssistantMessage.ID, func(text string) bool { return text != "" })

	requested := time.Now()
	harness.CancelReply(t, b, turn.AssistantMessage.ID)
	t.Logf("the model request was cancelled after %s", (<-stopped).Sub(requested))
	reply := stream.AwaitFinished(t, turn.AssistantMessage.ID)
	require.Equal(t, "CANCELLED", reply.Status)
	require.Equal(t, "On and on", reply.Content)
	require.Equal(t, reply, harness.StoredMessage(t, b, reply.ID))
}

func TestKill_ReplicaWithReply_OtherReplicaResumes(t *testing.T) {
	t.Parallel()
	const lease, sweep = 2 * time.Second, 200 * time.Millisecond
	m := startModelStallingOnce(t, "Once upon", "Once again from the start.")
	url := testdb.PostgresURL(t)
	all := startReplicas(t, url, 2, m.Settings(), harness.Settings{
		"RUN_LEASE": lease.String(),
		"RUN_SWEEP": sweep.String(),
	})
	turn := harness.Send(t, all[0].Client("alice"), "", "Tell me a story")
	before := all[1].Client("alice").Dial(t).Follow(t, turn.Conversation.ID, "")
	before.UntilText(t, turn.AssistantMessage.ID, func(text string) bool { return text == "Once upon" })
	writer, other := writerAndOther(t, url, all, turn.AssistantMessage.ID)

	writer.Kill()
	killed := time.Now()
	after := other.Client("alice").Dial(t).ResumeAt(t, turn.Conversation.ID, before, len(before.Events))
	after.UntilText(t, turn.AssistantMessage.ID, func(text string) bool { return strings.HasPrefix(text, "Once again") })
	t.Logf("the reply continued after %s", time.Since(killed))
	require.Equal(t, "COMPLETED", after.AwaitFinished(t, turn.AssistantMessage.ID).Status)
}

func TestShutdown_ReplicaWithReply_OtherReplicaResumesAtOnce(t *testing.T) {
	t.Parallel()
	var stalled atomic.Bool
	resumed := make(chan time.Time, 1)
	m := harness.StartModel(t, func(harness.ModelRequest) providertest.Step {
		if !stalled.Swap(true) {
			return providertest.StreamThenHang(harness.TextFrames("Once upon")...)
		}
		resumed <- time.Now()
		return harness.TextResponse("Once again from the start.")
	})
	url := testdb.PostgresURL(t)
	all := startReplicas(t, url, 2, m.Settings(), harness.Settings{"LLM_TITLES": "false"})
	turn := harness.Send(t, all[0].Client("alice"), "", "Tell me a story")
	before := all[1].Client("alice").Dial(t).Follow(t, turn.Conversation.ID, "")
	before.UntilText(t, turn.AssistantMessage.ID, func(text string) bool { return text == "Once upon" })
	writer, other := writerAndOther(t, url, all, turn.AssistantMessage.ID)
	stream := other.Client("alice").Dial(t).ResumeAt(t, turn.Conversation.ID, before, len(before.Events))

	stopped := time.Now()
	writer.Terminate()
	reply := stream.AwaitFinished(t, turn.AssistantMessage.ID)
	t.Logf("another replica called the model after %s", (<-resumed).Sub(stopped))
	require.Equal(t, "COMPLETED", reply.Status)
	require.Equal(t, "Once again from the start.", reply.Content)
	require.Zero(t, writer.Wait())
}

// writerAndOther returns the replica that executes a run, and the other. Either can claim it.
func writerAndOther(t *testing.T, url string, all []*harness.Process, messageID string) (writer,
	other *harness.Process,
) {
	t.Helper()
	if writerOf(t, url, messageID) == "b" {
		return all[1], all[0]
	}
	return all[0], all[1]
}

// writerOf returns the name of the replica that holds a reply's run.
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

func TestMigrate_ConcurrentStarts_MigrateOnce(t *testing.T) {
	t.Parallel()
	url := testdb.EmptyPostgresURL(t)
	var starting sync.WaitGroup
	all := make([]*harness.Process, 4)
	for i := range all {
		starting.Go(func() { all[i] = harness.StartProcess(t, url, harness.Settings{"MIGRATE": "true"}) })
	}
	starting.Wait()
	for i, replica := range all {
		require.NotNil(t, replica)
		harness.CreateTask(t, replica.Client("alice"), testclient.Vars{"title": fmt.Sprint(i)})
	}
	require.Len(t, harness.AllTasks(t, all[0].Client("alice")), len(all))
	for line := range strings.Lines(harness.RunCommand(t, harness.Settings{"DATABASE_URL": url}, "migrate", "status")) {
		require.NotContains(t, line, "pending")
	}
}
