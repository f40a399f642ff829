package integration

import (
	"context"
	"testing"

	"errand/internal/llm/providertest"
	"errand/internal/price"
	"errand/internal/testclient"
	"errand/internal/usage"
	"errand/internal/viewer"

	"github.com/stretchr/testify/require"
)

const usageDoc = `query ($period: UsagePeriod!) { viewer { usage(period: $period) { from resetsAt calls inputTokens outputTokens cachedTokens cost dailyTokenLimit } } }`

// spending is what a person's model calls took.
type spending struct {
	From, ResetsAt                                 string
	Calls, InputTokens, OutputTokens, CachedTokens int
	Cost                                           *float64
	DailyTokenLimit                                *int
}

func usageOf(t testing.TB, c *client, period string) spending {
	t.Helper()
	return testclient.Run[struct{ Viewer struct{ Usage spending } }](t, c, usageDoc, vars{"period": period}).Viewer.Usage
}

func TestUsageIsCountedAndLimited(t *testing.T) {
	m := scripted(t, func(a asked) providertest.Step { return sayText("Hello.") })
	each(t, func(t *testing.T, b *bench) {
		alice, bob := b.user(t, "alice"), b.user(t, "bob")
		(&talk{c: alice}).say(t, "Hello")
		day := usageOf(t, alice, "DAY")
		require.Equal(t, []int{1, 11, 7, 3}, []int{day.Calls, day.InputTokens, day.OutputTokens, day.CachedTokens})
		require.InDelta(t, 0.000085, *day.Cost, 1e-12)
		require.Equal(t, 3500, *day.DailyTokenLimit)
		month := usageOf(t, alice, "MONTH")
		require.Equal(t, 1, month.Calls)
		require.Less(t, month.From, day.From)
		require.Equal(t, month.ResetsAt, day.ResetsAt)
		require.Zero(t, usageOf(t, bob, "WEEK").Calls)

		as := viewer.NewContext(context.Background(), viewer.Viewer{UserID: idOf(t, alice)})
		require.NoError(
			t,
			b.Services.Usage.Record(as, b.DB.Client().UsageDay, usage.Amount{Calls: 1, Tokens: price.Tokens{Output: 4000}}),
		)
		a := alice.Try(t, `mutation { sendMessage(input: { content: "More" }) { conversation { id } } }`, nil)
		require.Equal(t, "RATE_LIMITED", a.ErrorCode())
		require.Positive(t, a.Errors[0].Extensions.RetryAfterMs)
		require.Contains(t, a.Raw, day.ResetsAt[:10], "the day on which tokens are renewed")
		(&talk{c: bob}).say(t, "Hello")
	}, m.environ(), settings{"LLM_PRICES": "openai/scripted=2:9", "TOKENS_PER_DAY": "3500"})
}

// TestWhatIsCutShortIsCountedToo: whoever stops replies, or whose replies break off, has no
// tokens for nothing.
func TestWhatIsCutShortIsCountedToo(t *testing.T) {
	script := func(t *testing.T) *model {
		return scripted(t, func(a asked) providertest.Step {
			if a.said == "Break off" {
				return providertest.Stream(textFrames("Once ", "upon 🦊")...)
			}
			return providertest.StreamThenHang(textFrames("Once ", "upon 🦊")...)
		})
	}
	eachScripted(t, script, func(t *testing.T, b *bench, _ *model) {
		k := &talk{c: b.user(t, "alice")}
		require.Equal(t, "FAILED", k.say(t, "Break off").Status)
		first := usageOf(t, k.c, "DAY")
		require.Equal(t, 1, first.Calls)
		require.Greater(t, first.InputTokens, 500, "the standing orders and the tools are read each time")
		require.Positive(t, first.OutputTokens)

		turn := send(t, k.c, k.id, "Tell me a story")
		k.stream.UntilText(t, turn.AssistantMessage.ID, func(text string) bool { return text == "Once upon 🦊" })
		cancelled := cancelReply(t, k.c, turn.AssistantMessage.ID)
		require.Greater(t, cancelled.Usage.InputTokens, 500)
		both := usageOf(t, k.c, "DAY")
		require.Equal(t, 2, both.Calls)
		require.Equal(t, first.InputTokens+cancelled.Usage.InputTokens, both.InputTokens)
		require.Equal(t, first.OutputTokens+cancelled.Usage.OutputTokens, both.OutputTokens)
	}, settings{"RUN_MAX_ATTEMPTS": "1"})
}
