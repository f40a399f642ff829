package responses_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"errand/internal/llm"
	"errand/internal/llm/providertest"
	"errand/internal/llm/responses"
	"errand/internal/secret"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, url string, o llm.HTTPOptions) llms.Model {
	t.Helper()
	m, err := responses.New(llm.Config{BaseURL: url, Key: secret.New(providertest.APIKey), Model: "test-model", HTTP: o})
	require.NoError(t, err)
	return m
}

func event(name, fields string) string {
	return fmt.Sprintf("event: %s\ndata: {\"type\":%q%s}\n\n", name, name, fields)
}

func quoted(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

func textDelta(index int, s string) string {
	return event(
		"response.output_text.delta",
		fmt.Sprintf(`,"output_index":%d,"content_index":0,"delta":%s`, index, quoted(s)),
	)
}

func argumentsDelta(index int, s string) string {
	return event("response.function_call_arguments.delta", fmt.Sprintf(`,"output_index":%d,"delta":%s`, index, quoted(s)))
}

func item(name string, index int, body string) string {
	return event("response.output_item."+name, fmt.Sprintf(`,"output_index":%d,"item":%s`, index, body))
}

func end(status, rest string) string {
	return event("response."+status, `,"response":{"object":"response","status":"`+status+`"`+rest+`}`)
}

const (
	usage = `,"usage":{"input_tokens":11,"output_tokens":7,"input_tokens_details":{"cached_tokens":3}}`
	added = `{"type":"message","role":"assistant","content":[]}`
)

func text(pieces ...string) []string {
	frames := []string{event("response.created", `,"response":{"status":"in_progress"}`), item("added", 0, added)}
	all := ""
	for _, p := range pieces {
		frames = append(frames, textDelta(0, p))
		all += p
	}
	done := `{"type":"message","role":"assistant","content":[{"type":"output_text","text":` + quoted(all) + `}]}`
	return append(frames, item("done", 0, done), end("completed", usage))
}

const (
	reasoning = `{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"c2VjcmV0"}`
	openCall  = `{"type":"function_call","id":"fc_1","call_id":"call_1","name":"add_task","arguments":""}`
	said      = `{"type":"message","id":"msg_1","role":"assistant","content":[{"type":"output_text","text":"On it."}]}`
	first     = `{"type":"function_call","id":"fc_1","call_id":"call_1","name":"add_task",` +
		`"arguments":"{\"title\":\"a b\"}"}`
	second = `{"type":"function_call","id":"fc_2","call_id":"call_2","name":"list_tasks","arguments":"{}"}`
)

// calls is a response with reasoning, interleaved items and an unknown event.
var calls = []string{
	item("added", 0, `{"type":"reasoning","id":"rs_1","summary":[]}`),
	event("response.reasoning_summary_text.delta", `,"output_index":0,"delta":"Hm"`), item("done", 0, reasoning),
	item("added", 1, added), textDelta(1, "On "),
	item("added", 2, openCall), argumentsDelta(2, `{"title"`),
	event("response.weather_report", `,"output_index":4`),
	item("added", 3, second),
	argumentsDelta(
		2,
		`:"a b"}`,
	), textDelta(1, "it."), item("done", 1, said), item("done", 2, first), item("done", 3, second),
	end("completed", usage),
}

var begin = []string{item("added", 0, added), textDelta(0, "Hel")}

func TestClient_ConformanceSuite_Passes(t *testing.T) {
	providertest.RunSuite(t, providertest.Suite{
		NewModel: open, Text: text, PartialText: begin, ToolCalls: calls,
		UnfinishedCall: []string{item("added", 0, openCall), argumentsDelta(0, `{"title":"a`)},
		CallAtTokenLimit: []string{
			textDelta(0, "Hel"), item("added", 1, openCall), argumentsDelta(1, `{}`),
			end("incomplete", `,"incomplete_details":{"reason":"max_output_tokens"}`),
		},
		ToolCall: func(id, name string, arguments ...string) []string {
			head := fmt.Sprintf(`{"type":"function_call","call_id":%s,"name":%s,"arguments":`, quoted(id), quoted(name))
			frames := []string{item("added", 0, head+`""}`)}
			for _, a := range arguments {
				frames = append(frames, argumentsDelta(0, a))
			}
			return append(frames, end("completed", usage))
		},
		Usage: func(input, output string) []string {
			return []string{
				item("added", 0, added), textDelta(0, "Hello"),
				end("completed", `,"error":{},"usage":{"input_tokens":`+input+`,"output_tokens":`+output+`}`),
			}
		},
		ContentFiltered: append(begin[:2:2],
			end("incomplete", `,"incomplete_details":{"reason":"content_filter"}`)),
		ErrorEvent: event("error", `,"code":"server_overloaded","message":"`+providertest.ProviderText+`"`),
		UnstreamedText: `{"object":"response","status":"completed","output":[{"type":"message","content":[` +
			`{"type":"output_text","text":"Hello"}]}]` + usage + `}`,
		RateLimitBody: `{"error":{"code":"rate_limit_exceeded","message":"` + providertest.ProviderText + `"}}`,
	})
}

// history returns a conversation whose last step is choice, with the results of its calls.
func history(t *testing.T, choice *llms.ContentChoice) []llms.MessageContent {
	t.Helper()
	step := llms.MessageContent{
		Role:  llms.ChatMessageTypeAI,
		Parts: []llms.ContentPart{llms.TextContent{Text: choice.Content}},
	}
	parts, ok := llm.PartsOf(choice)
	require.True(t, ok)
	stored, err := json.Marshal(parts)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(stored, &parts))
	step.Parts = append(step.Parts, parts)
	messages := append(providertest.Messages(), step)
	for _, c := range choice.ToolCalls {
		messages[2].Parts = append(messages[2].Parts, c)
		messages = append(messages, llms.MessageContent{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{
			llms.ToolCallResponse{ToolCallID: c.ID, Name: c.FunctionCall.Name, Content: "{}"},
		}})
	}
	return messages
}

