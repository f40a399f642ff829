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
	"errand/internal/run"
	"errand/internal/stream/natsbus/natstest"
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

// The lease and the sweep of the replicas are minutes long: the free lock of the killed replica is what counts.
func TestKill_ReplicaWithReply_OtherReplicaResumes(t *testing.T) {
	t.Parallel()
	for name, settings := range map[string]harness.Settings{
		"PostgreSQL": {}, "NATS": {"NATS_URL": natstest.Start(t).URL()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := startModelStallingOnce(t, "Once upon", "Once again from the start.")
			url := testdb.PostgresURL(t)
			all := startReplicas(t, url, 2, m.Settings(), settings)
			killAndResume(t, url, all)
		})
	}
}

// killAndResume kills the replica that writes a reply, and waits until the other one has finished it.
func killAndResume(t *testing.T, url string, all []*harness.Process) {
	t.Helper()
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

// A replica behind a pooler has no session lock, like one of an older release. It must keep its runs while it lives.
func TestTakeover_ReplicaWithoutLock_KeepsReply(t *testing.T) {
	t.Parallel()
	p := make(stepper)
	m := startSteppedModel(t, p)
	url, bus := testdb.PostgresURL(t), harness.Settings{"NATS_URL": natstest.Start(t).URL()}
	pooled := startReplicas(t, testdb.NewPooler(t, url).URL(), 1, m.Settings(), bus)[0]
	turn := harness.Send(t, pooled.Client("alice"), "", "Go")
	m.WaitForRequest(t, func(harness.ModelRequest) bool { return true })
	require.Equal(t, "a", writerOf(t, url, turn.AssistantMessage.ID))
	other := startReplicas(t, url, 1, m.Settings(), bus, harness.Settings{"REPLICA_NAME": "new"})[0]
	stream := other.Client("alice").Dial(t).Follow(t, turn.Conversation.ID, "")
	started := time.Now()
	for _, pieces := range steppedPieces {
		for _, piece := range pieces {
			p <- struct{}{}
			stream.UntilText(t, turn.AssistantMessage.ID, func(text string) bool { return strings.HasSuffix(text, piece) })
			// Two probes of the other replica would see a free lock.
			require.Eventually(t, func() bool { return time.Since(started) > 2*run.DefaultProbeInterval }, time.Minute,
				run.DefaultProbeInterval)
		}
	}
	require.Equal(t, steppedText, stream.AwaitFinished(t, turn.AssistantMessage.ID).Content)
	require.Zero(t, stream.Rewinds, "one attempt wrote the reply")
}

// Behind a pooler, the lease decides, and the log says so.
func TestKill_ReplicaBehindPooler_OtherReplicaResumesAfterLease(t *testing.T) {
	t.Parallel()
	m := startModelStallingOnce(t, "Once upon", "Once again from the start.")
	url := testdb.PostgresURL(t)
	all := startReplicas(t, testdb.NewPooler(t, url).URL(), 2, m.Settings(), harness.Settings{
		"NATS_URL": natstest.Start(t).URL(), "RUN_LEASE": "1s", "RUN_SWEEP": "100ms",
	})
	killAndResume(t, url, all)
}

// A pooled URL works with a second, direct one.
func TestKill_PooledReplicaWithDirectURL_OtherReplicaResumes(t *testing.T) {
	t.Parallel()
	m := startModelStallingOnce(t, "Once upon", "Once again from the start.")
	url := testdb.PostgresURL(t)
	all := startReplicas(t, testdb.NewPooler(t, url).URL(), 2, m.Settings(), harness.Settings{"DATABASE_DIRECT_URL": url})
	killAndResume(t, url, all)
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
		require.NotEqual(t, "pending", strings.Fields(line)[1], line)
	}
}
