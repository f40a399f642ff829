package anthropic_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"errand/internal/llm"
	"errand/internal/llm/anthropic"
	"errand/internal/llm/providertest"
	"errand/internal/secret"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, url string, o llm.HTTPOptions) llms.Model {
	t.Helper()
	return openModel(t, url, "claude-test", o)
}

// openModel returns a client of the fake server at url for the model name.
func openModel(t *testing.T, url, name string, o llm.HTTPOptions) llms.Model {
	t.Helper()
	m, err := anthropic.New(llm.Config{
		BaseURL: url,
		Key:     secret.New(providertest.APIKey),
		Model:   name,
		HTTP:    o,
	})
	require.NoError(t, err)
	return m
}

func event(name, fields string) string {
	return fmt.Sprintf("event: %s\ndata: {\"type\":%q%s}\n\n", name, name, fields)
}

func start(index int, block string) string {
	return event("content_block_start", fmt.Sprintf(`,"index":%d,"content_block":%s`, index, block))
}

func delta(index int, d string) string {
	return event("content_block_delta", fmt.Sprintf(`,"index":%d,"delta":%s`, index, d))
}

func stop(index int) string { return event("content_block_stop", fmt.Sprintf(`,"index":%d`, index)) }

func end(reason string) []string {
	return []string{
		event("message_delta", `,"delta":{"stop_reason":"`+reason+`"},"usage":{"output_tokens":7}`),
		event("message_stop", ""),
	}
}

var messageStart = event(
	"message_start",
	`,"message":{"id":"m","usage":{"input_tokens":6,"cache_read_input_tokens":3,"cache_creation_input_tokens":2,`+
		`"output_tokens":1}}`,
)

func textDelta(index int, s string) string {
	quoted, _ := json.Marshal(s)
	return delta(index, `{"type":"text_delta","text":`+string(quoted)+`}`)
}

func text(pieces ...string) []string {
	frames := []string{messageStart, start(0, `{"type":"text","text":""}`), event("ping", "")}
	for _, p := range pieces {
		frames = append(frames, textDelta(0, p))
	}
	return append(append(frames, stop(0)), end("end_turn")...)
}

var begin = []string{messageStart, start(0, `{"type":"text","text":""}`), textDelta(0, "Hel")}

func arguments(index int, partial string) string {
	quoted, _ := json.Marshal(partial)
	return delta(index, `{"type":"input_json_delta","partial_json":`+string(quoted)+`}`)
}

// calls is a response with a thinking block, interleaved blocks and an unknown event.
var calls = append([]string{
	messageStart,
	start(0, `{"type":"thinking","thinking":"","signature":""}`),
	delta(0, `{"type":"thinking_delta","thinking":"Hm"}`), delta(0, `{"type":"thinking_delta","thinking":"m."}`),
	delta(0, `{"type":"signature_delta","signature":"c2ln"}`), stop(0),
	start(1, `{"type":"text","text":""}`), textDelta(1, "On "),
	start(
		2,
		`{"type":"tool_use","id":"toolu_1","name":"add_task","input":{}}`,
	), arguments(2, ""), arguments(2, `{"title"`),
	start(3, `{"type":"redacted_thinking","data":"ZGF0YQ=="}`), stop(3),
	start(4, `{"type":"tool_use","id":"toolu_2","name":"list_tasks","input":{}}`), stop(4),
	event("weather_report", `,"index":4`),
	arguments(2, `:"a b"}`), textDelta(1, "it."), stop(1), stop(2),
}, end("tool_use")...)

var openCall = start(0, `{"type":"tool_use","id":"t","name":"add_task","input":{}}`)

