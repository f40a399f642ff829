package provider_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"errand/internal/llm"
	"errand/internal/llm/provider"
	"errand/internal/llm/providertest"
	"errand/internal/secret"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type offline struct{ llms.Model }

func rules() llms.Model { return offline{} }

var key = secret.New(providertest.APIKey)

func TestOpen_ValidSettings_SelectsProvider(t *testing.T) {
	for want, s := range map[string]provider.Settings{
		"rules":                      {},
		"openai/gpt-6-luna":          {OpenAIKey: key, GeminiKey: key, AnthropicKey: key},
		"gemini/gemini-3.8-flash":    {GeminiKey: key, AnthropicKey: key, OllamaBaseURL: "http://x"},
		"anthropic/claude-haiku-5-5": {AnthropicKey: key},
		"ollama/qwen3":               {OllamaBaseURL: "http://127.0.0.1:11434/v1/"},
		"ollama/llama":               {Provider: "ollama", Model: "llama"},
		"gemini/g":                   {Provider: "gemini", Model: "g", OpenAIKey: key, GeminiKey: key},
		"openai/meta/llama": {
			Provider: "openai", Model: "meta/llama",
			OpenAIBaseURL: "http://127.0.0.1:8000/v1",
		},
		"anthropic/c": {
			Provider: "anthropic", Model: "c", AnthropicKey: key, Fallback: "gemini/g-2",
			GeminiKey: key,
		},
		"openai/gpt-5.4-mini": {
			Model: "gpt-5.4-mini", OpenAIKey: key,
			OpenAIBaseURL: "https://api.openai.com/v1/", Fallback: "rules",
		},
		"anthropic/claude-haiku-5-5-proxy": {
			Model: "claude-haiku-5-5-proxy", AnthropicKey: key,
			AnthropicBaseURL: "http://proxy:1/x/",
		},
	} {
		s.Rules = rules
		m, name, err := provider.Open(s)
		require.NoError(t, err, want)
		require.Equal(t, want, name)
		require.NotNil(t, m)
	}
}

func TestOpen_InvalidSettings_ReturnsError(t *testing.T) {
	for want, s := range map[string]provider.Settings{
		"LLM_PROVIDER":      {Provider: "gpt"},
		"OPENAI_API_KEY":    {Provider: "openai"},
		"GEMINI_API_KEY":    {Provider: "gemini"},
		"ANTHROPIC_API_KEY": {Provider: "anthropic"},
		"LLM_MODEL":         {Provider: "openai", OpenAIKey: key, OpenAIBaseURL: "https://openrouter.ai/api/v1"},
		"OPENAI_BASE_URL": {
			Model: "m", OpenAIKey: key,
			OpenAIBaseURL: "https://user:" + providertest.APIKey + "@host/v1",
		},
		"OLLAMA_BASE_URL":         {OllamaBaseURL: "localhost:11434"},
		"GEMINI_BASE_URL":         {GeminiKey: key, GeminiBaseURL: "https://host?key=" + providertest.APIKey},
		"LLM_FALLBACK":            {OpenAIKey: key, Fallback: "openai/gpt-6-luna"},
		"LLM_FALLBACK: must name": {GeminiKey: key, Fallback: "openai", OpenAIBaseURL: "http://127.0.0.1:8000/v1"},
	} {
		s.Rules = rules
		m, _, err := provider.Open(s)
		require.ErrorContains(t, err, want)
		require.Nil(t, m)
		require.NotContains(t, err.Error(), providertest.APIKey)
	}
}

func TestSettings_Printed_RedactKeys(t *testing.T) {
	s := provider.Settings{OpenAIKey: key, GeminiKey: key, AnthropicKey: key}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("settings", "key", s.OpenAIKey, "any", slog.AnyValue(s.GeminiKey))
	text, err := json.Marshal(s.OpenAIKey)
	require.NoError(t, err)
	require.NotContains(t, fmt.Sprintf("%v %+v %#v %s %s", s, s, s, text, log.String()), providertest.APIKey)
}

func TestOpen_BaseURLs_AreUsed(t *testing.T) {
	s := providertest.NewServer(t, providertest.JSON(400, `{}`))
	for path, settings := range map[string]provider.Settings{
		"/v1/chat/completions": {Provider: "ollama", OllamaBaseURL: s.URL},
		"/api/v1/chat/completions": {
			Model: "m", OpenAIKey: key,
			OpenAIBaseURL: s.URL + "/api/v1",
		},
		"/v1/responses": {OpenAIKey: key, OpenAIBaseURL: s.URL + "/v1", Model: "m", OpenAIAPI: "responses"},
		"/v1beta/models/gemini-3.8-flash:streamGenerateContent": {GeminiKey: key, GeminiBaseURL: s.URL},
		"/v1/messages": {AnthropicKey: key, AnthropicBaseURL: s.URL},
	} {
		settings.HTTP.Client = s.Client
		m, _, err := provider.Open(settings)
		require.NoError(t, err)
		_, err = llms.GenerateFromSinglePrompt(t.Context(), m, "hello")
		require.Equal(t, llm.KindBadRequest, llm.KindOf(err))
		last := s.Requests()[len(s.Requests())-1]
		require.Equal(t, path, last.Path)
	}
}

// fixedModel replies with a fixed text.
type fixedModel struct {
	llms.Model
	text string
}

func (m fixedModel) GenerateContent(
	context.Context,
	[]llms.MessageContent,
	...llms.CallOption,
) (*llms.ContentResponse, error) {
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: m.text}}}, nil
}

func TestOpen_Overload_UsesFallback(t *testing.T) {
	s := providertest.NewServer(t, providertest.JSON(529, `{}`))
	m, _, err := provider.Open(provider.Settings{
		AnthropicKey: key, AnthropicBaseURL: s.URL, Fallback: "rules",
		HTTP:  llm.HTTPOptions{Client: s.Client, Retry: llm.Retry{Attempts: 1}},
		Rules: func() llms.Model { return fixedModel{text: "fallback"} },
	})
	require.NoError(t, err)
	text, err := llms.GenerateFromSinglePrompt(t.Context(), m, "hello")
	require.NoError(t, err)
	require.Equal(t, "fallback", text)
}
