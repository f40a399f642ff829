package providertest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"errand/internal/llm/providertest"

	"github.com/stretchr/testify/require"
)

// toolCallResponse is a response with a tool call in OpenAI's format.
var toolCallResponse = providertest.Stream(
	`data: {"choices":[{"index":0,"delta":{"content":"On it."}}]}`+"\n\n",
	`data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c1","function":{"name":"add_task",`+
		`"arguments":"{\"title\":\"x\"}"}}]},"finish_reason":"tool_calls"}]}`+"\n\n",
	"data: [DONE]\n\n",
)

// post sends body to path with every provider's key and returns the response's status and body.
func post(t *testing.T, handler http.Handler, path, body string) (int, string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("X-Goog-Api-Key", providertest.APIKey)
	r.Header.Set("X-Api-Key", providertest.APIKey)
	r.Header.Set("Anthropic-Version", "2023-06-01")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	response, err := io.ReadAll(w.Body)
	require.NoError(t, err)
	return w.Code, string(response)
}

// between returns the part of text after one separator and before another.
func between(t *testing.T, text, after, before string) string {
	t.Helper()
	_, rest, found := strings.Cut(text, after)
	require.True(t, found, text)
	part, _, _ := strings.Cut(rest, before)
	return part
}

func TestFakeGemini_InvalidHistory_IsRejected(t *testing.T) {
	const path = "/v1beta/models/gemini-3:streamGenerateContent?alt=sse"
	handler := providertest.FakeProviders(http.HandlerFunc(toolCallResponse))
	history := func(model, results string) string {
		return `{"contents":[{"role":"user","parts":[{"text":"Go"}]},{"role":"model",` +
			`"parts":[` + model + `]},{"role":"user","parts":[` + results + `]}]}`
	}
	_, response := post(t, handler, path, `{"contents":[{"role":"user","parts":[{"text":"Go"}]}]}`)
	signature := between(t, response, `"thoughtSignature":"`, `"`)
	call := func(title, signature string) string {
		return `{"functionCall":{"name":"add_task","args":{"title":"` + title + `"}},"thoughtSignature":"` + signature + `"}`
	}
	const result = `{"functionResponse":{"name":"add_task","response":{}}}`
	for want, body := range map[string]string{
		"":                            history(call("x", signature), result),
		"missing a thought_signature": history(call("x", ""), result),
		"not valid":                   history(call("y", signature), result),
		"signature is not":            history(call("x", "skip_thought_signature_validator"), result),
		"function response parts":     history(call("x", signature), result+","+result),
		"immediately after":           `{"contents":[{"role":"model","parts":[{"text":"Hi"}]}]}`,
		"has no response": strings.Replace(history(call("x", signature), result),
			`,{"role":"user","parts":[`+result+`]}`, "", 1),
	} {
		status, response := post(t, handler, path, body)
		require.Equal(t, want == "", status == http.StatusOK, response)
		require.Contains(t, response, want)
	}
}

func TestFakeAnthropic_InvalidHistory_IsRejected(t *testing.T) {
	handler := providertest.FakeProviders(http.HandlerFunc(toolCallResponse))
	request := func(system, tools, messages string) string {
		return `{"stream":true,"max_tokens":9,` +
			`"system":"` + system + `","tools":[` + tools + `],"messages":[` + messages + `]}`
	}
	const tools, question = `{"name":"add_task"}`, `{"role":"user","content":[{"type":"text","text":"Go"}]}`
	_, response := post(t, handler, "/v1/messages", request("S", tools, question))
	signature := between(t, response, `"delta":{"signature":"`, `"`)
	thinking := `{"type":"thinking","thinking":"","signature":"` + signature + `"},`
	const (
		use    = `{"type":"tool_use","id":"t1","name":"add_task","input":{"title":"x"}}`
		result = `{"type":"tool_result","tool_use_id":"t1","content":"{}"}`
	)
	step := func(blocks, results string) string {
		return question + `,{"role":"assistant","content":[` + blocks + `]},{"role":"user","content":[` + results + `]}`
	}
	for want, body := range map[string]string{
		"":                       request("S", tools, step(thinking+use, result)),
		"Expected `thinking`":    request("S", tools, step(use, result)),
		"invalid block thinking": request("S, later", tools, step(thinking+use, result)),
		"without `tool_result`":  request("S", tools, question+`,{"role":"assistant","content":[`+thinking+use+`]}`),
		"unexpected block text":  request("S", tools, step(thinking+use, `{"type":"text","text":"And"},`+result)),
		"roles must alternate":   request("S", tools, question+","+question),
		"must define tools":      request("S, later", "", step(use, result)),
		"max_tokens":             strings.Replace(request("S", tools, question), `"max_tokens":9,`, "", 1),
	} {
		status, response := post(t, handler, "/v1/messages", body)
		require.Equal(t, want == "", status == http.StatusOK, response)
		require.Contains(t, response, want)
	}
	status, _ := post(t, handler, "/v1/messages", request("S, later", tools, step(use, result)))
	require.Equal(t, http.StatusOK, status, "thinking blocks are not required after a changed history")
}

func TestFakeProviders_WithoutKey_RejectUnlessOllama(t *testing.T) {
	handler := providertest.FakeProviders(http.HandlerFunc(toolCallResponse))
	for path, want := range map[string]int{
		"/v1/chat/completions": http.StatusUnauthorized, "/v1/messages": http.StatusBadRequest,
		"/v1beta/models/m:streamGenerateContent?alt=sse": http.StatusBadRequest,
		providertest.OllamaPath + "/v1/chat/completions": http.StatusOK,
	} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, strings.NewReader(`{}`)))
		require.Equal(t, want, w.Code, path)
	}
}
