package config

import (
	"net/url"
	"strings"
	"time"

	"errand/internal/price"
	"errand/internal/secret"
)

// Provider is the name of a model provider.
type Provider string

// The providers.
const (
	// Rules is the built-in offline model. It is always available.
	Rules     Provider = "rules"
	OpenAI    Provider = "openai"
	Gemini    Provider = "gemini"
	Anthropic Provider = "anthropic"
	Ollama    Provider = "ollama"
)

// LLM are the settings of the language model.
type LLM struct {
	// Provider is the model provider. Load sets a default, so that it is never empty.
	Provider Provider `env:"LLM_PROVIDER"`
	// Fallback is used when Provider is overloaded before its first token. It is a provider or provider/model;
	// "" means none.
	Fallback string `env:"LLM_FALLBACK"`
	// Model is the provider's name of the model; "" means the provider's default.
	Model string `env:"LLM_MODEL"`

	// ContextTokens is the approximate size of a model call with its answer, 1000 to 2000000; 0 means what the server
	// tells, at most the provider's default, else that default.
	ContextTokens int `env:"LLM_CONTEXT_TOKENS" envDefault:"0"`
	// ReasoningEffort is none, minimal, low, medium or high; "" means the provider's default.
	ReasoningEffort string `env:"LLM_REASONING_EFFORT"`
	// Thinking is on, off or ThinkingAuto.
	Thinking string `env:"LLM_THINKING" envDefault:"auto"`
	// Temperature is the sampling temperature, 0 to 2; nil means the provider's default.
	Temperature *float64 `env:"LLM_TEMPERATURE"`
	// MaxOutputTokens is the maximum number of tokens that a model call generates, thinking included, 256 to 128000; 0
	// means the provider's default.
	MaxOutputTokens int `env:"LLM_MAX_OUTPUT_TOKENS" envDefault:"0"`
	// Titles enables titles of new conversations by the model.
	Titles bool `env:"LLM_TITLES" envDefault:"true"`
	// Prices is the price list in the format of package price; "" means none.
	Prices string `env:"LLM_PRICES"`

	OpenAIKey secret.String `env:"OPENAI_API_KEY"`
	// OpenAIBaseURL is the address of a server with an API of OpenAI, up to and including /v1.
	OpenAIBaseURL string `env:"OPENAI_BASE_URL" envDefault:"https://api.openai.com/v1"`
	// OpenAIAPI is the API in use: chat (chat completions) or responses.
	OpenAIAPI string        `env:"OPENAI_API" envDefault:"chat"`
	GeminiKey secret.String `env:"GEMINI_API_KEY"`
	// GeminiBaseURL and AnthropicBaseURL are the addresses of the vendors' APIs or of gateways, without /v1beta
	// and /v1.
	GeminiBaseURL    string        `env:"GEMINI_BASE_URL" envDefault:"https://generativelanguage.googleapis.com"`
	AnthropicKey     secret.String `env:"ANTHROPIC_API_KEY"`
	AnthropicBaseURL string        `env:"ANTHROPIC_BASE_URL" envDefault:"https://api.anthropic.com"`
	// OllamaBaseURL is the address of the Ollama server, without /v1. If Ollama is selected, it defaults to
	// ollamaDefaultURL.
	OllamaBaseURL string `env:"OLLAMA_BASE_URL"`

	// RulesPace is the delay of the rules model for each word, 0 to 1s.
	RulesPace time.Duration `env:"RULES_PACE" envDefault:"15ms"`
}

// ThinkingAuto means that models think as their providers define, except Ollama's qwen3, which do not think.
const ThinkingAuto = "auto"

const (
	openAIDefaultURL = "https://api.openai.com/v1"
	ollamaDefaultURL = "http://127.0.0.1:11434"
)

// UsesOpenAI reports whether the provider openai is OpenAI's own service, not another server with its API.
func (l *LLM) UsesOpenAI() bool { return l.OpenAIBaseURL == openAIDefaultURL }

// isConfigured reports whether a provider has the key that it requires.
func (l *LLM) isConfigured(p Provider) bool {
	switch p {
	case OpenAI:
		// Self-hosted servers with OpenAI's API often require no key.
		return l.OpenAIKey.IsSet() || l.OpenAIBaseURL != openAIDefaultURL
	case Gemini:
		return l.GeminiKey.IsSet()
	case Anthropic:
		return l.AnthropicKey.IsSet()
	default:
		return true
	}
}

// defaultProvider returns the first provider whose key or address is set, else Rules.
func (l *LLM) defaultProvider() Provider {
	switch {
	case l.OpenAIKey.IsSet():
		return OpenAI
	case l.GeminiKey.IsSet():
		return Gemini
	case l.AnthropicKey.IsSet():
		return Anthropic
	case l.OllamaBaseURL != "":
		return Ollama
	default:
		return Rules
	}
}

