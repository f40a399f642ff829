package openai_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"errand/internal/llm"
	"errand/internal/llm/openai"
	"errand/internal/llm/providertest"
	"errand/internal/secret"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, url string, o llm.HTTPOptions) llms.Model {
	t.Helper()
	return openModel(t, url, "test-model", o)
}

// openModel returns a client of the fake server at url for the model name.
func openModel(t *testing.T, url, name string, o llm.HTTPOptions) llms.Model {
	t.Helper()
	m, err := openai.New(llm.Config{
		BaseURL: url + "/v1",
		Key:     secret.New(providertest.APIKey),
		Model:   name,
		HTTP:    o,
	})
	require.NoError(t, err)
	return m
}

const done = "data: [DONE]\n\n"

func delta(d string) string { return finish(d, "null") }

func finish(d, reason string) string {
	return fmt.Sprintf("data: {\"choices\":[{\"index\":0,\"delta\":%s,\"finish_reason\":%s}]}\n\n", d, reason)
}

const usage = `data: {"choices":[],"usage":{"prompt_tokens":11,"completion_tokens":7,` +
	`"prompt_tokens_details":{"cached_tokens":3}}}` + "\n\n"

func text(pieces ...string) []string {
	frames := []string{delta(`{"role":"assistant","content":""}`)}
	for _, p := range pieces {
		content, _ := json.Marshal(p)
		frames = append(frames, delta(`{"content":`+string(content)+`}`))
	}
	return append(frames, finish(`{}`, `"stop"`), usage, done)
}

var begin = []string{delta(`{"role":"assistant"}`), delta(`{"content":"Hel"}`)}

// calls is a response with two interleaved calls: the second index comes first, ids, types and names are repeated, and
// some deltas also have text.
var calls = []string{
	delta(
		`{"role":"assistant","content":null,"tool_calls":[{"index":1,"id":"c2","type":"function",` +
			`"function":{"name":"list_tasks","arguments":""}}]}`,
	),
	delta(
		`{"content":"On ","tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"add_task",` +
			`"arguments":""}}]}`,
	),
	delta(
		`{"tool_calls":[{"index":0,"type":"function","function":{"name":"add_task","arguments":"{\"title\":"}},` +
			`{"index":1,"function":{"arguments":""}}]}`,
	),
	delta(`{"content":"it.","tool_calls":[{"index":0,"id":"c1","type":"function","function":{"arguments":"\"a b\"}"}}]}`),
	finish(`{}`, `"tool_calls"`), usage, done,
}

func call(arguments string) string {
	return delta(`{"tool_calls":[{"index":0,"id":"c1","function":{"name":"add_task","arguments":` + arguments + `}}]}`)
}

func TestClient_ConformanceSuite_Passes(t *testing.T) { providertest.RunSuite(t, suite(open)) }

// TestClient_Ollama_ConformanceSuitePasses runs the suite with another name and without a key.
func TestClient_Ollama_ConformanceSuitePasses(t *testing.T) {
	providertest.RunSuite(t, suite(func(t *testing.T, url string, w llm.HTTPOptions) llms.Model {
		t.Helper()
		m, err := openai.New(llm.Config{Provider: "ollama", BaseURL: url + "/v1", Model: "test-model", HTTP: w})
		require.NoError(t, err)
		return m
	}))
}

// toolCall returns a response with one call.
func toolCall(id, name string, arguments ...string) []string {
	frames := []string{delta(fmt.Sprintf(`{"tool_calls":[{"index":0,"id":%s,"function":{"name":%s}}]}`, quote(id),
		quote(name)))}
	for _, a := range arguments {
		frames = append(frames, delta(`{"tool_calls":[{"index":0,"function":{"arguments":`+quote(a)+`}}]}`))
	}
	return append(frames, finish(`{}`, `"tool_calls"`), done)
}

func suite(open func(t *testing.T, url string, w llm.HTTPOptions) llms.Model) providertest.Suite {
	return providertest.Suite{
		NewModel: open, Text: text, PartialText: begin, ToolCalls: calls,
		UnfinishedCall:   []string{call(`"{\"title\":\"a"`)},
		CallAtTokenLimit: []string{begin[1], call(`"{}"`), finish(`{}`, `"length"`), done},
		ToolCall:         toolCall,
		Usage: func(input, output string) []string {
			return []string{
				delta(`{"content":"Hello"}`), finish(`{}`, `"stop"`),
				`data: {"choices":null,"usage":{"prompt_tokens":` + input + `,"completion_tokens":` + output +
					`,"prompt_tokens_details":null}}` + "\n\n", done,
			}
		},
		ContentFiltered: []string{delta(`{"content":"Hel"}`), finish(`{}`, `"content_filter"`), done},
		ErrorEvent: `data: {"error":{"message":"` + providertest.ProviderText + `","type":"server_error",` +
			`"code":"overloaded"}}` + "\n\n",
		UnstreamedText: `{"choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}]}`,
		RateLimitBody: `{"error":{"message":"` + providertest.ProviderText + `","type":"rate_limit_error",` +
			`"code":"rate_limit_exceeded"}}`,
	}
}

