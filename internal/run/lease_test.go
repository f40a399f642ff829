package run

import (
	"context"
	"testing"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/store"
	"errand/internal/testdb"

	"github.com/stretchr/testify/require"
)

// writes is an effect: it sets the reply's text.
func writes(job Job, text string) func(context.Context, *ent.Tx) error {
	return func(ctx context.Context, tx *ent.Tx) error {
		return tx.Message.UpdateOneID(job.MessageID).SetContent(text).Exec(ctx)
	}
}

func TestAnExpiredRunIsTakenOverAndTheZombieWritesNothing(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		w, seen := world{t, db}, newWatcher()
		handlerA, callsA := puppet()
		handlerB, callsB := puppet()
		// No room for two: it must not take over its own run.
		a := w.start(w.engine(Options{Observer: seen, Concurrency: 1}), handlerA)
		queued := w.newTurn(w.person(), a)
		zombie := await(t, callsA)
		require.NoError(t, a.Do(zombie.ctx, zombie.job, writes(zombie.job, "half a")))

		w.expire(queued.ID)
		b := w.start(w.engine(Options{}), handlerB)
		heir := await(t, callsB)
		require.Equal(t, 2, heir.job.Attempt)
		require.Equal(t, 1, heir.job.Failures)

		require.ErrorIs(t, a.Do(zombie.ctx, zombie.job, writes(zombie.job, "from the grave")), ErrLeaseLost)
		require.ErrorIs(t, context.Cause(zombie.ctx), ErrLeaseLost, "the refusal ends its context")
		require.ErrorIs(t, a.Finish(zombie.ctx, zombie.job, complete, says("from the grave")), ErrLeaseLost)
		zombie.answer <- ErrLeaseLost
		_, end := seen.awaitEnd(t)
		require.Equal(t, ResultLeaseLost, end)

		require.Equal(t, "half a", w.message(queued.MessageID).Content)
		require.NoError(t, b.Finish(heir.ctx, heir.job, complete, says("all of it")))
		heir.answer <- nil
		require.Equal(t, "all of it", w.message(queued.MessageID).Content)
	})
}

// The fence is what stops a zombie: without it, its effects do commit.
func TestWithoutTheFenceAZombieWrites(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		w := world{t, db}
		a, b := w.engine(Options{}), w.engine(Options{})
		queued := w.newTurn(w.person(), a)
		zombie := w.claimOne(a)
		w.expire(queued.ID)
		heir := w.claimOne(b)
		require.NoError(t, b.Finish(context.Background(), heir, complete, says("all of it")))
		a.sql = newStatements(db.Dialect(), true)
		require.NoError(t, a.Finish(context.Background(), zombie, complete, says("from the grave")))
		require.Equal(t, "from the grave", w.message(queued.MessageID).Content)
	})
}

func (w world) claimOne(e *Engine) Job {
	w.t.Helper()
	found, err := e.claimUpTo(context.Background(), 1)
	require.NoError(w.t, err)
	require.Len(w.t, found, 1)
	return found[0].job
}

func TestAnEffectExtendsTheLeaseAndActsAsTheUser(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		w := world{t, db}
		e := w.engine(Options{})
		queued := w.newTurn(w.person(), e)
		foreign := w.newTurn(w.person(), e)
		job := w.claimOne(e)
		w.expire(queued.ID)
		require.NoError(t, e.Do(context.Background(), job, writes(job, "still here")))
		require.Greater(t, w.run(queued.ID).LeaseUntil, w.now())

		err := e.Do(context.Background(), job, writes(Job{MessageID: foreign.MessageID}, "mine now"))
		require.True(t, ent.IsNotFound(err), "got %v", err)
		require.Empty(t, w.message(foreign.MessageID).Content)
	})
}

func TestAnEffectThatFailsLeavesNothing(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		w := world{t, db}
		e := w.engine(Options{})
		queued := w.newTurn(w.person(), e)
		job := w.claimOne(e)
		err := e.Do(context.Background(), job, func(ctx context.Context, tx *ent.Tx) error {
			require.NoError(t, writes(job, "half")(ctx, tx))
			return context.DeadlineExceeded
		})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Empty(t, w.message(queued.MessageID).Content)
	})
}

