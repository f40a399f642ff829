// Package provider chooses the model that answers, by the settings of the
// environment. It is apart from package llm because it knows every provider.
package provider

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"errand/internal/llm"
	"errand/internal/llm/anthropic"
	"errand/internal/llm/gemini"
	"errand/internal/llm/openai"
	"errand/internal/secret"

	"github.com/tmc/langchaingo/llms"
)

// Names of the providers, as LLM_PROVIDER takes them.
const (
	Rules     = "rules"
	OpenAI    = "openai"
	Gemini    = "gemini"
	Anthropic = "anthropic"
	Ollama    = "ollama"
)

// Models asked unless LLM_MODEL names another: of each provider the small,
// quick model that calls tools well, since a task list needs no more.
const (
	DefaultOpenAIModel    = "gpt-6-luna"
	DefaultGeminiModel    = "gemini-3.8-flash"
	DefaultAnthropicModel = "claude-haiku-5-5"
	DefaultOllamaModel    = "qwen3"
)

// ContextTokens is how much one call shows a provider's model unless set otherwise. The
// vendors' windows are many times larger, and every token of them costs; Ollama cuts the
// prompt silently at 4096 unless told otherwise.
func ContextTokens(provider string) int {
	if provider == Ollama {
		return 4000
	}
	return 32_000
}

// DefaultOllamaBaseURL is where a local Ollama listens.
const DefaultOllamaBaseURL = "http://127.0.0.1:11434"

// ollamaIdleTimeout leaves a local server the time to load its model.
const ollamaIdleTimeout = 5 * time.Minute

// Settings are the environment's, one field a variable unless noted.
type Settings struct {
	// Provider is LLM_PROVIDER; "" takes the first of OpenAI, Gemini and Anthropic
	// whose key is set, then Ollama when its address is set, then the rules.
	Provider string
	// Model is LLM_MODEL, "" for the provider's default.
	Model string
	// Fallback is LLM_FALLBACK: "provider" or "provider/model", "" for none.
	Fallback string

	OpenAIKey     secret.String
	OpenAIBaseURL string
	GeminiKey     secret.String
	AnthropicKey  secret.String
	OllamaBaseURL string
	// GeminiBaseURL and AnthropicBaseURL are for gateways and tests; "" for the vendors' own.
	GeminiBaseURL    string
	AnthropicBaseURL string

	// Wire holds what all providers share: client, idle timeout, retries, log.
	Wire llm.Wire
	// Rules makes the built-in model that needs no network. Required.
	Rules func() llms.Model
}

// Open makes the chosen model, with its fallback around it, and names it as
// "provider/model". It makes no request. Errors name the faulty variable and
// never its value where that may be secret.
func Open(s Settings) (llms.Model, string, error) {
	choice := s.Provider
	if choice == "" {
		choice = s.first()
	}
	first, name, err := s.open(choice, s.Model, "LLM_PROVIDER")
	if err != nil || s.Fallback == "" {
		return first, name, err
	}
	other, model, _ := strings.Cut(s.Fallback, "/")
	second, secondName, err := s.open(other, model, "LLM_FALLBACK")
	if err != nil {
		return nil, "", err
	}
	if secondName == name {
		return nil, "", fmt.Errorf("LLM_FALLBACK: %s cannot stand in for itself", name)
	}
	return &llm.Fallback{First: first, Second: second, Log: s.Wire.Log}, name, nil
}

func (s Settings) first() string {
	switch {
	case s.OpenAIKey.IsSet():
		return OpenAI
	case s.GeminiKey.IsSet():
		return Gemini
	case s.AnthropicKey.IsSet():
		return Anthropic
	case s.OllamaBaseURL != "":
		return Ollama
	default:
		return Rules
	}
}

// open makes one model for the variable that asked for it.
func (s Settings) open(provider, model, variable string) (llms.Model, string, error) {
	switch provider {
	case Rules:
		return s.Rules(), Rules, nil
	case OpenAI:
		return s.openAI(model, variable)
	case Gemini:
		return s.gemini(model)
	case Anthropic:
		return s.anthropic(model)
	case Ollama:
		return s.ollama(model)
	default:
		return nil, "", fmt.Errorf("%s: must be rules, openai, gemini, anthropic or ollama", variable)
	}
}

func (s Settings) openAI(model, variable string) (llms.Model, string, error) {
	own := s.OpenAIBaseURL == "" || strings.TrimRight(s.OpenAIBaseURL, "/") == openai.DefaultBaseURL
	if own && !s.OpenAIKey.IsSet() {
		return nil, "", fmt.Errorf(
			"OPENAI_API_KEY: the openai provider needs it, unless OPENAI_BASE_URL names another server",
		)
	}
	if model == "" && !own {
		if variable == "LLM_PROVIDER" {
			variable = "LLM_MODEL"
		}
		return nil, "", fmt.Errorf("%s: must name a model of the server at OPENAI_BASE_URL", variable)
	}
	model = cmp.Or(model, DefaultOpenAIModel)
	m, err := openai.New(openai.Config{BaseURL: s.OpenAIBaseURL, Key: s.OpenAIKey, Model: model, Wire: s.Wire})
	return checked(m, OpenAI, model, err, "OPENAI_BASE_URL")
}

func (s Settings) gemini(model string) (llms.Model, string, error) {
	if !s.GeminiKey.IsSet() {
		return nil, "", fmt.Errorf("GEMINI_API_KEY: the gemini provider needs it")
	}
	model = cmp.Or(model, DefaultGeminiModel)
	m, err := gemini.New(gemini.Config{BaseURL: s.GeminiBaseURL, Key: s.GeminiKey, Model: model, Wire: s.Wire})
	return checked(m, Gemini, model, err, "GEMINI_BASE_URL")
}

func (s Settings) anthropic(model string) (llms.Model, string, error) {
	if !s.AnthropicKey.IsSet() {
		return nil, "", fmt.Errorf("ANTHROPIC_API_KEY: the anthropic provider needs it")
	}
	model = cmp.Or(model, DefaultAnthropicModel)
	m, err := anthropic.New(anthropic.Config{BaseURL: s.AnthropicBaseURL, Key: s.AnthropicKey, Model: model, Wire: s.Wire})
	return checked(m, Anthropic, model, err, "ANTHROPIC_BASE_URL")
}

// ollama is the chat-completions wire under /v1: Ollama's own API streams tool
// calls no better and would be a second wire to keep.
func (s Settings) ollama(model string) (llms.Model, string, error) {
	base := strings.TrimRight(cmp.Or(s.OllamaBaseURL, DefaultOllamaBaseURL), "/")
	if !strings.HasSuffix(base, "/v1") {
		base += "/v1"
	}
	wire := s.Wire
	if wire.IdleTimeout == 0 {
		wire.IdleTimeout = ollamaIdleTimeout
	}
	model = cmp.Or(model, DefaultOllamaModel)
	m, err := openai.New(openai.Config{Name: Ollama, BaseURL: base, Model: model, Wire: wire})
	return checked(m, Ollama, model, err, "OLLAMA_BASE_URL")
}

// checked names the variable behind a refused configuration, of which only the
// address can be at fault here. It also keeps a nil pointer from becoming a model.
func checked[M llms.Model](m M, provider, model string, err error, variable string) (llms.Model, string, error) {
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", variable, err)
	}
	return m, provider + "/" + model, nil
}
