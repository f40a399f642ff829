package run

import (
	"context"
	"errors"
	"testing"
	"time"

	"errand/ent/enum"
	"errand/internal/store"
	"errand/internal/testdb"
	"errand/internal/viewer"

	"github.com/stretchr/testify/require"
)

func TestEngine_OneRun_GoesFromQueuedToDone(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		env, observer := environment{t, db}, newRecordingObserver()
		finished := make(chan enum.MessageStatus, 1)
		handler, calls := manualHandler()
		e := env.startEngine(
			env.newEngine(Options{Observer: observer, OnFinished: func(_ Job, s enum.MessageStatus) { finished <- s }}),
			handler,
		)
		alice := env.newUser()
		queued := env.addConversation(alice, e)
		require.Equal(t, enum.RunQueued, queued.State)
		require.Positive(t, queued.CreatedAt)

		call := receive(t, calls)
		v, _ := viewer.FromContext(alice)
		require.Equal(t, Job{
			RunID: queued.ID, UserID: v.UserID, ConversationID: queued.ConversationID,
			MessageID: queued.MessageID, Position: 2, Attempt: 1,
		}, call.job)
		agent, ok := viewer.FromContext(call.ctx)
		require.True(t, ok)
		require.Equal(t, viewer.Viewer{UserID: v.UserID, Actor: viewer.ActorAgent}, agent)
		running := env.findRun(queued.ID)
		require.Equal(t, enum.RunRunning, running.State)
		require.Equal(t, e.queries.worker, running.Worker)
		require.Greater(t, running.LeaseUntil, running.StartedAt)

		require.NoError(t, e.Finish(call.ctx, call.job, completed, setContent("hello yourself")))
		require.Equal(t, enum.MessageCompleted, receive(t, finished))
		require.ErrorIs(t, e.Finish(call.ctx, call.job, completed, nil), ErrLeaseLost, "a run finishes once")
		call.result <- nil
		_, end := observer.receiveEnd(t)
		require.Equal(t, ResultCompleted, end)
		done := env.findRun(queued.ID)
		require.Equal(t, enum.RunDone, done.State)
		require.GreaterOrEqual(t, done.FinishedAt, done.StartedAt)
		reply := env.findMessage(queued.MessageID)
		require.Equal(t, enum.MessageCompleted, reply.Status)
		require.Equal(t, "hello yourself", reply.Content)
		require.NotNil(t, reply.FinishedAt)
	})
}

func TestEngine_RunsOfAConversation_ExecuteInOrder(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		env := environment{t, db}
		handler, calls := manualHandler()
		e := env.startEngine(env.newEngine(Options{}), handler)
		alice := env.newUser()
		c := env.newConversation(alice)
		first, second := env.addTurn(alice, e, c), env.addTurn(alice, e, c)
		other := env.addConversation(alice, e)

		// The other conversation's run starts while the first runs; the second does not.
		a, b := receive(t, calls), receive(t, calls)
		if a.job.RunID != first.ID {
			a, b = b, a
		}
		require.Equal(t, first.ID, a.job.RunID)
		require.Equal(t, other.ID, b.job.RunID)
		require.NoError(t, e.Finish(b.ctx, b.job, completed, nil))
		b.result <- nil
		found, err := e.queries.claim(context.Background(), 10)
		require.NoError(t, err)
		require.Empty(t, found, "the second waits for the first")

		// The commit of Finish lets the second start, before the first handler has returned.
		require.NoError(t, e.Finish(a.ctx, a.job, completed, nil))
		next := receive(t, calls)
		require.Equal(t, second.ID, next.job.RunID)
		a.result <- nil
		require.NoError(t, e.Finish(next.ctx, next.job, completed, nil))
		next.result <- nil
	})
}

func TestEngine_EarlierRunAwaitsRetry_LaterRunWaits(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		env, observer := environment{t, db}, newRecordingObserver()
		handler, calls := manualHandler()
		e := env.startEngine(env.newEngine(Options{Observer: observer}), handler)
		alice := env.newUser()
		c := env.newConversation(alice)
		first := env.addTurn(alice, e, c)
		env.addTurn(alice, e, c)
		receive(t, calls).result <- errors.New("temporary")
		observer.receiveEnd(t)
		found, err := e.queries.claim(context.Background(), 10)
		require.NoError(t, err)
		require.Empty(t, found)
		env.makeDue(first.ID)
		e.Wake()
		again := receive(t, calls)
		require.Equal(t, first.ID, again.job.RunID)
		require.NoError(t, e.Finish(again.ctx, again.job, completed, nil))
		again.result <- nil
		last := receive(t, calls)
		last.result <- e.Finish(last.ctx, last.job, completed, nil)
	})
}

func TestEngine_AllSlotsBusy_NotifiesOtherReplicas(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		env, hints := environment{t, db}, newRecordingNotifier()
		handler, calls := manualHandler()
		e := env.startEngine(env.newEngine(Options{Concurrency: 2, Notifier: hints}), handler)
		alice := env.newUser()
		for range 2 {
			env.addConversation(alice, e)
		}
		a, b := receive(t, calls), receive(t, calls)
		third := env.addConversation(alice, e)
		receive(t, hints.queued) // the others are finished that there is work
		require.Zero(t, e.reserveSlots())
		require.Equal(t, enum.RunQueued, env.findRun(third.ID).State)
		for _, call := range []handlerCall{a, b} {
			require.NoError(t, e.Finish(call.ctx, call.job, completed, nil))
			call.result <- nil
		}
		c := receive(t, calls)
		require.Equal(t, third.ID, c.job.RunID)
		require.NoError(t, e.Finish(c.ctx, c.job, completed, nil))
		c.result <- nil
	})
}

func TestClaim_OneUsersBacklog_IsInterleavedWithOthers(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		env := environment{t, db}
		e := env.newEngine(Options{})
		alice, bob := env.newUser(), env.newUser()
		for range 4 {
			env.addConversation(alice, e)
		}
		late := env.addConversation(bob, e)
		found, err := e.queries.claim(context.Background(), 2)
		require.NoError(t, err)
		require.Len(t, found, 2)
		require.Contains(t, []string{found[0].job.RunID, found[1].job.RunID}, late.ID)

		// Running runs count: bob's second comes before alice's third.
		env.addConversation(alice, e)
		found, err = e.queries.claim(context.Background(), 1)
		require.NoError(t, err)
		require.Len(t, found, 1)
		late = env.addConversation(bob, e)
		found, err = e.queries.claim(context.Background(), 1)
		require.NoError(t, err)
		require.Len(t, found, 1)
		require.Equal(t, late.ID, found[0].job.RunID)
	})
}

func TestClaim_QueuedRun_ReportsQueueTime(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		env := environment{t, db}
		e := env.newEngine(Options{})
		queued := env.addConversation(env.newUser(), e)
		require.NoError(t, db.Client().Run.UpdateOne(queued).SetAvailableAt(queued.AvailableAt-5000).Exec(system()))
		found, err := e.queries.claim(context.Background(), 1)
		require.NoError(t, err)
		require.Len(t, found, 1)
		require.InDelta(t, 5*time.Second, found[0].queueTime, float64(4*time.Second))
		require.GreaterOrEqual(t, found[0].queueTime, 5*time.Second)
	})
}
