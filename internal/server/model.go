package server

import (
	"log/slog"

	"errand/internal/config"
	"errand/internal/llm"
	"errand/internal/llm/provider"
	"errand/internal/offline"

	"github.com/tmc/langchaingo/llms"
)

// OpenModel makes the model that the configuration chose.
func OpenModel(c config.LLM, log *slog.Logger) (model llms.Model, name string, err error) {
	return provider.Open(provider.Settings{
		Provider: string(c.Provider), Model: c.Model, Fallback: c.Fallback,
		OpenAIKey: c.OpenAIKey, OpenAIBaseURL: c.OpenAIBaseURL,
		GeminiKey: c.GeminiKey, GeminiBaseURL: c.GeminiBaseURL,
		AnthropicKey: c.AnthropicKey, AnthropicBaseURL: c.AnthropicBaseURL,
		OllamaBaseURL: c.OllamaBaseURL, Wire: llm.Wire{Log: log},
		Rules: func() llms.Model { return offline.New(offline.Options{Pace: c.RulesPace}) },
	})
}