func generate(t *testing.T, frames []string, opts ...llms.CallOption) (*llms.ContentChoice, error) {
	t.Helper()
	s := providertest.NewServer(t, providertest.Stream(frames...))
	resp, err := open(t, s.URL, llm.HTTPOptions{Client: s.Client}).GenerateContent(t.Context(), providertest.Messages(),
		opts...)
	if err != nil {
		return nil, err
	}
	return resp.Choices[0], nil
}

func TestDecode_DeviatingServers_AreAccepted(t *testing.T) {
	for name, frames := range map[string][]string{
		"every call at index 0": {
			delta(`{"content":"On it.","tool_calls":[{"index":0,"id":"x","function":{"name":"add_task",` +
				`"arguments":"{\"title\""}}]}`),
			delta(`{"tool_calls":[{"index":0,"function":{"arguments":":\"a b\"}"}}]}`),
			delta(`{"tool_calls":[{"index":0,"id":"y","function":{"name":"list_tasks","arguments":"{}"}}]}`),
			finish(`{}`, `"tool_calls"`),
		},
		"no index": {
			delta(`{"content":"On it.","tool_calls":[{"id":"x","function":{"name":"add_task","arguments":"{\"title\""}}]}`),
			delta(`{"tool_calls":[{"function":{"arguments":":\"a b\"}"}}]}`),
			delta(`{"tool_calls":[{"id":"y","function":{"name":"list_tasks"}}]}`),
			finish(`{}`, `"stop"`), done,
		},
		"no ids": {
			delta(`{"content":"On it.","tool_calls":[{"index":0,"function":{"name":"add_task","arguments":"{\"title\":\"a ` +
				`b\"}"}},{"index":1,"function":{"name":"list_tasks","arguments":"null"}}]}`),
			finish(`{}`, `"stop"`), done,
		},
		"one id for all": {
			delta(`{"content":"On it.","tool_calls":[{"index":0,"id":"c","function":{"name":"add_task",` +
				`"arguments":"{\"title\":\"a b\"}"}},{"index":1,"id":"c","function":{"name":"list_tasks"}}]}`),
			finish(`{}`, `"tool_calls"`), done,
		},
		"objects and lists of parts": {
			`data: {"choices":[{"message":{"content":[{"type":"thinking","text":"no"},{"type":"text","text":"On ` +
				`it."}],"tool_calls":[` +
				`{"function":{"name":"add_task","arguments":{"title":"a b"}}},{"function":{"name":"list_tasks","arguments":{}}` +
				`}]},"finish_reason":"tool_calls"}]}` + "\n\n",
		},
		"finish with the last delta, and no [DONE]": {
			delta(`{"content":"On it."}`),
			finish(`{"tool_calls":[{"index":0,"id":"a","function":{"name":"add_task","arguments":"{\"title\":\"a `+
				`b\"}"}},{"index":1,"id":"b","function":{"name":"list_tasks"}}]}`, `"tool_calls"`),
		},
		"usage first, the reason late and alone": {
			delta(`{"content":"On it.","tool_calls":[{"index":0,"id":"a","function":{"name":"add_task",` +
				`"arguments":"{\"title\":\"a b\"}"}},{"index":1,"id":"b","function":{"name":"list_tasks"}}]}`),
			usage, finish(`{}`, `"tool_calls"`), done,
		},
		"reasoning beside the answer": {
			delta(`{"reasoning_content":"hmm","reasoning":"hmm","content":"On it."}`),
			delta(`{"tool_calls":[{"index":0,"id":"a","function":{"name":"add_task","arguments":"{\"title\":\"a ` +
				`b\"}"}},{"index":1,"id":"b","function":{"name":"list_tasks"}}]}`),
			finish(`{}`, `"tool_calls"`), done,
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := generate(t, frames)
			require.NoError(t, err)
			require.Equal(t, "On it.", c.Content)
			require.Equal(t, llm.StopToolCalls, c.StopReason)
			require.Len(t, c.ToolCalls, 2)
			require.JSONEq(t, `{"title":"a b"}`, c.ToolCalls[0].FunctionCall.Arguments)
			require.Equal(t, "list_tasks", c.ToolCalls[1].FunctionCall.Name)
			require.Equal(t, "{}", c.ToolCalls[1].FunctionCall.Arguments)
			require.NotEmpty(t, c.ToolCalls[1].ID)
			require.NotEqual(t, c.ToolCalls[0].ID, c.ToolCalls[1].ID)
		})
	}
}