func TestNewRequest_StepWithReasoning_IsSentBackInItsOrder(t *testing.T) {
	s := providertest.NewServer(t, providertest.Stream(calls...), providertest.Stream(text("Done.")...))
	m := open(t, s.URL, llm.HTTPOptions{Client: s.Client})
	response, err := m.GenerateContent(t.Context(), providertest.Messages(), llms.WithTools(providertest.Tools()))
	require.NoError(t, err)
	_, err = m.GenerateContent(t.Context(), history(t, response.Choices[0]), llms.WithTools(providertest.Tools()),
		llms.WithToolChoice("none"))
	require.NoError(t, err)

	body := s.Requests()[1].JSON(t)
	input, err := json.Marshal(body["input"])
	require.NoError(t, err)
	require.JSONEq(t, `[{"role":"user","content":"What is open?"},`+reasoning+`,`+said+`,`+first+`,`+second+`,
		{"type":"function_call_output","call_id":"call_1","output":"{}"},
		{"type":"function_call_output","call_id":"call_2","output":"{}"}]`, string(input))
	require.Equal(t, "none", body["tool_choice"])
	require.Equal(t, false, body["store"])
	require.Equal(t, "You keep a task list.", body["instructions"])
	require.Equal(t, false, body["tools"].([]any)[0].(map[string]any)["strict"])
}

func TestNewRequest_StepChanged_IsSentWithoutReasoning(t *testing.T) {
	s := providertest.NewServer(t, providertest.Stream(calls...), providertest.Stream(text("Done.")...))
	m := open(t, s.URL, llm.HTTPOptions{Client: s.Client})
	response, err := m.GenerateContent(t.Context(), providertest.Messages(), llms.WithTools(providertest.Tools()))
	require.NoError(t, err)
	messages := history(t, response.Choices[0])
	messages[2].Parts[0] = llms.TextContent{Text: "Another text."}
	_, err = m.GenerateContent(t.Context(), messages)
	require.NoError(t, err)

	input, err := json.Marshal(s.Requests()[1].JSON(t)["input"].([]any)[1:3])
	require.NoError(t, err)
	require.JSONEq(t, `[{"role":"assistant","content":"Another text."},
		{"type":"function_call","call_id":"call_1","name":"add_task","arguments":"{\"title\":\"a b\"}"}]`, string(input))
}

func TestDecode_TerminalEvents_GiveStopReason(t *testing.T) {
	for frame, want := range map[string]string{
		end("completed", ""): llm.StopEnd,
		end("incomplete", `,"incomplete_details":{"reason":"max_output_tokens"}`): llm.StopLength,
	} {
		s := providertest.NewServer(t, providertest.Stream(append(begin[:2:2], frame)...))
		response, err := open(t, s.URL, llm.HTTPOptions{Client: s.Client}).
			GenerateContent(t.Context(), providertest.Messages())
		require.NoError(t, err)
		require.Equal(t, want, response.Choices[0].StopReason)
		require.Equal(t, "Hel", response.Choices[0].Content)
	}
}

func TestDecode_ResponseFailed_IsErrorOfItsCode(t *testing.T) {
	for code, want := range map[string]llm.Kind{
		"insufficient_quota": llm.KindAuth, "context_length_exceeded": llm.KindBadRequest, "novel": llm.KindUnavailable,
	} {
		frame := end("failed", `,"error":{"code":"`+code+`","message":"`+providertest.ProviderText+`"}`)
		s := providertest.NewServer(t, providertest.Stream(frame))
		_, err := open(t, s.URL, llm.HTTPOptions{Client: s.Client, Retry: llm.Retry{Attempts: 1}}).
			GenerateContent(t.Context(), providertest.Messages())
		require.Equal(t, want, llm.KindOf(err), "%s: %v", code, err)
	}
}
