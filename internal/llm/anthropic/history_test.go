package anthropic_test

import (
	"encoding/json"
	"strings"
	"testing"

	"errand/internal/llm"
	"errand/internal/llm/providertest"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

// step runs one model call and returns the AI message and results that a caller
// would add to its history.
func step(t *testing.T, m llms.Model, history []llms.MessageContent) []llms.MessageContent {
	t.Helper()
	resp, err := m.GenerateContent(t.Context(), history, llms.WithTools(providertest.Tools()))
	require.NoError(t, err)
	c := resp.Choices[0]
	ai := llms.MessageContent{Role: llms.ChatMessageTypeAI, Parts: []llms.ContentPart{llms.TextPart(c.Content)}}
	for _, call := range c.ToolCalls {
		ai.Parts = append(ai.Parts, call)
	}
	if p, ok := llm.PartsOf(c); ok {
		stored, err := json.Marshal(p) // as a database would keep it
		require.NoError(t, err)
		var back llm.ProviderParts
		require.NoError(t, json.Unmarshal(stored, &back))
		ai.Parts = append(ai.Parts, back)
	}
	out := []llms.MessageContent{ai}
	for _, call := range c.ToolCalls {
		out = append(out, llms.MessageContent{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{
			llms.ToolCallResponse{ToolCallID: call.ID, Name: call.FunctionCall.Name, Content: `{"tasks":[],"total":0}`},
		}})
	}
	return out
}

func messages(t *testing.T, r providertest.Request) string {
	t.Helper()
	data, err := json.Marshal(r.JSON(t)["messages"])
	require.NoError(t, err)
	return string(data)
}

func TestGenerateContent_Thinking_IsReplayedUntilPromptChanges(t *testing.T) {
	s := providertest.NewServer(t, providertest.Stream(calls...), providertest.Stream(text("Done.")...))
	m := open(t, s.URL, llm.HTTPOptions{Client: s.Client})
	history := providertest.Messages()
	history = append(history, step(t, m, history)...)
	history = append(history, step(t, m, history)...)

	require.JSONEq(t, `[
		{"role":"user","content":[{"type":"text","text":"What is open?"}]},
		{"role":"assistant","content":[
			{"type":"thinking","thinking":"Hmm.","signature":"c2ln"},
			{"type":"text","text":"On it."},
			{"type":"tool_use","id":"toolu_1","name":"add_task","input":{"title":"a b"}},
			{"type":"redacted_thinking","data":"ZGF0YQ=="},
			{"type":"tool_use","id":"toolu_2","name":"list_tasks","input":{}}]},
		{"role":"user","content":[
			{"type":"tool_result","tool_use_id":"toolu_1","content":"{\"tasks\":[],\"total\":0}"},
			{"type":"tool_result","tool_use_id":"toolu_2","content":"{\"tasks\":[],\"total\":0}"}]}
	]`, messages(t, s.Requests()[1]))

	history[0] = llms.TextParts(llms.ChatMessageTypeSystem, "You keep a task list. It is later now.")
	history = append(history, llms.TextParts(llms.ChatMessageTypeHuman, "And now?"))
	step(t, m, history)
	later := messages(t, s.Requests()[2])
	require.NotContains(t, later, "thinking")
	require.Contains(t, later, `"name":"add_task"`)
	require.Contains(t, later, "And now?")
}

func TestGenerateContent_OtherModelOrChangedStep_DropsThinking(t *testing.T) {
	s := providertest.NewServer(t, providertest.Stream(calls...), providertest.Stream(text("Done.")...))
	m := open(t, s.URL, llm.HTTPOptions{Client: s.Client})
	history := append(providertest.Messages(), step(t, m, providertest.Messages())...)

	other := openModel(t, s.URL, "claude-other", llm.HTTPOptions{Client: s.Client})
	_, err := other.GenerateContent(t.Context(), history, llms.WithTools(providertest.Tools()))
	require.NoError(t, err)
	require.NotContains(t, messages(t, s.Requests()[1]), "thinking")

	history[2].Parts[0] = llms.TextPart("Something else.")
	step(t, m, history)
	changed := messages(t, s.Requests()[2])
	require.NotContains(t, changed, "thinking")
	require.Contains(t, changed, "Something else.")
}

func TestGenerateContent_HistoryOfOtherProvider_IsConverted(t *testing.T) {
	s := providertest.NewServer(t, providertest.Stream(text("Done.")...))
	m := open(t, s.URL, llm.HTTPOptions{Client: s.Client})
	_, err := m.GenerateContent(t.Context(), []llms.MessageContent{
		llms.TextParts(llms.ChatMessageTypeSystem, "S"),
		{Role: llms.ChatMessageTypeAI, Parts: []llms.ContentPart{
			llm.ProviderParts{Provider: "gemini", Model: "claude-test", Raw: json.RawMessage(`{"parts":["planted"]}`)},
			llms.ToolCall{ID: "functions.add_task:0", FunctionCall: &llms.FunctionCall{Name: "add_task", Arguments: "not json"}},
			llms.ToolCall{ID: "b", FunctionCall: &llms.FunctionCall{Name: "list_tasks"}},
		}},
		{
			Role:  llms.ChatMessageTypeTool,
			Parts: []llms.ContentPart{llms.ToolCallResponse{ToolCallID: "b", Name: "list_tasks", Content: "ok"}},
		},
		llms.TextParts(llms.ChatMessageTypeAI, "  "),
		llms.TextParts(llms.ChatMessageTypeHuman, "Go on"),
	}, llms.WithTools(providertest.Tools()))
	require.NoError(t, err)

	r := s.Requests()[0]
	body := r.JSON(t)
	require.Equal(t, "/v1/messages", r.Path)
	require.Equal(t, providertest.APIKey, r.Header.Get("X-Api-Key"))
	require.Equal(t, "2023-06-01", r.Header.Get("Anthropic-Version"))
	require.Positive(t, body["max_tokens"], "the API requires a limit")
	require.NotContains(t, body, "temperature")
	require.NotContains(t, body, "tool_choice")
	require.NotContains(t, string(r.Body), "planted")

	m0 := body["messages"].([]any)
	require.Len(t, m0, 3)
	opening := m0[0].(map[string]any)
	require.Equal(t, "user", opening["role"])
	assistant := m0[1].(map[string]any)["content"].([]any)
	results := m0[2].(map[string]any)["content"].([]any)
	require.Len(t, results, 3, "both results and the question in one message")
	id := assistant[0].(map[string]any)["id"]
	require.Regexp(t, `^[A-Za-z0-9_-]+$`, id)
	require.Equal(t, id, results[0].(map[string]any)["tool_use_id"])
	require.JSONEq(t, llm.UnfinishedResult, results[0].(map[string]any)["content"].(string))
	require.Equal(t, true, results[0].(map[string]any)["is_error"])
	require.Equal(t, "ok", results[1].(map[string]any)["content"])
	require.Equal(t, "Go on", results[2].(map[string]any)["text"])
}

// TestNewRequest_MarksCachedPrefixes: the tools, and the end of the finished turns, which may be a result.
func TestNewRequest_MarksCachedPrefixes(t *testing.T) {
	s := providertest.NewServer(t, providertest.Stream(calls...), providertest.Stream(text("Done.")...))
	m := open(t, s.URL, llm.HTTPOptions{Client: s.Client})
	const mark = `,"cache_control":{"type":"ephemeral"}`
	history := providertest.Messages()
	history = append(history, step(t, m, history)...)
	history = append(history, step(t, m, history)...)
	ended := append(history, llms.TextParts(llms.ChatMessageTypeHuman, "And now?", "It is noon."))
	step(t, m, ended)
	cut := append(history[:len(history)-1:len(history)-1], llms.TextParts(llms.ChatMessageTypeHuman, "And now?"))
	step(t, m, cut)

	requests := s.Requests()
	require.Len(t, requests, 4)
	for i, r := range requests {
		want := 2 // the tools and the whole prompt
		if i > 1 {
			want = 3
		}
		require.Equal(t, want, strings.Count(string(r.Body), mark), "request %d", i)
		tools, err := json.Marshal(r.JSON(t)["tools"])
		require.NoError(t, err)
		require.Equal(t, 1, strings.Count(string(tools), `"cache_control"`))
	}
	require.Contains(t, string(requests[2].Body), `{"type":"text","text":"Done."`+mark+`}]},{"role":"user","content":[`+
		`{"type":"text","text":"And now?"},{"type":"text","text":"It is noon."}]}]`)
	require.Contains(t, string(requests[3].Body), `total\":0}"`+mark+`},{"type":"text","text":"And now?"}]}]`)
}
