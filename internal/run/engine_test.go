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

func TestAReplyIsWrittenFromQueueToTerminalState(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		w, seen := world{t, db}, newWatcher()
		told := make(chan enum.MessageStatus, 1)
		handler, calls := puppet()
		e := w.start(w.engine(Options{Observer: seen, OnFinished: func(_ Job, s enum.MessageStatus) { told <- s }}), handler)
		alice := w.person()
		queued := w.newTurn(alice, e)
		require.Equal(t, enum.RunQueued, queued.State)
		require.Positive(t, queued.CreatedAt)

		call := await(t, calls)
		v, _ := viewer.FromContext(alice)
		require.Equal(t, Job{
			RunID: queued.ID, UserID: v.UserID, ConversationID: queued.ConversationID,
			MessageID: queued.MessageID, Position: 2, Attempt: 1,
		}, call.job)
		agent, ok := viewer.FromContext(call.ctx)
		require.True(t, ok)
		require.Equal(t, viewer.Viewer{UserID: v.UserID, Actor: viewer.ActorAgent}, agent)
		running := w.run(queued.ID)
		require.Equal(t, enum.RunRunning, running.State)
		require.Equal(t, e.worker, running.Worker)
		require.Greater(t, running.LeaseUntil, running.StartedAt)

		require.NoError(t, e.Finish(call.ctx, call.job, complete, says("hello yourself")))
		require.Equal(t, enum.MessageCompleted, await(t, told))
		require.ErrorIs(t, e.Finish(call.ctx, call.job, complete, nil), ErrLeaseLost, "terminal once")
		call.answer <- nil
		_, end := seen.awaitEnd(t)
		require.Equal(t, ResultCompleted, end)
		done := w.run(queued.ID)
		require.Equal(t, enum.RunDone, done.State)
		require.GreaterOrEqual(t, done.FinishedAt, done.StartedAt)
		reply := w.message(queued.MessageID)
		require.Equal(t, enum.MessageCompleted, reply.Status)
		require.Equal(t, "hello yourself", reply.Content)
		require.NotNil(t, reply.FinishedAt)
	})
}

func TestRunsOfAConversationFollowEachOther(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		w := world{t, db}
		handler, calls := puppet()
		e := w.start(w.engine(Options{}), handler)
		alice := w.person()
		c := w.conversation(alice)
		first, second := w.turn(alice, e, c), w.turn(alice, e, c)
		other := w.newTurn(alice, e)

		// The other conversation's run starts while the first runs; the second does not.
		a, b := await(t, calls), await(t, calls)
		if a.job.RunID != first.ID {
			a, b = b, a
		}
		require.Equal(t, first.ID, a.job.RunID)
		require.Equal(t, other.ID, b.job.RunID)
		require.NoError(t, e.Finish(b.ctx, b.job, complete, nil))
		b.answer <- nil
		found, err := e.claimUpTo(context.Background(), 10)
		require.NoError(t, err)
		require.Empty(t, found, "the second waits for the first")

		// Not the answer but the commit of the first lets the second start.
		require.NoError(t, e.Finish(a.ctx, a.job, complete, nil))
		next := await(t, calls)
		require.Equal(t, second.ID, next.job.RunID)
		a.answer <- nil
		require.NoError(t, e.Finish(next.ctx, next.job, complete, nil))
		next.answer <- nil
	})
}

func TestARunWaitsForOneThatIsToBeTriedAgain(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		w, seen := world{t, db}, newWatcher()
		handler, calls := puppet()
		e := w.start(w.engine(Options{Observer: seen}), handler)
		alice := w.person()
		c := w.conversation(alice)
		first := w.turn(alice, e, c)
		w.turn(alice, e, c)
		await(t, calls).answer <- errors.New("a hiccup")
		seen.awaitEnd(t)
		found, err := e.claimUpTo(context.Background(), 10)
		require.NoError(t, err)
		require.Empty(t, found)
		w.dueNow(first.ID)
		e.Wake()
		again := await(t, calls)
		require.Equal(t, first.ID, again.job.RunID)
		require.NoError(t, e.Finish(again.ctx, again.job, complete, nil))
		again.answer <- nil
		last := await(t, calls)
		last.answer <- e.Finish(last.ctx, last.job, complete, nil)
	})
}

func TestNoMoreRunsThanThereIsRoomFor(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		w, hints := world{t, db}, newHints()
		handler, calls := puppet()
		e := w.start(w.engine(Options{Concurrency: 2, Notifier: hints}), handler)
		alice := w.person()
		for range 2 {
			w.newTurn(alice, e)
		}
		a, b := await(t, calls), await(t, calls)
		third := w.newTurn(alice, e)
		await(t, hints.wakes) // the others are told that there is work
		require.Zero(t, e.beginClaim())
		require.Equal(t, enum.RunQueued, w.run(third.ID).State)
		for _, call := range []attempt{a, b} {
			require.NoError(t, e.Finish(call.ctx, call.job, complete, nil))
			call.answer <- nil
		}
		c := await(t, calls)
		require.Equal(t, third.ID, c.job.RunID)
		require.NoError(t, e.Finish(c.ctx, c.job, complete, nil))
		c.answer <- nil
	})
}

func TestOnePersonsBacklogDoesNotFillAReplica(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		w := world{t, db}
		e := w.engine(Options{})
		alice, bob := w.person(), w.person()
		for range 4 {
			w.newTurn(alice, e)
		}
		late := w.newTurn(bob, e)
		found, err := e.claimUpTo(context.Background(), 2)
		require.NoError(t, err)
		require.Len(t, found, 2)
		require.Contains(t, []string{found[0].job.RunID, found[1].job.RunID}, late.ID)

		// Those already running count: bob's next comes before alice's third.
		w.newTurn(alice, e)
		found, err = e.claimUpTo(context.Background(), 1)
		require.NoError(t, err)
		require.Len(t, found, 1)
		late = w.newTurn(bob, e)
		found, err = e.claimUpTo(context.Background(), 1)
		require.NoError(t, err)
		require.Len(t, found, 1)
		require.Equal(t, late.ID, found[0].job.RunID)
	})
}

func TestTheTimeInTheQueueIsMeasured(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		w := world{t, db}
		e := w.engine(Options{})
		queued := w.newTurn(w.person(), e)
		require.NoError(t, db.Client().Run.UpdateOne(queued).SetAvailableAt(queued.AvailableAt-5000).Exec(system()))
		found, err := e.claimUpTo(context.Background(), 1)
		require.NoError(t, err)
		require.Len(t, found, 1)
		require.InDelta(t, 5*time.Second, found[0].waited, float64(4*time.Second))
		require.GreaterOrEqual(t, found[0].waited, 5*time.Second)
	})
}
