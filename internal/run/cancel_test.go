package run

import (
	"context"
	"testing"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/apperr"
	"errand/internal/store"
	"errand/internal/testdb"

	"github.com/stretchr/testify/require"
)

func TestCancel_QueuedRun_EndsItAndStartsTheNext(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		env := environment{t, db}
		handler, calls := manualHandler()
		finished := make(chan Job, 3)
		e := env.startEngine(
			env.newEngine(Options{OnFinished: func(job Job, _ enum.MessageStatus) { finished <- job }}),
			handler,
		)
		alice := env.newUser()
		c := env.newConversation(alice)
		env.addTurn(alice, e, c)
		second, third := env.addTurn(alice, e, c), env.addTurn(alice, e, c)
		call := receive(t, calls)

		now, err := e.Cancel(alice, second.MessageID)
		require.NoError(t, err)
		require.True(t, now)
		require.Equal(t, second.ID, receive(t, finished).RunID)
		require.Equal(t, enum.RunCancelled, env.findRun(second.ID).State)
		reply := env.findMessage(second.MessageID)
		require.Equal(t, enum.MessageCancelled, reply.Status)
		require.Nil(t, reply.ErrorCode)
		require.NotNil(t, reply.FinishedAt)
		now, err = e.Cancel(alice, second.MessageID)
		require.NoError(t, err)
		require.False(t, now, "the run is finished")

		require.NoError(t, e.Finish(call.ctx, call.job, completed, nil))
		call.result <- nil
		next := receive(t, calls)
		require.Equal(t, third.ID, next.job.RunID)
		next.result <- e.Finish(next.ctx, next.job, completed, nil)
	})
}

func TestCancel_RunningRun_KeepsTextWrittenSoFar(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		env, observer, remote := environment{t, db}, newRecordingObserver(), newRecordingNotifier()
		handler, calls := manualHandler()
		e := env.startEngine(env.newEngine(Options{Observer: observer}), handler)
		remote.peer = e
		other := env.newEngine(Options{Notifier: remote})
		alice := env.newUser()
		for name, canceller := range map[string]*Engine{"local": e, "other replica": other} {
			queued := env.addConversation(alice, e)
			call := receive(t, calls)
			now, err := canceller.Cancel(alice, queued.MessageID)
			require.NoError(t, err)
			require.False(t, now)
			receive(t, call.ctx.Done()) // by the notification: the next renewal is minutes away
			require.ErrorIs(t, context.Cause(call.ctx), ErrCancelled, name)

			require.ErrorIs(t, e.Do(call.ctx, call.job, writeContent(call.job, "too late")), ErrCancelled)
			ran := false
			outcome := Outcome{Status: enum.MessageCancelled, Effects: func(context.Context, *ent.Tx) error {
				ran = true
				return nil
			}}
			require.NoError(t, e.Finish(call.ctx, call.job, outcome, setContent("text so far")))
			require.True(t, ran)
			call.result <- nil
			_, end := observer.receiveEnd(t)
			require.Equal(t, ResultCancelled, end)
			reply := env.findMessage(queued.MessageID)
			require.Equal(t, enum.MessageCancelled, reply.Status)
			require.Equal(t, "text so far", reply.Content)
			require.Equal(t, enum.RunCancelled, env.findRun(queued.ID).State)
		}
	})
}

func TestCancel_HandlerReturnsWithoutFinish_EndsAsCancelled(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		env, observer := environment{t, db}, newRecordingObserver()
		handler, calls := manualHandler()
		e := env.startEngine(env.newEngine(Options{Observer: observer}), handler)
		alice := env.newUser()
		for _, answer := range []error{nil, context.Canceled, ErrCancelled, PermanentError(apperr.Internal, nil)} {
			queued := env.addConversation(alice, e)
			call := receive(t, calls)
			_, err := e.Cancel(alice, queued.MessageID)
			require.NoError(t, err)
			call.result <- answer
			_, end := observer.receiveEnd(t)
			require.Equal(t, ResultCancelled, end)
			require.Nil(t, env.findMessage(queued.MessageID).ErrorCode)
		}
	})
}

