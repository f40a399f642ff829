package openai_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"errand/internal/llm"
	"errand/internal/llm/openai"
	"errand/internal/llm/providertest"
	"errand/internal/secret"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

func TestNewRequest_History_IsConverted(t *testing.T) {
	s := providertest.NewServer(t, providertest.Stream(text("Done.")...))
	m := open(t, s.URL, llm.HTTPOptions{Client: s.Client})
	long := "functions.add_task:0-and-much-more-than-forty-characters"
	_, err := m.GenerateContent(t.Context(), []llms.MessageContent{
		llms.TextParts(llms.ChatMessageTypeSystem, "S"),
		llms.TextParts(llms.ChatMessageTypeHuman, "One"),
		{Role: llms.ChatMessageTypeAI, Parts: []llms.ContentPart{
			llm.ProviderParts{
				Provider: "anthropic",
				Model:    "test-model",
				Raw:      json.RawMessage(`{"reasoning_content":"planted","calls":[{"name":"add_task"},{"name":"list_tasks"}]}`),
			},
			llms.ToolCall{ID: long, FunctionCall: &llms.FunctionCall{Name: "add_task", Arguments: `{"title":"x"}`}},
			llms.ToolCall{ID: "b", FunctionCall: &llms.FunctionCall{Name: "list_tasks"}},
		}},
		{
			Role:  llms.ChatMessageTypeTool,
			Parts: []llms.ContentPart{llms.ToolCallResponse{ToolCallID: long, Name: "add_task", Content: "ok"}},
		},
		llms.TextParts(llms.ChatMessageTypeHuman, "Two"),
		llms.TextParts(llms.ChatMessageTypeAI, ""),
		llms.TextParts(llms.ChatMessageTypeHuman, "Three"),
	}, llms.WithTools(providertest.Tools()), llms.WithToolChoice("auto"))
	require.NoError(t, err)
	r := s.Requests()[0]
	body := r.JSON(t)
	require.Equal(t, "Bearer "+providertest.APIKey, r.Header.Get("Authorization"))
	for _, absent := range []string{"max_tokens", "max_completion_tokens", "temperature", "tool_choice"} {
		require.NotContains(t, body, absent)
	}
	require.Equal(t, map[string]any{"include_usage": true}, body["stream_options"])
	require.NotContains(t, string(r.Body), "planted")

	id := body["messages"].([]any)[2].(map[string]any)["tool_calls"].([]any)[0].(map[string]any)["id"].(string)
	require.LessOrEqual(t, len(id), 40)
	got, err := json.Marshal(body["messages"])
	require.NoError(t, err)
	require.JSONEq(t, `[
		{"role":"system","content":"S"},
		{"role":"user","content":"One"},
		{"role":"assistant","content":null,"tool_calls":[
			{"id":"`+id+`","type":"function","function":{"name":"add_task","arguments":"{\"title\":\"x\"}"}},
			{"id":"b","type":"function","function":{"name":"list_tasks","arguments":"{}"}}]},
		{"role":"tool","tool_call_id":"`+id+`","content":"ok"},
		{"role":"tool","tool_call_id":"b","content":`+quote(llm.UnfinishedResult)+`},
		{"role":"user","content":"Two\n\nThree"}
	]`, string(got))
}

func quote(s string) string {
	q, _ := json.Marshal(s)
	return string(q)
}

func TestGenerateContent_Reasoning_IsReplayedInToolLoop(t *testing.T) {
	s := providertest.NewServer(t, providertest.Stream(
		delta(`{"reasoning_content":"Let ","reasoning_details":[{"type":"reasoning.text","index":0,"text":"Let "}]}`),
		delta(
			`{"reasoning_content":"me.","reasoning_details":[{"type":"reasoning.text","index":0,"text":"me.",`+
				`"signature":null}]}`,
		),
		delta(
			`{"reasoning_details":[{"type":"reasoning.text","index":0,"signature":"c2ln"},`+
				`{"type":"reasoning.encrypted",`+
				`"index":1,"data":"ZGF0YQ=="}]}`,
		),
		delta(
			`{"tool_calls":[{"index":0,"id":"a","function":{"name":"list_tasks"},`+
				`"extra_content":{"google":{"thought_signature":"c2lnMg=="}}}]}`,
		),
		finish(`{}`, `"tool_calls"`),
		done,
	), providertest.Stream(text("Done.")...))
	m := open(t, s.URL, llm.HTTPOptions{Client: s.Client})
	resp, err := m.GenerateContent(t.Context(), providertest.Messages())
	require.NoError(t, err)
	p, ok := llm.PartsOf(resp.Choices[0])
	require.True(t, ok)
	history := append(
		providertest.Messages(),
		llms.MessageContent{Role: llms.ChatMessageTypeAI, Parts: []llms.ContentPart{resp.Choices[0].ToolCalls[0], p}},
	)

	_, err = m.GenerateContent(t.Context(), history)
	require.NoError(t, err)
	assistant, err := json.Marshal(s.Requests()[1].JSON(t)["messages"].([]any)[2])
	require.NoError(t, err)
	require.JSONEq(t, `{"role":"assistant","content":null,"reasoning_content":"Let me.",
		"reasoning_details":[{"type":"reasoning.text","index":0,"text":"Let me.","signature":"c2ln"},
			{"type":"reasoning.encrypted","index":1,"data":"ZGF0YQ=="}],
		"tool_calls":[{"id":"a","type":"function","function":{"name":"list_tasks","arguments":"{}"},
			"extra_content":{"google":{"thought_signature":"c2lnMg=="}}}]}`,
		string(assistant))

	other := openModel(t, s.URL, "another", llm.HTTPOptions{Client: s.Client})
	_, err = other.GenerateContent(t.Context(), history)
	require.NoError(t, err)
	require.NotContains(t, string(s.Requests()[2].Body), "c2ln")
}

// atOpenAI is a transport that sends requests for OpenAI's host to a fake server.
type atOpenAI struct{ server *providertest.Server }

func (a atOpenAI) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = "http", a.server.URL[len("http://"):]
	return a.server.Client.Transport.RoundTrip(r)
}

func TestNewRequest_OpenAIHost_SetsReasoningEffort(t *testing.T) {
	for model, effort := range map[string]any{
		"gpt-6-luna": "none", "gpt-5.6-terra": "none", "gpt-5.6": "none", "gpt-7": "none",
		"gpt-5.4-mini": nil, "gpt-5-mini": nil, "gpt-4.1": nil, "o3": nil, "gpt-6x": nil,
	} {
		s := providertest.NewServer(t, providertest.Stream(text("Done.")...))
		m, err := openai.New(
			llm.Config{
				Key:   secret.New(providertest.APIKey),
				Model: model,
				HTTP:  llm.HTTPOptions{Client: &http.Client{Transport: atOpenAI{s}}},
			},
		)
		require.NoError(t, err)
		resp, err := m.GenerateContent(
			t.Context(),
			providertest.Messages(),
			llms.WithTools(providertest.Tools()),
		)
		require.NoError(t, err)
		require.Equal(t, "openai", resp.Choices[0].GenerationInfo[llm.InfoProvider])
		body := s.Requests()[0].JSON(t)
		require.Equal(t, effort, body["reasoning_effort"], model)
		require.NotContains(t, body, "max_tokens")

		_, err = m.GenerateContent(t.Context(), providertest.Messages())
		require.NoError(t, err)
		require.NotContains(t, s.Requests()[1].JSON(t), "reasoning_effort", "requests without tools may reason")
	}
}
