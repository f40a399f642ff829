package gemini_test

import (
	"encoding/json"
	"testing"

	"errand/internal/llm"
	"errand/internal/llm/providertest"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

func contents(t *testing.T, r providertest.Request) string {
	t.Helper()
	data, err := json.Marshal(r.JSON(t)["contents"])
	require.NoError(t, err)
	return string(data)
}

// stepOnce answers the question with calls and returns the history after it.
func stepOnce(t *testing.T, m llms.Model) []llms.MessageContent {
	t.Helper()
	resp, err := m.GenerateContent(t.Context(), providertest.Messages(), llms.WithTools(providertest.Tools()))
	require.NoError(t, err)
	c := resp.Choices[0]
	p, ok := llm.PartsOf(c)
	require.True(t, ok)
	ai := llms.MessageContent{Role: llms.ChatMessageTypeAI, Parts: []llms.ContentPart{p, llms.TextPart(c.Content)}}
	history := append(providertest.Messages(), ai)
	for i, call := range c.ToolCalls {
		call.ID = "renamed_" + call.FunctionCall.Name // callers may use ids of their own
		history[2].Parts = append(history[2].Parts, call)
		history = append(history, llms.MessageContent{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{
			llms.ToolCallResponse{
				ToolCallID: call.ID,
				Name:       call.FunctionCall.Name,
				Content:    []string{`{"total":0}`, `plain`}[i],
			},
		}})
	}
	return history
}

func TestGenerateContent_Signatures_AreReplayedInToolLoop(t *testing.T) {
	s := providertest.NewServer(t, providertest.Stream(calls...), providertest.Stream(text("Done.")...))
	m := open(t, s.URL, llm.HTTPOptions{Client: s.Client})
	_, err := m.GenerateContent(t.Context(), stepOnce(t, m), llms.WithTools(providertest.Tools()))
	require.NoError(t, err)
	require.JSONEq(t, `[
		{"role":"user","parts":[{"text":"What is open?"}]},
		{"role":"model","parts":[
			{"text":"On it"},
			{"text":".","thoughtSignature":"c2lnMQ=="},
			{"functionCall":{"name":"add_task","args":{"title":"a b"}},"thoughtSignature":"c2lnMg=="},
			{"functionCall":{"name":"list_tasks"}},
			{"text":"","thoughtSignature":"c2lnMw=="}]},
		{"role":"user","parts":[
			{"functionResponse":{"name":"add_task","response":{"total":0}}},
			{"functionResponse":{"name":"list_tasks","response":{"result":"plain"}}}]}
	]`, contents(t, s.Requests()[1]))
}

func TestGenerateContent_OtherModel_DropsSignatures(t *testing.T) {
	s := providertest.NewServer(t, providertest.Stream(calls...), providertest.Stream(text("Done.")...))
	m := open(t, s.URL, llm.HTTPOptions{Client: s.Client})
	history := stepOnce(t, m)
	for i, c := range []struct{ model, signature string }{
		{"gemini-3.8-flash", `"thoughtSignature":"skip_thought_signature_validator"`},
		{"gemini-2.5-flash", ``},
	} {
		other := openModel(t, s.URL, c.model, llm.HTTPOptions{Client: s.Client})
		_, err := other.GenerateContent(t.Context(), history)
		require.NoError(t, err)
		r := s.Requests()[i+1]
		require.Equal(t, "/v1beta/models/"+c.model+":streamGenerateContent", r.Path)
		require.NotContains(t, string(r.Body), "c2ln")
		require.Contains(t, string(r.Body), c.signature)
		require.Equal(t, c.signature == "", !containsSignature(t, r))
		require.Contains(t, contents(t, r), `"functionResponse":{"id":"renamed_add_task"`)
	}
}

func containsSignature(t *testing.T, r providertest.Request) bool {
	t.Helper()
	var body struct {
		Contents []struct {
			Parts []struct {
				ThoughtSignature string `json:"thoughtSignature"`
			} `json:"parts"`
		} `json:"contents"`
	}
	require.NoError(t, json.Unmarshal(r.Body, &body))
	for _, c := range body.Contents {
		for _, p := range c.Parts {
			if p.ThoughtSignature != "" {
				return true
			}
		}
	}
	return false
}

func TestNewRequest_History_IsConverted(t *testing.T) {
	s := providertest.NewServer(t, providertest.Stream(text("Done.")...))
	m := open(t, s.URL, llm.HTTPOptions{Client: s.Client})
	_, err := m.GenerateContent(t.Context(), []llms.MessageContent{
		llms.TextParts(llms.ChatMessageTypeSystem, "S"),
		{Role: llms.ChatMessageTypeAI, Parts: []llms.ContentPart{
			llm.ProviderParts{
				Provider: "anthropic",
				Model:    "gemini-3-test",
				Raw: json.RawMessage(
					`{"parts":[{"functionCall":{"name":"add_task","args":{"title":"x"}},"thoughtSignature":"planted"}]}`,
				),
			},
			llms.ToolCall{ID: "u1", FunctionCall: &llms.FunctionCall{Name: "add_task", Arguments: `{"title":"x"}`}},
		}},
		llms.TextParts(llms.ChatMessageTypeHuman, "Go on"),
	}, llms.WithTools(providertest.Tools()), llms.WithToolChoice("none"))
	require.NoError(t, err)
	r := s.Requests()[0]
	body := r.JSON(t)
	require.Equal(t, "alt=sse", r.Query, "the key is not in the URL")
	require.Equal(t, providertest.APIKey, r.Header.Get("X-Goog-Api-Key"))
	require.Equal(t, map[string]any{"parts": []any{map[string]any{"text": "S"}}}, body["systemInstruction"])
	require.NotContains(t, body, "generationConfig")
	require.Equal(t, map[string]any{"functionCallingConfig": map[string]any{"mode": "NONE"}}, body["toolConfig"])
	declarations := body["tools"].([]any)[0].(map[string]any)["functionDeclarations"].([]any)
	require.Equal(
		t,
		false,
		declarations[0].(map[string]any)["parametersJsonSchema"].(map[string]any)["additionalProperties"],
	)
	require.NotContains(t, string(r.Body), "planted")

	turns := body["contents"].([]any)
	require.Len(t, turns, 3)
	require.Equal(t, "user", turns[0].(map[string]any)["role"], "a history that starts with the model gets a user turn")
	require.Contains(t, contents(t, r), "UNFINISHED")
}