// The handler's context is not cancelled, so the cancellation takes effect at its next statement.
func TestCancel_CommittedBeforeFinish_TakesPrecedence(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		env, observer := environment{t, db}, newRecordingObserver()
		handler, calls := manualHandler()
		e, other := env.startEngine(env.newEngine(Options{Observer: observer}), handler), env.newEngine(Options{})
		alice := env.newUser()
		for _, act := range []func(handlerCall) error{
			func(c handlerCall) error { return e.Do(c.ctx, c.job, writeContent(c.job, "more")) },
			func(c handlerCall) error { return e.Finish(c.ctx, c.job, completed, setContent("all of it")) },
			func(handlerCall) error { return context.DeadlineExceeded },
		} {
			queued := env.addConversation(alice, e)
			call := receive(t, calls)
			_, err := other.Cancel(alice, queued.MessageID) // the other engine has no Notifier
			require.NoError(t, err)
			require.NoError(t, call.ctx.Err())
			call.result <- act(call)
			_, end := observer.receiveEnd(t)
			require.Equal(t, ResultCancelled, end)
			require.Equal(t, enum.MessageCancelled, env.findMessage(queued.MessageID).Status)
		}
	})
}

func TestCancel_OtherUserOrAnonymous_IsRejected(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		env := environment{t, db}
		e := env.newEngine(Options{})
		queued := env.addConversation(env.newUser(), e)
		_, err := e.Cancel(env.newUser(), queued.MessageID)
		require.Equal(t, apperr.NotFound, apperr.CodeOf(err))
		_, err = e.Cancel(context.Background(), queued.MessageID)
		require.Equal(t, apperr.Unauthenticated, apperr.CodeOf(err))
		require.Equal(t, enum.RunQueued, env.findRun(queued.ID).State)
	})
}

func TestCancel_ExpiredLease_EndsAsCancelled(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		env := environment{t, db}
		e := env.newEngine(Options{})
		alice := env.newUser()
		// Expired before the cancellation: it ends at once.
		queued := env.addConversation(alice, e)
		env.claimOne(e)
		env.expireLease(queued.ID)
		now, err := e.Cancel(alice, queued.MessageID)
		require.NoError(t, err)
		require.True(t, now)
		require.Equal(t, enum.MessageCancelled, env.findMessage(queued.MessageID).Status)
		// Expired after it: it cannot be claimed again, and failStaleRuns ends it.
		queued = env.addConversation(alice, e)
		env.claimOne(e)
		now, err = e.Cancel(alice, queued.MessageID)
		require.NoError(t, err)
		require.False(t, now)
		env.expireLease(queued.ID)
		found, err := e.queries.claim(context.Background(), 1)
		require.NoError(t, err)
		require.Empty(t, found)
		e.failStaleRuns(context.Background())
		require.Equal(t, enum.MessageCancelled, env.findMessage(queued.MessageID).Status)
		require.Equal(t, enum.RunCancelled, env.findRun(queued.ID).State)
	})
}

// A notification between the commit of a claim and its response must not be lost.
func TestCancel_DuringClaim_ReachesTheHandler(t *testing.T) {
	env, observer := environment{t, testdb.SQLite(t)}, newRecordingObserver()
	e := env.newEngine(Options{Observer: observer})
	alice := env.newUser()
	queued := env.addConversation(alice, e)
	e.handler = func(ctx context.Context, _ Job) error {
		<-ctx.Done()
		return context.Cause(ctx)
	}
	free := e.reserveSlots()
	found, err := e.queries.claim(context.Background(), free)
	require.NoError(t, err)
	_, err = e.Cancel(alice, queued.MessageID)
	require.NoError(t, err)
	e.startAttempts(found, time.Now())
	_, end := observer.receiveEnd(t)
	require.Equal(t, ResultCancelled, end)
	require.Equal(t, enum.MessageCancelled, env.findMessage(queued.MessageID).Status)
	stopEngine(t, e)
}