// fallback returns the fallback provider and its model, "" when none is given.
func (l *LLM) fallback() (Provider, string) {
	name, model, _ := strings.Cut(l.Fallback, "/")
	return Provider(strings.ToLower(strings.TrimSpace(name))), model
}

// LeavesMachine reports whether the model or its fallback is on another host.
func (l *LLM) LeavesMachine() bool {
	fallback, _ := l.fallback()
	return l.isRemote(l.Provider) || l.isRemote(fallback)
}

func (l *LLM) isRemote(p Provider) bool {
	base := map[Provider]string{
		OpenAI:    l.OpenAIBaseURL,
		Gemini:    l.GeminiBaseURL,
		Anthropic: l.AnthropicBaseURL,
		Ollama:    l.OllamaBaseURL,
	}
	if p == "" || p == Rules {
		return false
	}
	u, err := url.Parse(base[p])
	return err != nil || !IsLoopbackHost(u.Hostname())
}

func (l *LLM) normalize() {
	lower(&l.Provider)
	lower(&l.OpenAIAPI)
	lower(&l.ReasoningEffort)
	lower(&l.Thinking)
	fallback, model := l.fallback()
	l.Fallback = strings.TrimSuffix(string(fallback)+"/"+model, "/")
	l.OpenAIBaseURL = strings.TrimRight(l.OpenAIBaseURL, "/")
	l.OllamaBaseURL = strings.TrimSuffix(strings.TrimRight(l.OllamaBaseURL, "/"), "/v1")
	if l.Provider == "" {
		l.Provider = l.defaultProvider()
	}
	if l.OllamaBaseURL == "" && (l.Provider == Ollama || fallback == Ollama) {
		l.OllamaBaseURL = ollamaDefaultURL
	}
}

func (l *LLM) validate(errs *Errors) {
	l.validateProvider(errs, "LLM_PROVIDER", l.Provider)
	if l.Fallback != "" {
		fallback, model := l.fallback()
		l.validateProvider(errs, "LLM_FALLBACK", fallback)
		if fallback == l.Provider && (model == "" || model == l.Model) {
			errs.add("LLM_FALLBACK", "is the same as LLM_PROVIDER with LLM_MODEL",
				"another provider, another model as provider/model, or none")
		}
	}
	if len(l.Model) > 200 || strings.ContainsFunc(l.Model, notPrintable) {
		errs.add("LLM_MODEL", "is not a model name", "at most 200 printable ASCII characters without spaces")
	}
	validateOneOf(errs, "OPENAI_API", l.OpenAIAPI, "chat", "responses")
	validateAPIKey(errs, "OPENAI_API_KEY", l.OpenAIKey)
	validateAPIKey(errs, "GEMINI_API_KEY", l.GeminiKey)
	validateAPIKey(errs, "ANTHROPIC_API_KEY", l.AnthropicKey)
	validateHTTPURL(errs, "OPENAI_BASE_URL", l.OpenAIBaseURL)
	validateHTTPURL(errs, "GEMINI_BASE_URL", l.GeminiBaseURL)
	validateHTTPURL(errs, "ANTHROPIC_BASE_URL", l.AnthropicBaseURL)
	validateHTTPURL(errs, "OLLAMA_BASE_URL", l.OllamaBaseURL)
	if l.ContextTokens != 0 {
		validateRange(errs, "LLM_CONTEXT_TOKENS", l.ContextTokens, 1000, 2_000_000)
	}
	l.validateGeneration(errs)
	if _, err := price.Parse(l.Prices); err != nil {
		errs.add("LLM_PRICES", "is not a price list", "provider/model=input:output:cached, separated by commas")
	}
	validateRange(errs, "RULES_PACE", l.RulesPace, 0, time.Second)
}

func (l *LLM) validateProvider(errs *Errors, name string, p Provider) {
	validateOneOf(errs, name, p, Rules, OpenAI, Gemini, Anthropic, Ollama)
	if !l.isConfigured(p) {
		key := strings.ToUpper(string(p)) + "_API_KEY"
		errs.add(name, "is a provider whose "+key+" is not set", "a provider with its key, or "+key+" set too")
	}
}

// validateAPIKey adds an error for a key that is not valid in an HTTP header, such as one with a line break.
func validateAPIKey(errs *Errors, name string, key secret.String) {
	if strings.ContainsFunc(key.Reveal(), notPrintable) {
		errs.add(name, "contains spaces, line breaks or characters outside ASCII", "the key alone")
	}
}

func notPrintable(r rune) bool { return r <= ' ' || r > '~' }

// validateHTTPURL adds an error for anything but an http or https URL. User and password are not allowed, because
// URLs are logged. "" is allowed.
func validateHTTPURL(errs *Errors, name, address string) {
	if address == "" {
		return
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		errs.add(name, "is not an http or https URL", "such as https://host/path")
	case u.User != nil:
		errs.add(name, "contains a user or password", "a URL without them")
	}
}
