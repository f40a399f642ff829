package catalog_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"errand/internal/llm"
	"errand/internal/llm/catalog"
	"errand/internal/llm/providertest"
	"errand/internal/secret"

	"github.com/stretchr/testify/require"
)

// serve returns the configuration of a server with fixed answers by path. It requires the key in header, if one is
// named.
func serve(t *testing.T, header string, answers map[string]string) llm.Config {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		answer, ok := answers[strings.TrimSpace(r.URL.RequestURI()+" "+string(body))]
		switch {
		case header != "" && !strings.HasSuffix(r.Header.Get(header), providertest.APIKey):
			w.WriteHeader(http.StatusUnauthorized)
		case !ok:
			w.WriteHeader(http.StatusNotFound)
		default:
			_, _ = io.WriteString(w, answer)
		}
	}))
	t.Cleanup(s.Close)
	return llm.Config{BaseURL: s.URL, Key: secret.New(providertest.APIKey), HTTP: llm.HTTPOptions{Client: s.Client()}}
}

func TestList_EachProvider_ReadsWhatItTells(t *testing.T) {
	for name, c := range map[string]struct {
		provider, header string
		answers          map[string]string
		want             []catalog.Model
	}{
		"OpenAI": {"openai", "Authorization", map[string]string{
			"/models": `{"object":"list","data":[{"id":"gpt-6","object":"model","created":1,"owned_by":"openai"}]}`,
		}, []catalog.Model{{Name: "gpt-6"}}},
		"OpenRouter": {"openai", "", map[string]string{"/models": `{"data":[{"id":"a/b","context_length":131072,` +
			`"top_provider":{"max_completion_tokens":8192},"supported_parameters":["tools","reasoning"]},{"id":"a/a",` +
			`"context_length":"unknown","supported_parameters":["temperature"]}]}`}, []catalog.Model{
			{Name: "a/a", Tools: catalog.No, Thinking: catalog.No},
			{Name: "a/b", ContextTokens: 131072, OutputTokens: 8192, Tools: catalog.Yes, Thinking: catalog.Yes},
		}},
		"vLLM": {"openai", "", map[string]string{
			"/models": `{"data":[{"id":"q","max_model_len":32768}]}`,
		}, []catalog.Model{{Name: "q", ContextTokens: 32768}}},
		"llama.cpp": {"openai", "", map[string]string{
			"/models": `{"data":[{"id":"q","meta":{"n_ctx_train":32768,"n_ctx":8192}}]}`,
		}, []catalog.Model{{Name: "q", ContextTokens: 8192}}},
		"Mistral": {"openai", "", map[string]string{"/models": `{"data":[{"id":"m","max_context_length":128000,` +
			`"capabilities":{"function_calling":true,"reasoning":false}}]}`}, []catalog.Model{
			{Name: "m", ContextTokens: 128000, Tools: catalog.Yes, Thinking: catalog.No},
		}},
		"Gemini": {"gemini", "X-Goog-Api-Key", map[string]string{"/v1beta/models?pageSize=1000": `{"models":[` +
			`{"name":"models/embedding","supportedGenerationMethods":["embedContent"]},{"name":"models/gemini-3",` +
			`"inputTokenLimit":1048576,"outputTokenLimit":65536,"thinking":true,"supportedGenerationMethods":` +
			`["generateContent"]}]}`}, []catalog.Model{
			{Name: "gemini-3", ContextTokens: 1048576, OutputTokens: 65536, Thinking: catalog.Yes},
		}},
		"Anthropic": {
			"anthropic", "X-Api-Key",
			map[string]string{"/v1/models?limit=1000": `{"data":[{"id":"claude",` +
				`"max_input_tokens":200000,"max_tokens":64000,"capabilities":{"thinking":{"supported":true}}}]}`},
			[]catalog.Model{{
				Name: "claude", ContextTokens: 200000, OutputTokens: 64000, Tools: catalog.Yes,
				Thinking: catalog.Yes,
			}},
		},
		"Ollama": {"ollama", "", map[string]string{
			"/api/tags": `{"models":[{"name":"qwen3:8b"}]}`,
			`/api/show {"model":"qwen3:8b"}`: `{"capabilities":["completion","tools","thinking"],` +
				`"model_info":{"general.architecture":"qwen3","qwen3.context_length":40960,"tokens":["a"]}}`,
		}, []catalog.Model{{Name: "qwen3:8b", ContextTokens: 40960, Tools: catalog.Yes, Thinking: catalog.Yes}}},
	} {
		t.Run(name, func(t *testing.T) {
			models, err := catalog.List(t.Context(), c.provider, serve(t, c.header, c.answers))
			require.NoError(t, err)
			require.Equal(t, c.want, models)
		})
	}
}

func TestList_ServerFails_ReturnsErrorOfItsKind(t *testing.T) {
	for want, answer := range map[llm.Kind]string{
		llm.KindUnavailable: `<!DOCTYPE html><title>Sign in</title>`,
		llm.KindBadRequest:  "",
	} {
		answers := map[string]string{}
		if answer != "" {
			answers["/models"] = answer
		}
		_, err := catalog.List(t.Context(), "openai", serve(t, "", answers))
		require.Equal(t, want, llm.KindOf(err), "%v", err)
		require.NotContains(t, err.Error(), "Sign in")
	}
	c := serve(t, "Authorization", nil)
	c.Key = secret.New("wrong-key")
	_, err := catalog.List(t.Context(), "openai", c)
	require.Equal(t, llm.KindAuth, llm.KindOf(err))
	require.NotContains(t, err.Error(), "wrong-key")
}
