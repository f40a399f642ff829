package main

import (
	"log/slog"

	"github.com/tmc/langchaingo/llms"

	"errand/internal/config"
	"errand/internal/llm"
	"errand/internal/llm/provider"
	"errand/internal/llm/rules"
)

// openModel makes the model that the configuration chose.
func openModel(c config.LLM, log *slog.Logger) (model llms.Model, name string, err error) {
	return provider.Open(provider.Settings{
		Provider: string(c.Provider), Model: c.Model, Fallback: c.Fallback,
		OpenAIKey: llm.NewSecret(c.OpenAIKey.Reveal()), OpenAIBaseURL: c.OpenAIBaseURL,
		GeminiKey: llm.NewSecret(c.GeminiKey.Reveal()), GeminiBaseURL: c.GeminiBaseURL,
		AnthropicKey: llm.NewSecret(c.AnthropicKey.Reveal()), AnthropicBaseURL: c.AnthropicBaseURL,
		OllamaBaseURL: c.OllamaBaseURL, Wire: llm.Wire{Log: log},
		Rules: func() llms.Model { return rules.New(rules.Options{Pace: c.RulesPace}) },
	})
}
