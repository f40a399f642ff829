package integration

import (
	"context"
	"testing"

	"errand/internal/llm/providertest"
	"errand/internal/price"
	"errand/internal/testclient"
	"errand/internal/usage"
	"errand/internal/viewer"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

const usageDoc = `query ($period: UsagePeriod!) { viewer { usage(period: $period) { from resetsAt calls ` +
	`inputTokens outputTokens cachedTokens cost dailyTokenLimit } } }`

// usageReport is a user's model usage.
type usageReport struct {
	From, ResetsAt                                 string
	Calls, InputTokens, OutputTokens, CachedTokens int
	Cost                                           *float64
	DailyTokenLimit                                *int
}

func usageReportOf(t testing.TB, c *testclient.Client, period string) usageReport {
	t.Helper()
	return testclient.Run[struct{ Viewer struct{ Usage usageReport } }](t, c, usageDoc,
		testclient.Vars{"period": period}).Viewer.Usage
}

func TestUsage_Replies_AreCountedAndLimited(t *testing.T) {
	m := harness.StartModel(t, func(a harness.ModelRequest) providertest.Step { return harness.TextResponse("Hello.") })
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		alice, bob := b.Client(t, "alice"), b.Client(t, "bob")
		(&harness.Conversation{Client: alice}).SendAndWait(t, "Hello")
		day := usageReportOf(t, alice, "DAY")
		require.Equal(t, []int{1, 11, 7, 3}, []int{day.Calls, day.InputTokens, day.OutputTokens, day.CachedTokens})
		require.InDelta(t, 0.000085, *day.Cost, 1e-12)
		require.Equal(t, 3500, *day.DailyTokenLimit)
		month := usageReportOf(t, alice, "MONTH")
		require.Equal(t, 1, month.Calls)
		require.Less(t, month.From, day.From)
		require.Equal(t, month.ResetsAt, day.ResetsAt)
		require.Zero(t, usageReportOf(t, bob, "WEEK").Calls)

		as := viewer.NewContext(context.Background(), viewer.Viewer{UserID: harness.ViewerID(t, alice)})
		require.NoError(
			t,
			b.Services.Usage.Record(as, b.DB.Client(), usage.Amount{Calls: 1, Tokens: price.Tokens{Output: 4000}}),
		)
		a := alice.Try(t, `mutation { sendMessage(input: { content: "More" }) { conversation { id } } }`, nil)
		require.Equal(t, "RATE_LIMITED", a.ErrorCode())
		require.Positive(t, a.Errors[0].Extensions.RetryAfterMs)
		require.Contains(t, a.Raw, day.ResetsAt[:10], "the day on which tokens are renewed")
		(&harness.Conversation{Client: bob}).SendAndWait(t, "Hello")
	}, m.Settings(), harness.Settings{"LLM_PRICES": "openai/scripted=2:9", "TOKENS_PER_DAY": "3500"})
}

// TestUsage_CancelledReply_IsCounted checks that cancelled and interrupted replies are counted.
func TestUsage_CancelledReply_IsCounted(t *testing.T) {
	script := func(t *testing.T) *harness.Model {
		return harness.StartModel(t, func(a harness.ModelRequest) providertest.Step {
			if a.UserMessage == "Break off" {
				return providertest.Stream(harness.TextFrames("Once ", "upon 🦊")...)
			}
			return providertest.StreamThenHang(harness.TextFrames("Once ", "upon 🦊")...)
		})
	}
	eachScriptedModel(t, script, func(t *testing.T, b *harness.Env, _ *harness.Model) {
		conversation := &harness.Conversation{Client: b.Client(t, "alice")}
		require.Equal(t, "FAILED", conversation.SendAndWait(t, "Break off").Status)
		first := usageReportOf(t, conversation.Client, "DAY")
		require.Equal(t, 1, first.Calls)
		require.Greater(t, first.InputTokens, 500, "the standing orders and the tools are read each time")
		require.Positive(t, first.OutputTokens)

		turn := harness.Send(t, conversation.Client, conversation.ID, "Tell me a story")
		conversation.Stream.UntilText(t, turn.AssistantMessage.ID, func(text string) bool { return text == "Once upon 🦊" })
		cancelled := harness.CancelReply(t, conversation.Client, turn.AssistantMessage.ID)
		require.Greater(t, cancelled.Usage.InputTokens, 500)
		both := usageReportOf(t, conversation.Client, "DAY")
		require.Equal(t, 2, both.Calls)
		require.Equal(t, first.InputTokens+cancelled.Usage.InputTokens, both.InputTokens)
		require.Equal(t, first.OutputTokens+cancelled.Usage.OutputTokens, both.OutputTokens)
	}, harness.Settings{"RUN_MAX_ATTEMPTS": "1"})
}
