// Package provider selects the model by the settings of the environment. It is separate from package llm because it
// imports every provider.
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
	"errand/internal/llm/responses"
	"errand/internal/secret"

	"github.com/tmc/langchaingo/llms"
)

// Names of the providers, as in LLM_PROVIDER.
const (
	Rules     = "rules"
	OpenAI    = "openai"
	Gemini    = "gemini"
	Anthropic = "anthropic"
	Ollama    = "ollama"
)

// The APIs of OpenAI, as in OPENAI_API.
const (
	ChatAPI      = "chat"
	ResponsesAPI = "responses"
)

// Default models, used unless LLM_MODEL names another: for each provider the small, fast model that calls tools
// reliably, which is sufficient for a task list.
const (
	DefaultOpenAIModel    = "gpt-6-luna"
	DefaultGeminiModel    = "gemini-3.8-flash"
	DefaultAnthropicModel = "claude-haiku-5-5"
	DefaultOllamaModel    = "qwen3"
)

// ContextTokens returns the default of the token budget for the context of one call. The vendors' context windows are
// many times larger, but every token costs. Ollama truncates the prompt at 4096 tokens by default, without an error.
func ContextTokens(provider string) int {
	if provider == Ollama {
		return 4000
	}
	return 32_000
}

// defaultOllamaBaseURL is the default address of a local Ollama server.
const defaultOllamaBaseURL = "http://127.0.0.1:11434"

// ollamaIdleTimeout gives a local server time to load its model.
const ollamaIdleTimeout = 5 * time.Minute

// Settings are the settings of the environment; the comments name the variables.
type Settings struct {
	// Provider is LLM_PROVIDER; "" selects the first of OpenAI, Gemini and Anthropic whose key is set, then Ollama if its
	// address is set, then the offline model.
	Provider string
	// Model is LLM_MODEL, "" for the provider's default.
	Model string
	// Fallback is LLM_FALLBACK: "provider" or "provider/model", "" for none.
	Fallback string

	OpenAIKey     secret.String
	OpenAIBaseURL string
	// OpenAIAPI is OPENAI_API; "" means [ChatAPI].
	OpenAIAPI     string
	GeminiKey     secret.String
	AnthropicKey  secret.String
	OllamaBaseURL string
	// GeminiBaseURL and AnthropicBaseURL are for gateways and tests; "" means the vendor's own.
	GeminiBaseURL    string
	AnthropicBaseURL string

	// Generation is LLM_REASONING_EFFORT, LLM_THINKING, LLM_TEMPERATURE and LLM_MAX_OUTPUT_TOKENS. It applies to all
	// providers.
	Generation llm.Generation
	// HTTP applies to all providers.
	HTTP llm.HTTPOptions
	// Rules returns the offline model. Required.
	Rules func() llms.Model
}

// Open returns the selected model, including its fallback, and its name as "provider/model". It makes no request.
// Errors begin with the name of the invalid variable and do not quote values that may be secret.
func Open(s Settings) (llms.Model, string, error) {
	choice := s.Provider
	if choice == "" {
		choice = s.defaultProvider()
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
		return nil, "", fmt.Errorf("LLM_FALLBACK: must differ from the primary model %s", name)
	}
	return &llm.Fallback{First: first, Second: second, Log: s.HTTP.Log}, name, nil
}

func (s Settings) defaultProvider() string {
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

// open returns one model. variable is the name of the variable that selects it, for errors.
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
	official := s.OpenAIBaseURL == "" || strings.TrimRight(s.OpenAIBaseURL, "/") == openai.DefaultBaseURL
	if official && !s.OpenAIKey.IsSet() {
		return nil, "", fmt.Errorf(
			"OPENAI_API_KEY: required for the provider openai, unless OPENAI_BASE_URL names another server",
		)
	}
	if model == "" && !official {
		if variable == "LLM_PROVIDER" {
			variable = "LLM_MODEL"
		}
		return nil, "", fmt.Errorf("%s: must name a model of the server at OPENAI_BASE_URL", variable)
	}
	model = cmp.Or(model, DefaultOpenAIModel)
	if official && s.OpenAIAPI != ResponsesAPI && s.Generation.EnablesThinking() && openai.ToolsRequireNoReasoning(model) {
		setting := "LLM_THINKING"
		if s.Generation.Effort != "" {
			setting = "LLM_REASONING_EFFORT"
		}
		return nil, "", fmt.Errorf("%s: with tools, %s thinks only with OPENAI_API=responses", setting, model)
	}
	newClient := openai.New
	if s.OpenAIAPI == ResponsesAPI {
		newClient = responses.New
	}
	m, err := newClient(s.config(s.OpenAIBaseURL, s.OpenAIKey, model))
	return named(m, OpenAI, model, err, "OPENAI_BASE_URL")
}

