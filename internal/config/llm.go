package config

import (
	"net/url"
	"strings"
	"time"

	"errand/internal/price"
	"errand/internal/secret"
)

// Provider names who answers.
type Provider string

// The providers.
const (
	// Rules is the built-in offline model, always there.
	Rules     Provider = "rules"
	OpenAI    Provider = "openai"
	Gemini    Provider = "gemini"
	Anthropic Provider = "anthropic"
	Ollama    Provider = "ollama"
)

// LLM is the model behind the agent.
type LLM struct {
	// Provider is resolved by Load: never empty.
	Provider Provider `env:"LLM_PROVIDER"`
	// Fallback is asked when Provider is overloaded before its first token: a provider, or
	// provider/model; "" for none.
	Fallback string `env:"LLM_FALLBACK"`
	// Model is the provider's name of the model; "" takes the provider's default.
	Model string `env:"LLM_MODEL"`

	// ContextTokens is how much of a conversation one call shows the model, about; 0 takes the
	// provider's default, else 1000 to 2000000.
	ContextTokens int `env:"LLM_CONTEXT_TOKENS" envDefault:"0"`
	// Titles lets the model name new conversations.
	Titles bool `env:"LLM_TITLES" envDefault:"true"`
	// Prices is the price list, see package price; "" for none.
	Prices string `env:"LLM_PRICES"`

	OpenAIKey secret.String `env:"OPENAI_API_KEY"`
	// OpenAIBaseURL is any server that speaks OpenAI's chat completions, up to and including /v1.
	OpenAIBaseURL string        `env:"OPENAI_BASE_URL" envDefault:"https://api.openai.com/v1"`
	GeminiKey     secret.String `env:"GEMINI_API_KEY"`
	// GeminiBaseURL and AnthropicBaseURL are for gateways before the vendors' own addresses, up
	// to what precedes /v1beta and /v1.
	GeminiBaseURL    string        `env:"GEMINI_BASE_URL" envDefault:"https://generativelanguage.googleapis.com"`
	AnthropicKey     secret.String `env:"ANTHROPIC_API_KEY"`
	AnthropicBaseURL string        `env:"ANTHROPIC_BASE_URL" envDefault:"https://api.anthropic.com"`
	// OllamaBaseURL is the Ollama server without /v1; unset and Ollama chosen means this machine.
	OllamaBaseURL string `env:"OLLAMA_BASE_URL"`

	// RulesPace is how long the rules model takes for each word, 0 to 1s.
	RulesPace time.Duration `env:"RULES_PACE" envDefault:"15ms"`
}

const (
	openAIDefaultURL = "https://api.openai.com/v1"
	ollamaDefaultURL = "http://127.0.0.1:11434"
)

// isConfigured says whether a provider has the key or address that it needs.
func (l *LLM) isConfigured(p Provider) bool {
	switch p {
	case OpenAI:
		// Servers of one's own that speak OpenAI's language often take no key.
		return l.OpenAIKey.IsSet() || l.OpenAIBaseURL != openAIDefaultURL
	case Gemini:
		return l.GeminiKey.IsSet()
	case Anthropic:
		return l.AnthropicKey.IsSet()
	default:
		return true
	}
}

// defaultProvider is the default provider: the first whose key or address is set.
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

// fallback is the second provider, and its model when one is named.
func (l *LLM) fallback() (Provider, string) {
	name, model, _ := strings.Cut(l.Fallback, "/")
	return Provider(strings.ToLower(strings.TrimSpace(name))), model
}

func (l *LLM) normalize() {
	lower(&l.Provider)
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

func (l *LLM) validate(f *Errors) {
	l.validateProvider(f, "LLM_PROVIDER", l.Provider)
	if l.Fallback != "" {
		fallback, model := l.fallback()
		l.validateProvider(f, "LLM_FALLBACK", fallback)
		if fallback == l.Provider && (model == "" || model == l.Model) {
			f.add("LLM_FALLBACK", "is the provider itself", "another provider, another model as provider/model, or none")
		}
	}
	if len(l.Model) > 200 || strings.ContainsFunc(l.Model, notPrintable) {
		f.add("LLM_MODEL", "is not a model's name", "up to 200 letters, digits and signs without spaces")
	}
	validateAPIKey(f, "OPENAI_API_KEY", l.OpenAIKey)
	validateAPIKey(f, "GEMINI_API_KEY", l.GeminiKey)
	validateAPIKey(f, "ANTHROPIC_API_KEY", l.AnthropicKey)
	validateHTTPURL(f, "OPENAI_BASE_URL", l.OpenAIBaseURL)
	validateHTTPURL(f, "GEMINI_BASE_URL", l.GeminiBaseURL)
	validateHTTPURL(f, "ANTHROPIC_BASE_URL", l.AnthropicBaseURL)
	validateHTTPURL(f, "OLLAMA_BASE_URL", l.OllamaBaseURL)
	if l.ContextTokens != 0 {
		between(f, "LLM_CONTEXT_TOKENS", l.ContextTokens, 1000, 2_000_000)
	}
	if _, err := price.Parse(l.Prices); err != nil {
		f.add("LLM_PRICES", "is not a price list", "provider/model=input:output:cached, with commas between models")
	}
	between(f, "RULES_PACE", l.RulesPace, 0, time.Second)
}

func (l *LLM) validateProvider(f *Errors, name string, p Provider) {
	oneOf(f, name, p, Rules, OpenAI, Gemini, Anthropic, Ollama)
	if !l.isConfigured(p) {
		key := strings.ToUpper(string(p)) + "_API_KEY"
		f.add(name, "names a provider whose "+key+" is not set", "set "+key+", or choose another provider")
	}
}

// validateAPIKey refuses what cannot stand in an HTTP header, such as a key with a line break.
func validateAPIKey(f *Errors, name string, key secret.String) {
	if strings.ContainsFunc(key.Reveal(), notPrintable) {
		f.add(name, "holds spaces, line breaks or signs that no key has", "the key alone")
	}
}

func notPrintable(r rune) bool { return r <= ' ' || r > '~' }

// validateHTTPURL refuses everything but an http(s) address without user and password,
// which would end up in logs. Empty is fine.
func validateHTTPURL(f *Errors, name, address string) {
	if address == "" {
		return
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		f.add(name, "is not an http address", "such as https://host/path")
	case u.User != nil:
		f.add(name, "holds a user or password", "an address without them")
	}
}
