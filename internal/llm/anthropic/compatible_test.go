package anthropic_test

import (
	"testing"

	"errand/internal/llm"
	"errand/internal/llm/providertest"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

// TestDecode_CompatibleServers_AreAccepted plays the deviations of servers with this API.
func TestDecode_CompatibleServers_AreAccepted(t *testing.T) {
	textFrames := []string{messageStart, start(0, `{"type":"text","text":""}`), textDelta(0, "Hello")}
	lastEvent := event("message_delta", `,"delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":7}`)
	for name, c := range map[string]struct {
		frames []string
		reason string
	}{
		"no message_stop": {append(textFrames[:3:3], stop(0), lastEvent), llm.StopEnd},
		"no message_stop, pause": {
			append(textFrames[:3:3], event("message_delta", `,"delta":{"stop_reason":"pause_turn"}`)),
			llm.StopPaused,
		},
		"unknown blocks": {append([]string{
			messageStart,
			start(0, `{"type":"server_tool_use","id":"srv","name":"web_search","input":{}}`),
			arguments(0, `{"query":"x"}`), stop(0),
			start(1, `{"type":"web_search_tool_result","tool_use_id":"srv","content":[{"type":"web_search_result"}]}`), stop(1),
			start(2, `{"type":"hologram","beams":[1,2]}`), delta(2, `{"type":"beam_delta","beam":3}`), stop(2),
			start(3, `{"type":"text","text":"","citations":[]}`), textDelta(3, "Hello"),
			delta(3, `{"type":"citations_delta","citation":{"type":"char_location","cited_text":"secret"}}`), stop(3),
			event("ping", ""), "data: {}\n\n",
		}, end("end_turn")...), llm.StopEnd},
		"thinking is no content": {append([]string{
			messageStart, start(0, `{"type":"thinking","thinking":"Hm","signature":""}`),
			delta(0, `{"type":"thinking_delta","thinking":"secret"}`), delta(0, `{"type":"signature_delta","signature":"c2ln"}`),
			stop(0), start(1, `{"type":"redacted_thinking","data":"secret"}`), stop(1),
			start(2, `{"type":"text","text":""}`), textDelta(2, "Hello"), stop(2),
		}, end("end_turn")...), llm.StopEnd},
	} {
		t.Run(name, func(t *testing.T) {
			s := providertest.NewServer(t, providertest.Stream(c.frames...))
			resp, err := open(t, s.URL, llm.HTTPOptions{Client: s.Client}).
				GenerateContent(t.Context(), providertest.Messages(), llms.WithTools(providertest.Tools()))
			require.NoError(t, err)
			require.Equal(t, "Hello", resp.Choices[0].Content)
			require.Equal(t, c.reason, resp.Choices[0].StopReason)
		})
	}
}
