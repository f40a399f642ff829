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

func TestFailure_AttemptsLeft_IsRetriedAfterDelay(t *testing.T) {
	cases := map[string]struct {
		handler  func(*Engine) Handler
		min, max time.Duration
	}{
		"an error": {func(*Engine) Handler {
			return func(context.Context, Job) error { return errors.New("temporary") }
		}, 750 * time.Millisecond, 1250 * time.Millisecond},
		"its own delay": {func(*Engine) Handler {
			return func(context.Context, Job) error { return RetryAfter(errors.New("slow down"), 10*time.Second) }
		}, 10 * time.Second, 10 * time.Second},
		"a panic": {func(*Engine) Handler {
			return func(context.Context, Job) error { panic("user content") }
		}, 750 * time.Millisecond, 1250 * time.Millisecond},
		"not finished": {func(*Engine) Handler {
			return func(context.Context, Job) error { return nil }
		}, 750 * time.Millisecond, 1250 * time.Millisecond},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			testdb.Each(t, func(t *testing.T, db *store.DB) {
				env, observer := environment{t, db}, newRecordingObserver()
				e := env.newEngine(Options{Observer: observer})
				queued := env.addConversation(env.newUser(), e)
				before := env.databaseNow()
				env.startEngine(e, c.handler(e))
				_, end := observer.receiveEnd(t)
				require.Equal(t, ResultRetried, end)
				row := env.findRun(queued.ID)
				require.Equal(t, enum.RunQueued, row.State)
				require.Equal(t, 1, row.Failures)
				require.Empty(t, row.Worker)
				require.GreaterOrEqual(t, row.AvailableAt, before+c.min.Milliseconds())
				require.LessOrEqual(t, row.AvailableAt, env.databaseNow()+c.max.Milliseconds())
				require.False(t, env.findMessage(queued.MessageID).Status.Terminal())
			})
		})
	}
}

func TestFailure_LastAttempt_EndsRunAsFailed(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		env, observer := environment{t, db}, newRecordingObserver()
		e := env.newEngine(Options{Observer: observer})
		queued := env.addConversation(env.newUser(), e)
		env.startEngine(e, func(context.Context, Job) error {
			return apperr.Wrap(errors.New("dial: no route"), apperr.Unavailable, "The model cannot be reached.")
		})
		for n := 1; n < DefaultMaxAttempts; n++ {
			job, end := observer.receiveEnd(t)
			require.Equal(t, ResultRetried, end)
			require.Equal(t, n, job.Attempt)
			env.makeDue(queued.ID)
			e.Wake()
		}
		_, end := observer.receiveEnd(t)
		require.Equal(t, ResultFailed, end)
		row, reply := env.findRun(queued.ID), env.findMessage(queued.MessageID)
		require.Equal(t, enum.RunFailed, row.State)
		require.Equal(t, DefaultMaxAttempts, row.Failures)
		require.Equal(t, DefaultMaxAttempts, row.Attempt)
		require.Equal(t, "SERVICE_UNAVAILABLE", *row.ErrorCode)
		require.Equal(t, enum.MessageFailed, reply.Status)
		require.Equal(t, "SERVICE_UNAVAILABLE", *reply.ErrorCode)
	})
}

func TestFailure_PermanentError_EndsRunAtOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		env, observer := environment{t, db}, newRecordingObserver()
		e := env.newEngine(Options{Observer: observer})
		alice := env.newUser()
		c := env.newConversation(alice)
		first, second := env.addTurn(alice, e, c), env.addTurn(alice, e, c)
		env.startEngine(e, func(_ context.Context, job Job) error {
			if job.RunID == first.ID {
				return PermanentError(apperr.RateLimited, errors.New("quota"))
			}
			return e.Finish(
				context.Background(),
				job,
				Outcome{Status: enum.MessageFailed, ErrorCode: apperr.Internal},
				setContent("so far"),
			)
		})
		// The second may start before the first's end is observed.
		for range 2 {
			_, end := observer.receiveEnd(t)
			require.Equal(t, ResultFailed, end)
		}
		require.Equal(t, "RATE_LIMITED", *env.findMessage(first.MessageID).ErrorCode)
		reply := env.findMessage(second.MessageID)
		require.Equal(t, "INTERNAL_SERVER_ERROR", *reply.ErrorCode)
		require.Equal(t, "so far", reply.Content)
	})
}

// The user waits for the end of the run, so it is retried at once and not after the lease.
func TestFinishAttempt_DatabaseError_IsRetriedAtOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		env, observer := environment{t, db}, newRecordingObserver()
		e := env.newEngine(Options{Observer: observer})
		queued := env.addConversation(env.newUser(), e)
		var tries atomic.Int32
		// It changes tool calls last. Hooks do not see what it queues.
		db.Client().ToolCall.Use(func(next ent.Mutator) ent.Mutator {
			return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
				if tries.Add(1) < 3 {
					return nil, errors.New("connection reset")
				}
				return next.Mutate(ctx, m)
			})
		})
		env.startEngine(e, func(context.Context, Job) error { return PermanentError(apperr.Internal, nil) })
		_, end := observer.receiveEnd(t)
		require.Equal(t, ResultFailed, end)
		require.GreaterOrEqual(t, tries.Load(), int32(3))
		require.Equal(t, enum.MessageFailed, env.findMessage(queued.MessageID).Status)
		require.Equal(t, 1, env.findRun(queued.ID).Failures)
	})
}

func TestLog_Panic_NamesRunWithoutUserContent(t *testing.T) {
	env, observer := environment{t, testdb.SQLite(t)}, newRecordingObserver()
	var log bytes.Buffer
	e := env.newEngine(Options{Observer: observer, Logger: slog.New(slog.NewJSONHandler(&log, nil))})
	queued := env.addConversation(env.newUser(), e)
	env.startEngine(e, func(context.Context, Job) error { panic("user content") })
	observer.receiveEnd(t)
	stopEngine(t, e)
	require.NotContains(t, log.String(), "user content")
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	var last map[string]any
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &last))
	require.Equal(t, queued.ID, last["run_id"])
	require.Equal(t, queued.UserID, last["user_id"])
	require.Equal(t, queued.ConversationID, last["conversation_id"])
	require.EqualValues(t, 1, last["attempt"])
	require.Equal(t, "retried", last["end"])
	require.Contains(t, last, "latency_ms")
	require.Contains(t, log.String(), "TestLog_Panic_NamesRun", "the stack names the handler")
}

func TestFinish_StatusNotFinal_IsRejected(t *testing.T) {
	env := environment{t, testdb.SQLite(t)}
	e := env.newEngine(Options{})
	env.addConversation(env.newUser(), e)
	require.Error(t, e.Finish(context.Background(), env.claimOne(e), Outcome{Status: enum.MessageStreaming}, nil))
}

func TestRetryDelay_Failures_DoublesUpToMaximum(t *testing.T) {
	var seconds []float64
	for n := range 7 {
		seconds = append(seconds, newRetryBackOff(0, n).NextBackOff().Seconds())
	}
	require.Equal(t, []float64{1, 2, 4, 8, 16, 30, 30}, seconds)
	require.Equal(t, maxRetryDelay, newRetryBackOff(0, 1000).NextBackOff())
	for range 1000 {
		require.InDelta(t, time.Second, retryDelay(errors.New("x"), 0), float64(250*time.Millisecond))
	}
	require.Equal(t, maxRetryAfter, retryDelay(RetryAfter(errors.New("x"), time.Hour), 0))
	require.LessOrEqual(t, retryDelay(RetryAfter(errors.New("x"), 0), 0), 1250*time.Millisecond)
}