func TestDecode_IncompleteResponses_ReturnErrors(t *testing.T) {
	for name, c := range map[string]struct {
		kind   llm.Kind
		frames []string
	}{
		"[DONE] without a reason":    {llm.KindTruncated, []string{delta(`{"content":"Hel"}`), done}},
		"calls announced, none came": {llm.KindTruncated, []string{finish(`{}`, `"tool_calls"`), done}},
		"legacy function call": {
			llm.KindTruncated,
			[]string{delta(`{"function_call":{"name":"x","arguments":"{}"}}`), finish(`{}`, `"function_call"`), done},
		},
		"the limit left nothing": {llm.KindTruncated, []string{finish(`{}`, `"length"`), done}},
		"the server gave up": {llm.KindUnavailable, []string{
			delta(`{"content":"Hel"}`), finish(`{}`, `"error"`),
			done,
		}},
		"an error as a bare string": {llm.KindUnavailable, []string{`data: {"error":"boom"}` + "\n\n"}},
		"an error by its event":     {llm.KindUnavailable, []string{"event: error\ndata: {\"message\":\"boom\"}\n\n"}},
		"a numeric code": {
			llm.KindRateLimit,
			[]string{`data: {"error":{"code":429,"message":"boom"}}` + "\n\n"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := generate(t, c.frames)
			require.Equal(t, c.kind, llm.KindOf(err), "%v", err)
		})
	}
}

func TestDecode_TextAtTokenLimit_IsReturned(t *testing.T) {
	c, err := generate(t, []string{delta(`{"content":"Hel"}`), finish(`{}`, `"length"`), done})
	require.NoError(t, err)
	require.Equal(t, "Hel", c.Content)
	require.Equal(t, llm.StopLength, c.StopReason)
}

func TestDecode_ConnectionBreaksAfterStopReason_IsComplete(t *testing.T) {
	s := providertest.NewServer(t, providertest.StreamThenReset(delta(`{"content":"Hello"}`), finish(`{}`, `"stop"`)))
	resp, err := open(t, s.URL, llm.HTTPOptions{Client: s.Client}).GenerateContent(t.Context(), providertest.Messages())
	require.NoError(t, err)
	require.Equal(t, "Hello", resp.Choices[0].Content)
}

func TestPost_InsufficientQuota_IsNotRetried(t *testing.T) {
	s := providertest.NewServer(
		t,
		providertest.JSON(429, `{"error":{"type":"insufficient_quota","code":"insufficient_quota"}}`, "Retry-After", "1"),
	)
	_, err := open(t, s.URL, llm.HTTPOptions{Client: s.Client}).GenerateContent(t.Context(), providertest.Messages())
	require.Equal(t, llm.KindAuth, llm.KindOf(err))
	require.Len(t, s.Requests(), 1)
}

func TestDecode_Refusal_IsText(t *testing.T) {
	c, err := generate(
		t,
		[]string{
			delta(`{"role":"assistant","content":null,"refusal":""}`),
			delta(`{"refusal":"I cannot "}`),
			delta(`{"refusal":"do that."}`),
			finish(`{}`, `"stop"`),
			usage,
			done,
		},
	)
	require.NoError(t, err)
	require.Equal(t, "I cannot do that.", c.Content)
	require.Equal(t, llm.StopEnd, c.StopReason)
}

func TestPost_UnknownModel_IsNamed(t *testing.T) {
	s := providertest.NewServer(
		t,
		providertest.JSON(
			400,
			`{"error":{"message":"`+providertest.ProviderText+`","type":"invalid_request_error","code":"model_not_found"}}`,
		),
	)
	_, err := open(t, s.URL, llm.HTTPOptions{Client: s.Client}).GenerateContent(t.Context(), providertest.Messages())
	require.ErrorContains(t, err, "there is no such model")
	require.NotContains(t, err.Error(), providertest.ProviderText)
}

func TestError_ProviderReport_KeepsKnownCodesOnly(t *testing.T) {
	for want, report := range map[string]string{
		"openai@HOST: bad_request (HTTP 400): unsupported_parameter": `{"error":{"type":"invalid_request_error",` +
			`"code":"unsupported_parameter","param":"max_tokens"}}`,
		"openai@HOST: bad_request (HTTP 400): the prompt is longer than the model's context window " +
			"(context_length_exceeded)": `{"error":{"type":"invalid_request_error",` +
			`"code":"context_length_exceeded"}}`,
		"openai@HOST: bad_request (HTTP 400): invalid_request_error": `{"error":{"type":"invalid_request_error",` +
			`"code":null}}`,
		"openai@HOST: bad_request (HTTP 400)": `{"error":{"type":"` +
			providertest.ProviderText + `","code":"` + providertest.APIKey + `"}}`,
	} {
		s := providertest.NewServer(t, providertest.JSON(400, report))
		_, err := open(t, s.URL, llm.HTTPOptions{Client: s.Client}).GenerateContent(t.Context(), providertest.Messages())
		require.EqualError(t, err, strings.Replace(want, "HOST", strings.TrimPrefix(s.URL, "http://"), 1))
	}
}
