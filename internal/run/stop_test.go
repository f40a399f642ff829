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

func TestAStopHandsRunsOverAtOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		w, seen, bus := world{t, db}, newWatcher(), newHints()
		handlerA, callsA := puppet()
		handlerB, callsB := puppet()
		a := w.start(w.engine(Options{Observer: seen, Notifier: bus}), handlerA)
		queued := w.newTurn(w.person(), a)
		call := await(t, callsA)
		require.NoError(t, a.Do(call.ctx, call.job, writes(call.job, "half")))
		b := w.start(w.engine(Options{}), handlerB)
		bus.peer = b

		asked := time.Now()
		stopped := make(chan error, 1)
		go func() { stopped <- a.Stop(context.Background()) }()
		<-call.ctx.Done()
		require.ErrorIs(t, context.Cause(call.ctx), ErrShutdown)
		require.ErrorIs(t, a.Do(call.ctx, call.job, writes(call.job, "late")), ErrShutdown)
		call.answer <- errors.New("whatever it says")
		heir := await(t, callsB)
		require.Less(t, time.Since(asked), promptly)
		require.NoError(t, await(t, stopped))
		require.Equal(t, 2, heir.job.Attempt)
		require.Zero(t, heir.job.Failures)
		require.Equal(t, "half", w.message(queued.MessageID).Content)
		_, end := seen.awaitEnd(t)
		require.Equal(t, ResultHandedOver, end)
		heir.answer <- b.Finish(heir.ctx, heir.job, complete, nil)
		stop(t, a) // again
	})
}

func TestAHandlerMayFinishWhileTheReplicaStops(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		w, seen := world{t, db}, newWatcher()
		handler, calls := puppet()
		e := w.start(w.engine(Options{Observer: seen}), handler)
		queued := w.newTurn(w.person(), e)
		call := await(t, calls)
		stopped := make(chan error, 1)
		go func() { stopped <- e.Stop(context.Background()) }()
		<-call.ctx.Done()
		require.NoError(t, e.Finish(call.ctx, call.job, complete, says("just in time")))
		call.answer <- nil
		require.NoError(t, await(t, stopped))
		_, end := seen.awaitEnd(t)
		require.Equal(t, ResultCompleted, end)
		require.Equal(t, "just in time", w.message(queued.MessageID).Content)
	})
}

func TestAStopDoesNotWaitForEver(t *testing.T) {
	w := world{t, testdb.SQLite(t)}
	handler, calls := puppet()
	e := w.start(w.engine(Options{}), handler)
	w.newTurn(w.person(), e)
	call := await(t, calls)
	short, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, e.Stop(short), context.DeadlineExceeded)
	call.answer <- nil
	stop(t, e)
}

func TestARunClaimedWhileStoppingIsGivenBack(t *testing.T) {
	w, seen := world{t, testdb.SQLite(t)}, newWatcher()
	e := w.engine(Options{Observer: seen})
	queued := w.newTurn(w.person(), e)
	found, err := e.claimUpTo(context.Background(), e.beginClaim())
	require.NoError(t, err)
	e.endSoft(ErrShutdown)
	e.endClaim(found, time.Now())
	_, end := seen.awaitEnd(t)
	require.Equal(t, ResultHandedOver, end)
	require.Equal(t, enum.RunQueued, w.run(queued.ID).State)
	require.Zero(t, w.run(queued.ID).Failures)
	stop(t, e)
}

func TestStartFailsFast(t *testing.T) {
	db := testdb.SQLite(t)
	w := world{t, db}
	idle := func(context.Context, Job) error { return nil }

	_, err := NewEngine(Options{Dialect: "mysql", Lease: time.Millisecond, Concurrency: -1})
	require.ErrorContains(t, err, "client")
	require.ErrorContains(t, err, "mysql")
	require.ErrorContains(t, err, "1ms")
	require.ErrorContains(t, err, "-1")

	e := w.engine(Options{})
	require.Error(t, e.Start(context.Background(), nil))
	w.start(e, idle)
	require.Error(t, e.Start(context.Background(), idle), "twice")

	never := w.engine(Options{})
	stop(t, never)
	require.Error(t, never.Start(context.Background(), idle), "after a stop")

	empty := world{t, testdb.Open(t, testdb.EmptySQLiteURL(t))}
	unmigrated := empty.engine(Options{})
	require.ErrorContains(t, unmigrated.Start(context.Background(), idle), "runs table")
	stop(t, unmigrated)
}

func TestWorkerNamesNeverRepeat(t *testing.T) {
	name := workerName("a-very-long-host-name-of-a-container-in-some-cluster-somewhere")
	require.LessOrEqual(t, len(name), 64)
	require.NotEqual(t, workerName("x"), workerName("x"))
}
