package window_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"errand/internal/llm"
	"errand/internal/llm/window"

	"github.com/stretchr/testify/require"
)

// serve answers paths with JSON, others with 404, and counts the requests.
func serve(t *testing.T, answers map[string]string) (url string, requests *int) {
	t.Helper()
	requests = new(int)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*requests++
		answer, ok := answers[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(s.Close)
	return s.URL, requests
}

func TestTokens_EachServer_TellsItsWindow(t *testing.T) {
	for name, c := range map[string]struct {
		answers map[string]string
		want    int
	}{
		"Ollama, loaded": {map[string]string{
			"/api/ps":   `{"models":[{"name":"other","context_length":1},{"name":"qwen3:latest","context_length":16384}]}`,
			"/api/show": `{"parameters":"num_ctx 4096"}`,
		}, 16384},
		"Ollama, not loaded": {map[string]string{
			"/api/ps":   `{"models":[]}`,
			"/api/show": `{"parameters":"stop \"<|im_end|>\"\nnum_ctx             8192\n"}`,
		}, 8192},
		"Ollama, unknown": {map[string]string{"/api/ps": `{"models":[]}`, "/api/show": `{}`}, 0},
		"Ollama, old":     {nil, 0},
		"vLLM": {map[string]string{
			"/v1/models": `{"data":[{"id":"x"},{"id":"qwen3","max_model_len":6000}]}`,
		}, 6000},
		"OpenRouter": {map[string]string{"/v1/models": `{"data":[{"id":"qwen3","context_length":131072}]}`}, 131072},
		"llama.cpp": {map[string]string{
			"/v1/models": `{"data":[]}`, "/props": `{"default_generation_settings":{"n_ctx":2048}}`,
		}, 2048},
		"LM Studio": {map[string]string{
			"/api/v0/models/qwen3": `{"loaded_context_length":5000,"max_context_length":9}`,
		}, 5000},
		"nothing":             {nil, 0},
		"other kinds of JSON": {map[string]string{"/v1/models": `[]`, "/props": `"x"`}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			url, requests := serve(t, c.answers)
			r := window.NewOpenAI(llm.Config{Provider: "openai", BaseURL: url + "/v1", Model: "qwen3"})
			if name[:2] == "Ol" {
				r = window.NewOllama(llm.Config{Provider: "ollama", BaseURL: url, Model: "qwen3"})
			}
			require.Equal(t, c.want, r.Tokens(t.Context()))
			before := *requests
			require.Equal(t, c.want, r.Tokens(t.Context()))
			require.Equal(t, before, *requests, "the second answer is cached")
		})
	}
}

func TestTokens_ServerDown_IsUnknown(t *testing.T) {
	r := window.NewOllama(llm.Config{Provider: "ollama", BaseURL: "http://127.0.0.1:1", Model: "qwen3"})
	require.Zero(t, r.Tokens(t.Context()))
}
