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

func TestCancellingAQueuedRunEndsItAndLetsTheNextOneStart(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		w := world{t, db}
		handler, calls := puppet()
		told := make(chan Job, 3)
		e := w.start(w.engine(Options{OnFinished: func(job Job, _ enum.MessageStatus) { told <- job }}), handler)
		alice := w.person()
		c := w.conversation(alice)
		w.turn(alice, e, c)
		second, third := w.turn(alice, e, c), w.turn(alice, e, c)
		call := await(t, calls)

		now, err := e.Cancel(alice, second.MessageID)
		require.NoError(t, err)
		require.True(t, now)
		require.Equal(t, second.ID, await(t, told).RunID)
		require.Equal(t, enum.RunCancelled, w.run(second.ID).State)
		reply := w.message(second.MessageID)
		require.Equal(t, enum.MessageCancelled, reply.Status)
		require.Nil(t, reply.ErrorCode)
		require.NotNil(t, reply.FinishedAt)
		now, err = e.Cancel(alice, second.MessageID)
		require.NoError(t, err)
		require.False(t, now, "it is over")

		require.NoError(t, e.Finish(call.ctx, call.job, complete, nil))
		call.answer <- nil
		next := await(t, calls)
		require.Equal(t, third.ID, next.job.RunID)
		next.answer <- e.Finish(next.ctx, next.job, complete, nil)
	})
}

func TestCancellingARunningReplyKeepsItsText(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		w, seen, remote := world{t, db}, newWatcher(), newHints()
		handler, calls := puppet()
		e := w.start(w.engine(Options{Observer: seen}), handler)
		remote.peer = e
		other := w.engine(Options{Notifier: remote})
		alice := w.person()
		for name, canceller := range map[string]*Engine{"here": e, "elsewhere": other} {
			queued := w.newTurn(alice, e)
			call := await(t, calls)
			asked := time.Now()
			now, err := canceller.Cancel(alice, queued.MessageID)
			require.NoError(t, err)
			require.False(t, now)
			<-call.ctx.Done()
			require.Less(t, time.Since(asked), promptly, name)
			require.ErrorIs(t, context.Cause(call.ctx), ErrCancelled)

			require.ErrorIs(t, e.Do(call.ctx, call.job, writes(call.job, "too late")), ErrCancelled)
			last, done := Detach(call.ctx)
			require.NoError(t, e.Do(last, call.job, writes(call.job, "last words")))
			done()
			closed := false
			outcome := Outcome{Status: enum.MessageCancelled, Effects: func(context.Context, *ent.Tx) error {
				closed = true
				return nil
			}}
			require.NoError(t, e.Finish(call.ctx, call.job, outcome, says("text so far")))
			require.True(t, closed)
			call.answer <- nil
			_, end := seen.awaitEnd(t)
			require.Equal(t, ResultCancelled, end)
			reply := w.message(queued.MessageID)
			require.Equal(t, enum.MessageCancelled, reply.Status)
			require.Equal(t, "text so far", reply.Content)
			require.Equal(t, enum.RunCancelled, w.run(queued.ID).State)
		}
	})
}

func TestAHandlerThatJustReturnsIsCancelledAllTheSame(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		w, seen := world{t, db}, newWatcher()
		handler, calls := puppet()
		e := w.start(w.engine(Options{Observer: seen}), handler)
		alice := w.person()
		for _, answer := range []error{nil, context.Canceled, ErrCancelled, PermanentError(apperr.Internal, nil)} {
			queued := w.newTurn(alice, e)
			call := await(t, calls)
			_, err := e.Cancel(alice, queued.MessageID)
			require.NoError(t, err)
			call.answer <- answer
			_, end := seen.awaitEnd(t)
			require.Equal(t, ResultCancelled, end)
			require.Nil(t, w.message(queued.MessageID).ErrorCode)
		}
	})
}

// The wish reaches a handler whose context was never cancelled: at its next effect, and at its end.
func TestAWishToStopThatWasCommittedFirstWins(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		w, seen := world{t, db}, newWatcher()
		handler, calls := puppet()
		e, other := w.start(w.engine(Options{Observer: seen}), handler), w.engine(Options{})
		alice := w.person()
		for _, act := range []func(attempt) error{
			func(c attempt) error { return e.Do(c.ctx, c.job, writes(c.job, "more")) },
			func(c attempt) error { return e.Finish(c.ctx, c.job, complete, says("all of it")) },
			func(attempt) error { return context.DeadlineExceeded },
		} {
			queued := w.newTurn(alice, e)
			call := await(t, calls)
			_, err := other.Cancel(alice, queued.MessageID) // nobody hears of it
			require.NoError(t, err)
			require.NoError(t, call.ctx.Err())
			call.answer <- act(call)
			_, end := seen.awaitEnd(t)
			require.Equal(t, ResultCancelled, end)
			require.Equal(t, enum.MessageCancelled, w.message(queued.MessageID).Status)
		}
	})
}

func TestCancellingUnderTheViewersPolicy(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		w := world{t, db}
		e := w.engine(Options{})
		queued := w.newTurn(w.person(), e)
		_, err := e.Cancel(w.person(), queued.MessageID)
		require.Equal(t, apperr.NotFound, apperr.CodeOf(err))
		_, err = e.Cancel(context.Background(), queued.MessageID)
		require.Equal(t, apperr.Unauthenticated, apperr.CodeOf(err))
		require.Equal(t, enum.RunQueued, w.run(queued.ID).State)
	})
}

func TestACancelledRunWhoseReplicaDied(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		w := world{t, db}
		e := w.engine(Options{})
		alice := w.person()
		// Expired before the wish: it ends at once.
		queued := w.newTurn(alice, e)
		w.claimOne(e)
		w.expire(queued.ID)
		now, err := e.Cancel(alice, queued.MessageID)
		require.NoError(t, err)
		require.True(t, now)
		require.Equal(t, enum.MessageCancelled, w.message(queued.MessageID).Status)
		// Expired after it: nobody takes it up again, the sweep ends it.
		queued = w.newTurn(alice, e)
		w.claimOne(e)
		now, err = e.Cancel(alice, queued.MessageID)
		require.NoError(t, err)
		require.False(t, now)
		w.expire(queued.ID)
		found, err := e.claimUpTo(context.Background(), 1)
		require.NoError(t, err)
		require.Empty(t, found)
		e.sweep(context.Background())
		require.Equal(t, enum.MessageCancelled, w.message(queued.MessageID).Status)
		require.Equal(t, enum.RunCancelled, w.run(queued.ID).State)
	})
}

// A hint that arrives between a claim's commit and its answer must not be lost.
func TestACancellationDuringAClaim(t *testing.T) {
	w, seen := world{t, testdb.SQLite(t)}, newWatcher()
	e := w.engine(Options{Observer: seen})
	alice := w.person()
	queued := w.newTurn(alice, e)
	e.handler = func(ctx context.Context, _ Job) error {
		<-ctx.Done()
		return context.Cause(ctx)
	}
	room := e.beginClaim()
	found, err := e.claimUpTo(context.Background(), room)
	require.NoError(t, err)
	_, err = e.Cancel(alice, queued.MessageID)
	require.NoError(t, err)
	e.endClaim(found, time.Now())
	_, end := seen.awaitEnd(t)
	require.Equal(t, ResultCancelled, end)
	require.Equal(t, enum.MessageCancelled, w.message(queued.MessageID).Status)
	stop(t, e)
}
