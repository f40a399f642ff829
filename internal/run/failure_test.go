package run

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/apperr"
	"errand/internal/store"
	"errand/internal/testdb"

	"github.com/stretchr/testify/require"
)

func TestAFailureIsTriedAgainLater(t *testing.T) {
	cases := map[string]struct {
		handler  func(*Engine) Handler
		min, max time.Duration
	}{
		"an error": {func(*Engine) Handler {
			return func(context.Context, Job) error { return errors.New("a hiccup") }
		}, 750 * time.Millisecond, 1250 * time.Millisecond},
		"its own delay": {func(*Engine) Handler {
			return func(context.Context, Job) error { return RetryAfter(errors.New("slow down"), 10*time.Second) }
		}, 10 * time.Second, 10 * time.Second},
		"a panic": {func(*Engine) Handler {
			return func(context.Context, Job) error { panic("what a person wrote") }
		}, 750 * time.Millisecond, 1250 * time.Millisecond},
		"unfinished": {func(*Engine) Handler {
			return func(context.Context, Job) error { return nil }
		}, 750 * time.Millisecond, 1250 * time.Millisecond},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			testdb.Each(t, func(t *testing.T, db *store.DB) {
				w, seen := world{t, db}, newWatcher()
				e := w.engine(Options{Observer: seen})
				queued := w.newTurn(w.person(), e)
				before := w.now()
				w.start(e, c.handler(e))
				_, end := seen.awaitEnd(t)
				require.Equal(t, ResultRetried, end)
				row := w.run(queued.ID)
				require.Equal(t, enum.RunQueued, row.State)
				require.Equal(t, 1, row.Failures)
				require.Empty(t, row.Worker)
				require.GreaterOrEqual(t, row.AvailableAt, before+c.min.Milliseconds())
				require.LessOrEqual(t, row.AvailableAt, w.now()+c.max.Milliseconds())
				require.False(t, w.message(queued.MessageID).Status.Terminal())
			})
		})
	}
}

func TestTheLastFailureEndsTheRun(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		w, seen := world{t, db}, newWatcher()
		e := w.engine(Options{Observer: seen})
		queued := w.newTurn(w.person(), e)
		w.start(e, func(context.Context, Job) error {
			return apperr.Wrap(errors.New("dial: no route"), apperr.Unavailable, "The model cannot be reached.")
		})
		for n := 1; n < DefaultMaxAttempts; n++ {
			job, end := seen.awaitEnd(t)
			require.Equal(t, ResultRetried, end)
			require.Equal(t, n, job.Attempt)
			w.dueNow(queued.ID)
			e.Wake()
		}
		_, end := seen.awaitEnd(t)
		require.Equal(t, ResultFailed, end)
		row, reply := w.run(queued.ID), w.message(queued.MessageID)
		require.Equal(t, enum.RunFailed, row.State)
		require.Equal(t, DefaultMaxAttempts, row.Failures)
		require.Equal(t, DefaultMaxAttempts, row.Attempt)
		require.Equal(t, "SERVICE_UNAVAILABLE", *row.ErrorCode)
		require.Equal(t, enum.MessageFailed, reply.Status)
		require.Equal(t, "SERVICE_UNAVAILABLE", *reply.ErrorCode)
	})
}

func TestAFailureForGoodEndsTheRunAtOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		w, seen := world{t, db}, newWatcher()
		e := w.engine(Options{Observer: seen})
		alice := w.person()
		c := w.conversation(alice)
		first, second := w.turn(alice, e, c), w.turn(alice, e, c)
		w.start(e, func(_ context.Context, job Job) error {
			if job.RunID == first.ID {
				return PermanentError(apperr.RateLimited, errors.New("quota"))
			}
			return e.Finish(
				context.Background(),
				job,
				Outcome{Status: enum.MessageFailed, ErrorCode: apperr.Internal},
				says("so far"),
			)
		})
		// The second may start before the first's end is observed.
		for range 2 {
			_, end := seen.awaitEnd(t)
			require.Equal(t, ResultFailed, end)
		}
		require.Equal(t, "RATE_LIMITED", *w.message(first.MessageID).ErrorCode)
		reply := w.message(second.MessageID)
		require.Equal(t, "INTERNAL_SERVER_ERROR", *reply.ErrorCode)
		require.Equal(t, "so far", reply.Content)
	})
}

// A person waits for the settling of a run: it is tried again at once, not after the lease.
func TestSettlingOutlivesAHiccupOfTheDatabase(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		w, seen := world{t, db}, newWatcher()
		e := w.engine(Options{Observer: seen})
		queued := w.newTurn(w.person(), e)
		var tries atomic.Int32
		db.Client().Message.Use(func(next ent.Mutator) ent.Mutator {
			return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
				if tries.Add(1) < 3 {
					return nil, errors.New("connection reset")
				}
				return next.Mutate(ctx, m)
			})
		})
		w.start(e, func(context.Context, Job) error { return PermanentError(apperr.Internal, nil) })
		_, end := seen.awaitEnd(t)
		require.Equal(t, ResultFailed, end)
		require.EqualValues(t, 3, tries.Load())
		require.Equal(t, enum.MessageFailed, w.message(queued.MessageID).Status)
		require.Equal(t, 1, w.run(queued.ID).Failures)
	})
}

func TestTheLogNamesTheRunAndHoldsNoContent(t *testing.T) {
	w, seen := world{t, testdb.SQLite(t)}, newWatcher()
	var log bytes.Buffer
	e := w.engine(Options{Observer: seen, Logger: slog.New(slog.NewJSONHandler(&log, nil))})
	queued := w.newTurn(w.person(), e)
	w.start(e, func(context.Context, Job) error { panic("what a person wrote") })
	seen.awaitEnd(t)
	stop(t, e)
	require.NotContains(t, log.String(), "what a person wrote")
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	var last map[string]any
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &last))
	require.Equal(t, queued.ID, last["run_id"])
	require.Equal(t, queued.UserID, last["user_id"])
	require.Equal(t, queued.ConversationID, last["conversation_id"])
	require.EqualValues(t, 1, last["attempt"])
	require.Equal(t, "retried", last["end"])
	require.Contains(t, last, "latency_ms")
	require.Contains(t, log.String(), "TestTheLogNamesTheRun", "the stack says where")
}

func TestFinishWantsATerminalStatus(t *testing.T) {
	w := world{t, testdb.SQLite(t)}
	e := w.engine(Options{})
	w.newTurn(w.person(), e)
	require.Error(t, e.Finish(context.Background(), w.claimOne(e), Outcome{Status: enum.MessageStreaming}, nil))
}

func TestBackoffDoublesUpToItsCap(t *testing.T) {
	var seconds []float64
	for n := range 7 {
		seconds = append(seconds, backoff(n).Seconds())
	}
	require.Equal(t, []float64{1, 2, 4, 8, 16, 30, 30}, seconds)
	require.Equal(t, lastDelay, backoff(1000))
	for range 1000 {
		require.InDelta(t, time.Second, spread(time.Second), float64(250*time.Millisecond))
	}
	require.Equal(t, longestRetry, delayAfter(RetryAfter(errors.New("x"), time.Hour), 0))
	require.LessOrEqual(t, delayAfter(RetryAfter(errors.New("x"), 0), 0), 1250*time.Millisecond)
}
