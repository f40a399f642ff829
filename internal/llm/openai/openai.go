// Package openai speaks the chat-completions wire: OpenAI itself and, by base
// URL, everything that copies it: Ollama (/v1), vLLM, OpenRouter, Groq, LM
// Studio, llama.cpp, DeepSeek.
//
// The client is our own over net/http because the wire is small and its many
// speakers differ in ways an SDK does not forgive: no [DONE], no index on tool
// deltas, arguments as objects, whole JSON instead of a stream.
package openai

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"errand/internal/llm"
	"errand/internal/secret"

	"github.com/tmc/langchaingo/llms"
)

// DefaultBaseURL is OpenAI's own address.
const DefaultBaseURL = "https://api.openai.com/v1"

const officialHost = "api.openai.com"

// Config describes one server. Only Model is required.
type Config struct {
	// Name is the provider's name in errors and usage; default "openai", with
	// "@host" added for servers other than OpenAI's.
	Name string
	// BaseURL ends before /chat/completions; default [DefaultBaseURL].
	BaseURL string
	// Key may be empty for servers that want none.
	Key secret.String
	// Model is asked unless a call names another.
	Model string
	// Wire holds timeouts and the retry policy; its Provider is ignored.
	Wire llm.Wire
}

// Model is a chat-completions model. It is safe for concurrent use.
type Model struct {
	wire     llm.Wire
	url      string
	key      secret.String
	model    string
	official bool
}

var _ llms.Model = (*Model)(nil)

// New checks the configuration. It makes no request.
func New(c Config) (*Model, error) {
	if c.BaseURL == "" {
		c.BaseURL = DefaultBaseURL
	}
	base, err := llm.BaseURL(c.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("openai: the base URL %w", err)
	}
	if c.Model == "" {
		return nil, fmt.Errorf("openai: no model is named")
	}
	u, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("openai: the base URL is not a URL")
	}
	m := &Model{
		wire:     c.Wire,
		url:      base + "/chat/completions",
		key:      c.Key,
		model:    c.Model,
		official: u.Host == officialHost,
	}
	m.wire.Provider = c.Name
	if c.Name == "" {
		m.wire.Provider = "openai"
		if !m.official {
			m.wire.Provider += "@" + u.Host
		}
	}
	return m, nil
}

// GenerateContent implements [llms.Model]. Errors are [*llm.Error]s.
func (m *Model) GenerateContent(
	ctx context.Context,
	messages []llms.MessageContent,
	opts ...llms.CallOption,
) (*llms.ContentResponse, error) {
	o, err := m.wire.ReadOptions(opts)
	if err != nil {
		return nil, err
	}
	if o.Model == "" {
		o.Model = m.model
	}
	h, err := m.wire.ReadHistory(messages)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(m.request(o, h))
	if err != nil {
		return nil, fmt.Errorf("openai: request: %w", err)
	}
	header := http.Header{"Accept": {"text/event-stream"}}
	m.key.SetHeader(header, "Authorization", "Bearer ")
	reply := m.wire.NewReply(o, o.Model)
	err = m.wire.Post(ctx, m.url, header, body, func(s *llm.Stream) error {
		return read(ctx, s, reply)
	})
	if err != nil {
		return nil, err
	}
	return reply.Finish()
}

// Call implements [llms.Model].
func (m *Model) Call(ctx context.Context, prompt string, opts ...llms.CallOption) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, m, prompt, opts...)
}
