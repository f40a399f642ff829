package agent_test

import (
	"sync/atomic"
	"testing"
	"time"

	"errand/ent/enum"
	"errand/ent/message"
	"errand/internal/apperr"
	"errand/internal/chat"
	"errand/internal/llm"
	"errand/internal/price"
	"errand/internal/run"
	"errand/internal/store"
	"errand/internal/usage"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

// withUsage is an answer with its usage.
func withUsage(c *llms.ContentChoice, input, output int) *llms.ContentChoice {
	c.GenerationInfo = map[string]any{llm.InfoInputTokens: input, llm.InfoOutputTokens: output, llm.InfoCachedTokens: 0}
	return c
}

func TestHandle_Turn_RecordsUsageAndCost(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *store.DB) {
		m := &scripted{script: func(a request) *llms.ContentChoice {
			if len(a.results) == 0 {
				return callTools("", toolUse{"list_tasks", "{}"})
			}
			return answerText("None.")
		}}
		w := newFixture(t, db, m, settings{prices: price.List{"script/one": {Input: 2, Output: 10, Cached: 0.5}}})
		reply := w.send("Hello")
		require.Equal(t, []int{22, 14, 6}, []int{reply.InputTokens, reply.OutputTokens, reply.CachedTokens})
		require.Equal(t, int64(2*(8*2000+3*500+7*10000)), *reply.CostNanos)
		require.InDelta(t, 0.000175, *reply.Usage().Cost, 1e-12)
		w.send("Hello again")
		week, err := w.ledger.Summary(w.ctx, enum.UsageWeek)
		require.NoError(t, err)
		require.Equal(t, []int{4, 44, 28, 12}, []int{week.Calls, week.InputTokens, week.OutputTokens, week.CachedTokens})
		require.InDelta(t, 0.00035, *week.Cost, 1e-12)
		require.Nil(t, week.DailyTokenLimit)
		require.NoError(t, w.chat.DeleteConversation(w.ctx, *w.talk))
		after, err := w.ledger.Summary(w.ctx, enum.UsageDay)
		require.NoError(t, err)
		require.Equal(t, 44, after.InputTokens, "deleting a conversation gives nothing back")
	})
}

func TestHandle_DailyLimitReached_FailsUntilMidnight(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *store.DB) {
		var now atomic.Int64
		noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
		now.Store(noon.Unix())
		m := &scripted{script: func(a request) *llms.ContentChoice {
			return withUsage(answerText("So be it."), 9000, 1000)
		}}
		w := newFixture(
			t,
			db,
			m,
			settings{usageLimits: usage.Limits{PerDay: 12_000}, clock: func() time.Time { return time.Unix(now.Load(), 0) }},
		)
		reply := w.send("Hello")
		require.Equal(t, enum.MessageCompleted, reply.Status)
		require.Zero(t, reply.ReservedTokens)

		reply = w.send("Hello again") // 10,000 are used; the call might take more than the other 2000
		require.Equal(t, enum.MessageFailed, reply.Status)
		require.Equal(t, string(apperr.RateLimited), *reply.ErrorCode)
		midnight := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
		require.True(t, reply.Failure().RetryAt.Equal(midnight))
		require.Len(t, m.requests(), 1, "the model was not called")

		require.NoError(
			t,
			w.ledger.Record(w.ctx, db.Client(), usage.Amount{Calls: 1, Tokens: price.Tokens{Input: 2000}}),
		)
		_, err := w.chat.SendMessage(w.ctx, chat.SendMessageInput{ConversationID: w.talk, Content: "Now?"})
		require.Equal(t, apperr.RateLimited, apperr.CodeOf(err))
		require.Equal(t, 12*time.Hour, apperr.From(err).RetryAfter)
		require.Contains(t, err.Error(), "daily token limit")

		now.Store(midnight.Unix())
		require.Equal(t, enum.MessageCompleted, w.send("Good morning").Status)
	})
}

func TestHandle_TurnLimitReached_Fails(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *store.DB) {
		m := &scripted{
			script: func(a request) *llms.ContentChoice {
				return withUsage(callTools("", toolUse{"list_tasks", "{}"}), 4000, 100)
			},
		}
		w := newFixture(t, db, m, settings{usageLimits: usage.Limits{PerTurn: 10_000}})
		reply := w.send("Hello")
		require.Equal(t, enum.MessageFailed, reply.Status)
		require.Equal(t, string(apperr.ComplexityLimit), *reply.ErrorCode)
		require.Len(t, m.requests(), 2)
		require.Equal(t, 8200, reply.InputTokens+reply.OutputTokens)
	})
}

// TestHandle_ConcurrentTurns_ShareDailyLimit checks that two concurrent replies on two replicas cannot both use the
// last tokens of the day.
func TestHandle_ConcurrentTurns_ShareDailyLimit(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *store.DB) {
		release := make(chan struct{})
		m := &scripted{script: func(a request) *llms.ContentChoice {
			<-release
			return withUsage(answerText("So be it."), 100, 100)
		}}
		w := newFixture(t, db, m, settings{usageLimits: usage.Limits{PerDay: 4000}}) // a call reserves about 2500
		var replies []string
		for range 6 {
			turn, err := w.chat.SendMessage(w.ctx, chat.SendMessageInput{Content: "Hello"})
			require.NoError(t, err)
			replies = append(replies, turn.AssistantMessage.ID)
		}
		for range 5 { // all but one end at once
			w.waitForRun()
		}
		require.Len(t, m.requests(), 1)
		close(release)
		w.waitForRun()
		n, err := db.Client().Message.Query().Where(message.IDIn(replies...), message.StatusEQ(enum.MessageFailed),
			message.ErrorCode(string(apperr.RateLimited))).Count(w.ctx)
		require.NoError(t, err)
		require.Equal(t, 5, n)
		require.Equal(t, enum.MessageCompleted, w.send("Again").Status, "the reservation is released")
	})
}

func (w *fixture) waitForRun() run.Job {
	w.t.Helper()
	select {
	case job := <-w.ended:
		return job
	case <-time.After(patience):
		require.FailNow(w.t, "no reply ended")
		return run.Job{}
	}
}

func TestHandle_NoUsageFromProvider_IsEstimated(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *store.DB) {
		m := &scripted{script: func(a request) *llms.ContentChoice { return withUsage(answerText("So be it."), 0, 0) }}
		reply := newFixture(t, db, m, settings{}).send("Hello")
		require.Greater(t, reply.InputTokens, 100)
		require.Positive(t, reply.OutputTokens)
	})
}
