package integration

import (
	"testing"

	"errand/internal/llm/providertest"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// rawStream streams events in the provider's own format. The comment before each keeps the fake server from
// translating it.
func rawStream(events ...string) providertest.Step {
	raw := make([]string, len(events))
	for i, e := range events {
		raw[i] = ": raw\n" + e + "\n\n"
	}
	return providertest.Stream(raw...)
}

// TestReply_FramesOfOneProvider_AreUnderstood plays answers that only one provider's protocol has.
func TestReply_FramesOfOneProvider_AreUnderstood(t *testing.T) {
	t.Parallel()
	anthropicText := func(index, text string) string {
		return `data: {"type":"content_block_start","index":` + index + `,"content_block":{"type":"text","text":""}}` +
			"\n\n" +
			`data: {"type":"content_block_delta","index":` + index + `,"delta":{"type":"text_delta","text":"` + text + `"}}`
	}
	const (
		begin = `data: {"type":"message_start","message":{"id":"m","usage":{"input_tokens":9,"output_tokens":1}}}`
		end   = `data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":7}}`
		pause = `data: {"type":"message_delta","delta":{"stop_reason":"pause_turn"},"usage":{"output_tokens":7}}`
		stop  = `data: {"type":"message_stop"}`
	)
	for name, c := range map[string]struct {
		provider string
		steps    []providertest.Step
		want     string
	}{
		"anthropic, paused": {"anthropic", []providertest.Step{
			rawStream(begin, anthropicText("0", "The list "), pause, stop),
			rawStream(begin, anthropicText("0", "is empty."), end, stop),
		}, "The list is empty."},
		"anthropic, no message_stop": {"anthropic", []providertest.Step{
			rawStream(begin, anthropicText("0", "The list is empty."), end),
		}, "The list is empty."},
		"anthropic, unknown blocks and thinking": {"anthropic", []providertest.Step{
			rawStream(begin,
				`data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"planted"}}`,
				`data: {"type":"content_block_start","index":1,"content_block":{"type":"server_tool_use","name":"planted"}}`,
				`data: {"type":"content_block_start","index":2,"content_block":{"type":"hologram","text":"planted"}}`,
				`data: {"type":"content_block_delta","index":2,"delta":{"type":"beam_delta","text":"planted"}}`,
				`data: {"type":"weather_report","text":"planted"}`,
				anthropicText("3", "The list is empty."), end, stop),
		}, "The list is empty."},
		"gemini, thoughts": {"gemini", []providertest.Step{
			rawStream(`data: {"candidates":[{"content":{"parts":[{"text":"planted","thought":true},` +
				`{"text":"The list is empty."}]},"finishReason":"STOP"}]}`),
		}, "The list is empty."},
		"gemini, malformed call": {"gemini", []providertest.Step{
			rawStream(`data: {"candidates":[{"content":{"parts":[]},"finishReason":"MALFORMED_FUNCTION_CALL"}]}`),
			rawStream(`data: {"candidates":[{"content":{"parts":[{"text":"The list is empty."}]},"finishReason":"STOP"}]}`),
		}, "The list is empty."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var m *harness.Model
			m = harness.StartModel(t, func(harness.ModelRequest) providertest.Step {
				return c.steps[min(len(m.Requests()), len(c.steps))-1]
			})
			m.Provider = c.provider
			b := harness.Start(t, testdb.SQLiteURL(t), m.Settings())
			conversation := &harness.Conversation{Client: b.Client(t, "alice")}
			reply := conversation.SendAndWait(t, "What is open?")
			require.Equal(t, "COMPLETED", reply.Status)
			require.Equal(t, c.want, reply.Content)
			require.Len(t, m.Requests(), len(c.steps))
			conversation.SendAndWait(t, "And now?")
			last := m.Requests()[len(m.Requests())-1].Body
			require.Contains(t, last, c.want, "the next turn has the whole reply")
			require.NotContains(t, last, "planted", "the next turn has no reasoning")
		})
	}
}
