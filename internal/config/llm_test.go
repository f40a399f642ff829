package config_test

import (
	"testing"

	"errand/internal/config"

	"github.com/stretchr/testify/require"
)

func TestLoad_NoProvider_FirstWithKeyChosen(t *testing.T) {
	all := vars{}
	require.Equal(t, config.Rules, load(t, all).LLM.Provider)
	for _, step := range []struct {
		name, value string
		want        config.Provider
	}{
		{"OLLAMA_BASE_URL", "http://box:11434/v1/", config.Ollama},
		{"ANTHROPIC_API_KEY", "k", config.Anthropic},
		{"GEMINI_API_KEY", "k", config.Gemini},
		{"OPENAI_API_KEY", "k", config.OpenAI},
		{"LLM_PROVIDER", "Rules", config.Rules},
	} {
		all[step.name] = step.value
		require.Equal(t, step.want, load(t, all).LLM.Provider)
	}
	require.Equal(t, "http://box:11434", load(t, all).LLM.OllamaBaseURL)
}

func TestLoad_ProviderWithoutKey_Error(t *testing.T) {
	for _, p := range []string{"openai", "gemini", "anthropic"} {
		require.Contains(t, loadErrors(t, vars{"LLM_PROVIDER": p}, "")["LLM_PROVIDER"].Problem, "_API_KEY")
		require.Contains(t, loadErrors(t, vars{"LLM_FALLBACK": p}, "")["LLM_FALLBACK"].Problem, "_API_KEY")
	}
	require.Contains(t, loadErrors(t, vars{"LLM_PROVIDER": "gpt"}, "")["LLM_PROVIDER"].Allowed, "anthropic")
}

func TestLoad_SelfHostedServers_NoKeyRequired(t *testing.T) {
	l := load(t, vars{"LLM_PROVIDER": "openai", "OPENAI_BASE_URL": "http://vllm:8000/v1/"}).LLM
	require.Equal(t, "http://vllm:8000/v1", l.OpenAIBaseURL)
	require.Equal(t, "http://127.0.0.1:11434", load(t, vars{"LLM_PROVIDER": "ollama"}).LLM.OllamaBaseURL)
	fallback := load(t, vars{"LLM_FALLBACK": "Ollama/Qwen3:8b"}).LLM
	require.Equal(t, "ollama/Qwen3:8b", fallback.Fallback)
	require.Equal(t, "http://127.0.0.1:11434", fallback.OllamaBaseURL)
}

func TestLoad_ModelSettings_Validated(t *testing.T) {
	require.Contains(t, loadErrors(t, vars{"LLM_FALLBACK": "rules"}, ""), "LLM_FALLBACK")
	require.Contains(t, loadErrors(t, vars{"LLM_FALLBACK": "/m"}, ""), "LLM_FALLBACK")
	require.Contains(
		t,
		loadErrors(t, vars{"OPENAI_API_KEY": "k", "LLM_MODEL": "m", "LLM_FALLBACK": "openai/m"}, ""),
		"LLM_FALLBACK",
	)
	require.Equal(
		t,
		"openai/n",
		load(t, vars{"OPENAI_API_KEY": "k", "LLM_MODEL": "m", "LLM_FALLBACK": "openai/n"}).LLM.Fallback,
	)
	require.Contains(t, loadErrors(t, vars{"GEMINI_BASE_URL": "gateway"}, ""), "GEMINI_BASE_URL")
	require.Contains(t, loadErrors(t, vars{"ANTHROPIC_BASE_URL": "http://u:p@h"}, ""), "ANTHROPIC_BASE_URL")
	require.Contains(t, loadErrors(t, vars{"OPENAI_API_KEY": "a\nb"}, ""), "OPENAI_API_KEY")
	require.Contains(t, loadErrors(t, vars{"OPENAI_BASE_URL": "http://u:p@h/v1"}, ""), "OPENAI_BASE_URL")
	require.Contains(t, loadErrors(t, vars{"OLLAMA_BASE_URL": "box:11434"}, ""), "OLLAMA_BASE_URL")
}