func TestTheHeartbeatRenewsLeasesAndLearnsOfLossAndCancellation(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		w := world{t, db}
		handler, calls := puppet()
		e := w.start(w.engine(Options{Concurrency: 4}), handler)
		alice := w.person()
		byRun := map[string]attempt{}
		var queued []*ent.Run
		for range 4 {
			queued = append(queued, w.newTurn(alice, e))
			call := await(t, calls)
			byRun[call.job.RunID] = call
		}
		kept, stolen, stopped, gone := queued[0], queued[1], queued[2], queued[3]
		w.expire(kept.ID)
		require.NoError(t, db.Client().Run.UpdateOne(stolen).SetAttempt(2).Exec(system()))
		require.NoError(t, db.Client().Run.UpdateOne(stopped).SetCancelRequested(true).Exec(system()))
		require.NoError(t, db.Client().Conversation.DeleteOneID(gone.ConversationID).Exec(system()))

		e.heartbeat()
		require.Greater(t, w.run(kept.ID).LeaseUntil, w.now())
		require.NoError(t, byRun[kept.ID].ctx.Err())
		require.ErrorIs(t, context.Cause(byRun[stolen.ID].ctx), ErrLeaseLost)
		require.ErrorIs(t, context.Cause(byRun[stopped.ID].ctx), ErrCancelled)
		require.ErrorIs(t, context.Cause(byRun[gone.ID].ctx), ErrLeaseLost)
		for _, call := range byRun {
			call.answer <- e.Finish(call.ctx, call.job, complete, nil)
		}
	})
}

func TestAHeartbeatKeepsARunThroughManyLeases(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		w := world{t, db}
		handler, calls := puppet()
		e := w.start(w.engine(Options{Lease: 3 * time.Second}), handler)
		rival := w.engine(Options{})
		queued := w.newTurn(w.person(), e)
		call := await(t, calls)
		deadline := time.After(patience)
		for first := w.run(queued.ID).LeaseUntil; w.run(queued.ID).LeaseUntil < first+2000; {
			found, err := rival.claimUpTo(context.Background(), 1)
			require.NoError(t, err)
			require.Empty(t, found)
			select {
			case <-deadline:
				require.FailNow(t, "the lease is not renewed")
			case <-call.ctx.Done():
				require.FailNow(t, "the lease is lost")
			case <-time.After(20 * time.Millisecond): // between two looks at the row
			}
		}
		call.answer <- e.Finish(call.ctx, call.job, complete, nil)
	})
}

func TestWithoutADatabaseForALeaseAllWorkIsDropped(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, url string) {
		own := testdb.Open(t, url)
		w, seen := world{t, testdb.Open(t, url)}, newWatcher()
		handler, calls := puppet()
		e := world{t, own}.start(world{t, own}.engine(Options{Observer: seen, Lease: 300 * time.Millisecond}), handler)
		w.newTurn(w.person(), e)
		call := await(t, calls)
		require.NoError(t, own.Close())
		<-call.ctx.Done()
		require.ErrorIs(t, context.Cause(call.ctx), ErrLeaseLost)
		require.ErrorIs(t, e.Do(call.ctx, call.job, writes(call.job, "blind")), ErrLeaseLost)
		call.answer <- call.ctx.Err()
		_, end := seen.awaitEnd(t)
		require.Equal(t, ResultLeaseLost, end)
	})
}

func TestARunOutOfAttemptsIsGivenUpByTheSweep(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		w, seen := world{t, db}, newWatcher()
		told := make(chan enum.MessageStatus, 1)
		e := w.engine(Options{MaxAttempts: 2, Observer: seen, OnFinished: func(_ Job, s enum.MessageStatus) { told <- s }})
		queued := w.newTurn(w.person(), e)
		job := w.claimOne(e)
		require.NoError(t, e.Do(context.Background(), job, writes(job, "as far as it came")))
		w.expire(queued.ID)
		require.Equal(t, 1, w.claimOne(e).Failures)
		e.sweep(context.Background())
		require.Equal(t, enum.RunRunning, w.run(queued.ID).State, "its lease holds")
		w.expire(queued.ID)
		found, err := e.claimUpTo(context.Background(), 1)
		require.NoError(t, err)
		require.Empty(t, found)

		e.sweep(context.Background())
		require.Equal(t, enum.MessageFailed, await(t, told))
		_, end := seen.awaitEnd(t)
		require.Equal(t, ResultFailed, end)
		require.Equal(t, enum.RunFailed, w.run(queued.ID).State)
		require.Equal(t, 2, w.run(queued.ID).Failures)
		reply := w.message(queued.MessageID)
		require.Equal(t, enum.MessageFailed, reply.Status)
		require.Equal(t, "SERVICE_UNAVAILABLE", *reply.ErrorCode)
		require.Equal(t, "as far as it came", reply.Content)
		require.NotNil(t, reply.FinishedAt)
		e.sweep(context.Background())
		require.Empty(t, told, "once")
	})
}

func TestACommitWhoseAnswerWasLostIsStillAnnounced(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		w, seen := world{t, db}, newWatcher()
		told := make(chan enum.MessageStatus, 2)
		handler, calls := puppet()
		e := w.start(w.engine(Options{Observer: seen, OnFinished: func(_ Job, s enum.MessageStatus) { told <- s }}), handler)
		w.newTurn(w.person(), e)
		call := await(t, calls)
		_, err := e.finish(system(), call.job, complete, 0, nil) // the commit alone, unknown to the engine
		require.NoError(t, err)
		call.answer <- context.DeadlineExceeded
		_, end := seen.awaitEnd(t)
		require.Equal(t, ResultCompleted, end)
		require.Equal(t, enum.MessageCompleted, await(t, told))
	})
}
