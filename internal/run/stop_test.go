package run

import (
	"context"
	"errors"
	"testing"
	"time"

	"errand/ent/enum"
	"errand/internal/store"
	"errand/internal/testdb"

	"github.com/stretchr/testify/require"
)

func TestStop_RunInProgress_IsHandedOverAtOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		env, observer, bus := environment{t, db}, newRecordingObserver(), newRecordingNotifier()
		handlerA, callsA := manualHandler()
		handlerB, callsB := manualHandler()
		a := env.startEngine(env.newEngine(Options{Observer: observer, Notifier: bus}), handlerA)
		queued := env.addConversation(env.newUser(), a)
		call := receive(t, callsA)
		require.NoError(t, a.Do(call.ctx, call.job, writeContent(call.job, "half")))
		b := env.startEngine(env.newEngine(Options{}), handlerB)
		bus.peer = b

		stopped := make(chan error, 1)
		go func() { stopped <- a.Stop(context.Background()) }()
		receive(t, call.ctx.Done())
		require.ErrorIs(t, context.Cause(call.ctx), ErrShutdown)
		require.ErrorIs(t, a.Do(call.ctx, call.job, writeContent(call.job, "late")), ErrShutdown)
		call.result <- errors.New("ignored")
		successor := receive(t, callsB) // by the notification: the next sweep is an hour away
		require.NoError(t, receive(t, stopped))
		require.Equal(t, 2, successor.job.Attempt)
		require.Zero(t, successor.job.Failures)
		require.Equal(t, "half", env.findMessage(queued.MessageID).Content)
		_, end := observer.receiveEnd(t)
		require.Equal(t, ResultHandedOver, end)
		successor.result <- b.Finish(successor.ctx, successor.job, completed, nil)
		stopEngine(t, a) // again
	})
}

func TestStop_HandlerFinishesItsRun_IsCompleted(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		env, observer := environment{t, db}, newRecordingObserver()
		handler, calls := manualHandler()
		e := env.startEngine(env.newEngine(Options{Observer: observer}), handler)
		queued := env.addConversation(env.newUser(), e)
		call := receive(t, calls)
		stopped := make(chan error, 1)
		go func() { stopped <- e.Stop(context.Background()) }()
		<-call.ctx.Done()
		require.NoError(t, e.Finish(call.ctx, call.job, completed, setContent("just in time")))
		call.result <- nil
		require.NoError(t, receive(t, stopped))
		_, end := observer.receiveEnd(t)
		require.Equal(t, ResultCompleted, end)
		require.Equal(t, "just in time", env.findMessage(queued.MessageID).Content)
	})
}

func TestStop_ContextEnds_ReturnsItsCause(t *testing.T) {
	env := environment{t, testdb.SQLite(t)}
	handler, calls := manualHandler()
	e := env.startEngine(env.newEngine(Options{}), handler)
	env.addConversation(env.newUser(), e)
	call := receive(t, calls)
	short, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, e.Stop(short), context.DeadlineExceeded)
	call.result <- nil
	stopEngine(t, e)
}

func TestStop_ClaimInProgress_IsHandedOver(t *testing.T) {
	env, observer := environment{t, testdb.SQLite(t)}, newRecordingObserver()
	e := env.newEngine(Options{Observer: observer})
	queued := env.addConversation(env.newUser(), e)
	found, err := e.queries.claim(context.Background(), e.reserveSlots())
	require.NoError(t, err)
	e.beginStop(ErrShutdown)
	e.startAttempts(found, time.Now())
	_, end := observer.receiveEnd(t)
	require.Equal(t, ResultHandedOver, end)
	require.Equal(t, enum.RunQueued, env.findRun(queued.ID).State)
	require.Zero(t, env.findRun(queued.ID).Failures)
	stopEngine(t, e)
}

func TestStart_UnusableEngineOrDatabase_Fails(t *testing.T) {
	db := testdb.SQLite(t)
	env := environment{t, db}
	idle := func(context.Context, Job) error { return nil }

	_, err := NewEngine(Options{Lease: time.Millisecond, Concurrency: -1})
	require.ErrorContains(t, err, "Client")
	require.ErrorContains(t, err, "1ms")
	require.ErrorContains(t, err, "-1")

	e := env.newEngine(Options{})
	require.Error(t, e.Start(context.Background(), nil))
	env.startEngine(e, idle)
	require.Error(t, e.Start(context.Background(), idle), "twice")

	neverStarted := env.newEngine(Options{})
	stopEngine(t, neverStarted)
	require.Error(t, neverStarted.Start(context.Background(), idle), "after a stop")

	empty := environment{t, testdb.Open(t, testdb.EmptySQLiteURL(t))}
	unmigrated := empty.newEngine(Options{})
	require.ErrorContains(t, unmigrated.Start(context.Background(), idle), "runs table")
	stopEngine(t, unmigrated)
}

func TestWorkerName_SameReplica_IsUniqueWithinLimit(t *testing.T) {
	name := workerName("a-very-long-host-name-of-a-container-in-some-cluster-somewhere")
	require.LessOrEqual(t, len(name), 64)
	first, second := workerName("x"), workerName("x")
	require.NotEqual(t, first, second)
}