// Server returns the address and the key of a provider's server, without a model.
func (s Settings) Server(provider string) (llm.Config, error) {
	c := llm.Config{Provider: provider, HTTP: s.HTTP}
	var address string
	switch provider {
	case OpenAI:
		c.Key, address = s.OpenAIKey, cmp.Or(s.OpenAIBaseURL, openai.DefaultBaseURL)
	case Gemini:
		c.Key, address = s.GeminiKey, cmp.Or(s.GeminiBaseURL, gemini.DefaultBaseURL)
	case Anthropic:
		c.Key, address = s.AnthropicKey, cmp.Or(s.AnthropicBaseURL, anthropic.DefaultBaseURL)
	case Ollama:
		address = strings.TrimSuffix(strings.TrimRight(cmp.Or(s.OllamaBaseURL, defaultOllamaBaseURL), "/"), "/v1")
	default:
		return c, fmt.Errorf("the provider must be openai, gemini, anthropic or ollama, which have a list of models")
	}
	c.BaseURL = strings.TrimRight(address, "/")
	return c, nil
}

func (s Settings) gemini(model string) (llms.Model, string, error) {
	if !s.GeminiKey.IsSet() {
		return nil, "", fmt.Errorf("GEMINI_API_KEY: required for the provider gemini")
	}
	model = cmp.Or(model, DefaultGeminiModel)
	m, err := gemini.New(s.config(s.GeminiBaseURL, s.GeminiKey, model))
	return named(m, Gemini, model, err, "GEMINI_BASE_URL")
}

func (s Settings) anthropic(model string) (llms.Model, string, error) {
	if !s.AnthropicKey.IsSet() {
		return nil, "", fmt.Errorf("ANTHROPIC_API_KEY: required for the provider anthropic")
	}
	model = cmp.Or(model, DefaultAnthropicModel)
	m, err := anthropic.New(s.config(s.AnthropicBaseURL, s.AnthropicKey, model))
	return named(m, Anthropic, model, err, "ANTHROPIC_BASE_URL")
}

// ollama uses the chat completions API under /v1. Ollama's native API streams tool calls no better and would need
// another decoder.
func (s Settings) ollama(model string) (llms.Model, string, error) {
	base := strings.TrimRight(cmp.Or(s.OllamaBaseURL, defaultOllamaBaseURL), "/")
	if !strings.HasSuffix(base, "/v1") {
		base += "/v1"
	}
	model = cmp.Or(model, DefaultOllamaModel)
	c := s.config(base, secret.String{}, model)
	c.Provider = Ollama
	if c.HTTP.IdleTimeout == 0 {
		c.HTTP.IdleTimeout = ollamaIdleTimeout
	}
	if c.Generation.Thinking == "" && c.Generation.Effort == "" && thinksTooLong(model) {
		c.Generation.Thinking = llm.ThinkingOff
	}
	m, err := openai.New(c)
	return named(m, Ollama, model, err, "OLLAMA_BASE_URL")
}

// thinksTooLong reports whether an Ollama model is a Qwen3, which thinks by default, on a local machine often for
// minutes. The variants that only think are not included.
func thinksTooLong(model string) bool {
	name := strings.ToLower(model[strings.LastIndexByte(model, '/')+1:])
	return strings.HasPrefix(name, "qwen3") && !strings.Contains(name, "thinking")
}

// config returns the configuration of a model's client.
func (s Settings) config(baseURL string, key secret.String, model string) llm.Config {
	return llm.Config{BaseURL: baseURL, Key: key, Model: model, Generation: s.Generation, HTTP: s.HTTP}
}

// named returns the model with its name. An error is attributed to variable, the base URL: the key and the model have
// been checked. It also prevents a nil *Client from becoming a non-nil interface.
func named(m *llm.Client, provider, model string, err error, variable string) (llms.Model, string, error) {
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", variable, err)
	}
	return m, provider + "/" + model, nil
}
