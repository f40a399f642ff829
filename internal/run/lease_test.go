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

// writeContent returns an effect that sets the reply's text.
func writeContent(job Job, text string) func(context.Context, *ent.Tx) error {
	return func(ctx context.Context, tx *ent.Tx) error {
		return tx.Message.UpdateOneID(job.MessageID).SetContent(text).Exec(ctx)
	}
}

func TestFence_ExpiredLeaseClaimedAgain_RejectsOldAttempt(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		env, observer := environment{t, db}, newRecordingObserver()
		handlerA, callsA := manualHandler()
		handlerB, callsB := manualHandler()
		// With one slot, it cannot claim its own expired run.
		a := env.startEngine(env.newEngine(Options{Observer: observer, Concurrency: 1}), handlerA)
		queued := env.addConversation(env.newUser(), a)
		stale := receive(t, callsA)
		require.NoError(t, a.Do(stale.ctx, stale.job, writeContent(stale.job, "half a")))

		env.expireLease(queued.ID)
		b := env.startEngine(env.newEngine(Options{}), handlerB)
		successor := receive(t, callsB)
		require.Equal(t, 2, successor.job.Attempt)
		require.Equal(t, 1, successor.job.Failures)

		require.ErrorIs(t, a.Do(stale.ctx, stale.job, writeContent(stale.job, "stale text")), ErrLeaseLost)
		require.ErrorIs(t, context.Cause(stale.ctx), ErrLeaseLost, "the rejection cancels the context")
		require.ErrorIs(t, a.Finish(stale.ctx, stale.job, completed, setContent("stale text")), ErrLeaseLost)
		stale.result <- ErrLeaseLost
		_, end := observer.receiveEnd(t)
		require.Equal(t, ResultLeaseLost, end)

		require.Equal(t, "half a", env.findMessage(queued.MessageID).Content)
		require.NoError(t, b.Finish(successor.ctx, successor.job, completed, setContent("all of it")))
		successor.result <- nil
		require.Equal(t, "all of it", env.findMessage(queued.MessageID).Content)
	})
}

// This shows that the fence is what rejects stale attempts.
func TestFence_Disabled_OldAttemptCommits(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		env := environment{t, db}
		a, b := env.newEngine(Options{}), env.newEngine(Options{})
		queued := env.addConversation(env.newUser(), a)
		stale := env.claimOne(a)
		env.expireLease(queued.ID)
		successor := env.claimOne(b)
		require.NoError(t, b.Finish(context.Background(), successor, completed, setContent("all of it")))
		a.queries.sql = newStatements(db.SQL(), true)
		require.NoError(t, a.Finish(context.Background(), stale, completed, setContent("stale text")))
		require.Equal(t, "stale text", env.findMessage(queued.MessageID).Content)
	})
}

func (env environment) claimOne(e *Engine) Job {
	env.t.Helper()
	found, err := e.queries.claim(context.Background(), 1)
	require.NoError(env.t, err)
	require.Len(env.t, found, 1)
	return found[0].job
}

func TestDo_ExpiredLease_ExtendsItAndActsAsUser(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		env := environment{t, db}
		e := env.newEngine(Options{})
		queued := env.addConversation(env.newUser(), e)
		foreign := env.addConversation(env.newUser(), e)
		job := env.claimOne(e)
		env.expireLease(queued.ID)
		require.NoError(t, e.Do(context.Background(), job, writeContent(job, "alive")))
		require.Greater(t, env.findRun(queued.ID).LeaseUntil, env.databaseNow())

		err := e.Do(context.Background(), job, writeContent(Job{MessageID: foreign.MessageID}, "forged"))
		require.True(t, ent.IsNotFound(err), "got %v", err)
		require.Empty(t, env.findMessage(foreign.MessageID).Content)
	})
}

func TestDo_EffectFails_RollsBack(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		env := environment{t, db}
		e := env.newEngine(Options{})
		queued := env.addConversation(env.newUser(), e)
		job := env.claimOne(e)
		err := e.Do(context.Background(), job, func(ctx context.Context, tx *ent.Tx) error {
			require.NoError(t, writeContent(job, "half")(ctx, tx))
			return context.DeadlineExceeded
		})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Empty(t, env.findMessage(queued.MessageID).Content)
	})
}

func TestRenewLeases_LostAndCancelledRuns_CancelTsuccessorHandlers(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		env := environment{t, db}
		handler, calls := manualHandler()
		e := env.startEngine(env.newEngine(Options{Concurrency: 4}), handler)
		alice := env.newUser()
		byRun := map[string]handlerCall{}
		var queued []*ent.Run
		for range 4 {
			queued = append(queued, env.addConversation(alice, e))
			call := receive(t, calls)
			byRun[call.job.RunID] = call
		}
		kept, stolen, cancelled, deleted := queued[0], queued[1], queued[2], queued[3]
		env.expireLease(kept.ID)
		require.NoError(t, db.Client().Run.UpdateOne(stolen).SetAttempt(2).Exec(system()))
		require.NoError(t, db.Client().Run.UpdateOne(cancelled).SetCancelRequested(true).Exec(system()))
		require.NoError(t, db.Client().Conversation.DeleteOneID(deleted.ConversationID).Exec(system()))

		e.renewLeases()
		require.Greater(t, env.findRun(kept.ID).LeaseUntil, env.databaseNow())
		require.NoError(t, byRun[kept.ID].ctx.Err())
		require.ErrorIs(t, context.Cause(byRun[stolen.ID].ctx), ErrLeaseLost)
		require.ErrorIs(t, context.Cause(byRun[cancelled.ID].ctx), ErrCancelled)
		require.ErrorIs(t, context.Cause(byRun[deleted.ID].ctx), ErrLeaseLost)
		for _, call := range byRun {
			call.result <- e.Finish(call.ctx, call.job, completed, nil)
		}
	})
}

