package server

import (
	"context"
	"strings"

	"errand/internal/config"
	"errand/internal/llm"
	"errand/internal/llm/provider"
	"errand/internal/llm/window"
)

// windowShare is the part of a server's context window that calls use, in 32nds: tokens are estimated.
const windowShare = 31

// modelWindow returns the context window of a model that its server tells, at most the provider's default where that is
// a matter of cost; nil if LLM_CONTEXT_TOKENS sets it, or if the vendor's window is far larger than the default.
func modelWindow(c config.LLM, name string) func(context.Context) int {
	_, model, _ := strings.Cut(name, "/")
	kind := string(c.Provider)
	largest, unknown := provider.ContextTokens(provider.OpenAI), provider.ContextTokens(kind)
	var reader *window.Reader
	switch {
	case c.ContextTokens != 0:
		return nil
	case kind == provider.Ollama:
		reader = window.NewOllama(llm.Config{Provider: kind, BaseURL: c.OllamaBaseURL, Model: model})
	case kind == provider.OpenAI && !c.UsesOpenAI():
		reader = window.NewOpenAI(llm.Config{Provider: kind, BaseURL: c.OpenAIBaseURL, Key: c.OpenAIKey, Model: model})
	default:
		return nil
	}
	return func(ctx context.Context) int {
		if n := reader.Tokens(ctx); n > 0 {
			return min(n*windowShare/32, largest)
		}
		return unknown
	}
}