func TestClient_ConformanceSuite_Passes(t *testing.T) {
	providertest.RunSuite(t, providertest.Suite{
		NewModel: open, Text: text, PartialText: begin, ToolCalls: calls,
		UnfinishedCall: []string{messageStart, openCall, arguments(0, `{"title":"a`)},
		CallAtTokenLimit: append(
			[]string{messageStart, start(1, `{"type":"text","text":"Hel"}`), openCall, arguments(0, `{}`)},
			end("max_tokens")...),
		ToolCall: func(id, name string, fragments ...string) []string {
			frames := []string{messageStart, start(0, `{"type":"tool_use","id":`+quote(id)+`,"name":`+quote(name)+
				`,"input":{}}`)}
			for _, f := range fragments {
				frames = append(frames, arguments(0, f))
			}
			return append(append(frames, stop(0)), end("tool_use")...)
		},
		Usage: func(input, output string) []string {
			return []string{
				event("message_start", `,"message":{"usage":{"input_tokens":`+input+`,"output_tokens":0}}`),
				start(0, `{"type":"text","text":"Hello"}`), stop(0),
				event("message_delta", `,"delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":`+output+`}`),
				event("message_stop", ""),
			}
		},
		ContentFiltered: append(append([]string(nil), begin...), end("refusal")...),
		ErrorEvent:      event("error", `,"error":{"type":"overloaded_error","message":"`+providertest.ProviderText+`"}`),
		UnstreamedText: `{"type":"message","content":[{"type":"text","text":"Hello"}],"stop_reason":"end_turn",` +
			`"usage":{"input_tokens":1,"output_tokens":1}}`,
		RateLimitBody: `{"type":"error","error":{"type":"rate_limit_error",` +
			`"message":"` + providertest.ProviderText + `"}}`,
	})
}

func TestDecode_BlockRulesBroken_IsUnavailable(t *testing.T) {
	for name, frames := range map[string][]string{
		"a delta without its block": append([]string{messageStart, textDelta(3, "x")}, end("end_turn")...),
		"an index used twice":       append([]string{messageStart, openCall, openCall}, end("tool_use")...),
	} {
		t.Run(name, func(t *testing.T) {
			s := providertest.NewServer(t, providertest.Stream(frames...))
			_, err := open(t, s.URL, llm.HTTPOptions{Client: s.Client}).GenerateContent(t.Context(), providertest.Messages())
			require.Equal(t, llm.KindUnavailable, llm.KindOf(err), "%v", err)
		})
	}
}

func TestDecode_MessageStopWithoutReason_IsTruncated(t *testing.T) {
	s := providertest.NewServer(
		t,
		providertest.Stream(append(append([]string(nil), begin...), event("message_stop", ""))...),
	)
	_, err := open(t, s.URL, llm.HTTPOptions{Client: s.Client}).GenerateContent(t.Context(), providertest.Messages())
	require.Equal(t, llm.KindTruncated, llm.KindOf(err), "%v", err)
}

func TestDecode_TextAtTokenLimit_IsReturned(t *testing.T) {
	s := providertest.NewServer(t, providertest.Stream(append(append([]string(nil), begin...), end("max_tokens")...)...))
	resp, err := open(t, s.URL, llm.HTTPOptions{Client: s.Client}).GenerateContent(t.Context(), providertest.Messages())
	require.NoError(t, err)
	require.Equal(t, "Hel", resp.Choices[0].Content)
	require.Equal(t, llm.StopLength, resp.Choices[0].StopReason)
}

func TestNewRequest_ToolChoiceNone_DeclaresTools(t *testing.T) {
	s := providertest.NewServer(t, providertest.Stream(text("Done.")...))
	_, err := open(
		t,
		s.URL,
		llm.HTTPOptions{Client: s.Client},
	).GenerateContent(t.Context(), providertest.Messages(), llms.WithTools(providertest.Tools()),
		llms.WithToolChoice("none"))
	require.NoError(t, err)
	require.Len(t, s.Requests()[0].JSON(t)["tools"], 2, "a history with calls is refused without them")
	require.Equal(t, map[string]any{"type": "none"}, s.Requests()[0].JSON(t)["tool_choice"])
}

func quote(s string) string {
	q, _ := json.Marshal(s)
	return string(q)
}