func TestRenewLeases_LongAttempt_IsNeverClaimedAgain(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		env := environment{t, db}
		handler, calls := manualHandler()
		e := env.startEngine(env.newEngine(Options{Lease: 9 * time.Second}), handler)
		other := env.newEngine(Options{})
		queued := env.addConversation(env.newUser(), e)
		call := receive(t, calls)
		deadline := time.After(testTimeout)
		for first := env.findRun(queued.ID).LeaseUntil; env.findRun(queued.ID).LeaseUntil < first+2000; {
			found, err := other.queries.claim(context.Background(), 1)
			require.NoError(t, err)
			require.Empty(t, found)
			select {
			case <-deadline:
				require.FailNow(t, "the lease was not renewed")
			case <-call.ctx.Done():
				require.FailNow(t, "the lease was lost")
			case <-time.After(20 * time.Millisecond): // polling interval
			}
		}
		call.result <- e.Finish(call.ctx, call.job, completed, nil)
	})
}

func TestRenewLeases_DatabaseUnreachable_DropsAttempts(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, url string) {
		closed := testdb.Open(t, url)
		env, observer := environment{t, testdb.Open(t, url)}, newRecordingObserver()
		handler, calls := manualHandler()
		e := environment{
			t,
			closed,
		}.startEngine(
			environment{t, closed}.newEngine(Options{Observer: observer, Lease: 300 * time.Millisecond}),
			handler,
		)
		env.addConversation(env.newUser(), e)
		call := receive(t, calls)
		require.NoError(t, closed.Close())
		<-call.ctx.Done()
		require.ErrorIs(t, context.Cause(call.ctx), ErrLeaseLost)
		require.ErrorIs(t, e.Do(call.ctx, call.job, writeContent(call.job, "without lease")), ErrLeaseLost)
		call.result <- call.ctx.Err()
		_, end := observer.receiveEnd(t)
		require.Equal(t, ResultLeaseLost, end)
	})
}

func TestFailStaleRuns_AttemptsUsedUp_FailsRunOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		env, observer := environment{t, db}, newRecordingObserver()
		finished := make(chan enum.MessageStatus, 1)
		e := env.newEngine(
			Options{MaxAttempts: 2, Observer: observer, OnFinished: func(_ Job, s enum.MessageStatus) { finished <- s }},
		)
		queued := env.addConversation(env.newUser(), e)
		job := env.claimOne(e)
		require.NoError(t, e.Do(context.Background(), job, writeContent(job, "partial text")))
		env.expireLease(queued.ID)
		require.Equal(t, 1, env.claimOne(e).Failures)
		e.failStaleRuns(context.Background())
		require.Equal(t, enum.RunRunning, env.findRun(queued.ID).State, "the lease is valid")
		env.expireLease(queued.ID)
		found, err := e.queries.claim(context.Background(), 1)
		require.NoError(t, err)
		require.Empty(t, found)

		e.failStaleRuns(context.Background())
		require.Equal(t, enum.MessageFailed, receive(t, finished))
		_, end := observer.receiveEnd(t)
		require.Equal(t, ResultFailed, end)
		require.Equal(t, enum.RunFailed, env.findRun(queued.ID).State)
		require.Equal(t, 2, env.findRun(queued.ID).Failures)
		reply := env.findMessage(queued.MessageID)
		require.Equal(t, enum.MessageFailed, reply.Status)
		require.Equal(t, "SERVICE_UNAVAILABLE", *reply.ErrorCode)
		require.Equal(t, "partial text", reply.Content)
		require.NotNil(t, reply.FinishedAt)
		e.failStaleRuns(context.Background())
		require.Empty(t, finished, "reported once")
	})
}

func TestFinishAttempt_CommitWithLostResponse_IsReported(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		env, observer := environment{t, db}, newRecordingObserver()
		finished := make(chan enum.MessageStatus, 2)
		handler, calls := manualHandler()
		e := env.startEngine(
			env.newEngine(Options{Observer: observer, OnFinished: func(_ Job, s enum.MessageStatus) { finished <- s }}),
			handler,
		)
		env.addConversation(env.newUser(), e)
		call := receive(t, calls)
		_, err := e.commitFinish(system(), call.job, completed, 0, nil) // the commit alone, unknown to the engine
		require.NoError(t, err)
		call.result <- context.DeadlineExceeded
		_, end := observer.receiveEnd(t)
		require.Equal(t, ResultCompleted, end)
		require.Equal(t, enum.MessageCompleted, receive(t, finished))
	})
}
