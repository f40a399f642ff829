// Package anthropic speaks Anthropic's native Messages wire (version
// 2023-06-01). The native wire and not the OpenAI-compatible one, because only
// here do thinking blocks come with the signatures that let them be sent back,
// and only here is an answer a list of several blocks in their order.
//
// Newer Claude models think without being asked and bind each thinking block to
// everything sent before it; a block that comes back behind a changed system
// prompt or history is refused with HTTP 400. The system prompt holds the
// current time, so it does change between turns. The provider therefore keeps a
// hash of what preceded each block and sends the block only where it still holds:
// inside a tool loop, as the wire demands, and not behind a changed past.
package anthropic

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"errand/internal/llm"
	"errand/internal/secret"

	"github.com/tmc/langchaingo/llms"
)

// DefaultBaseURL is Anthropic's own address.
const DefaultBaseURL = "https://api.anthropic.com"

const (
	provider = "anthropic"
	version  = "2023-06-01"
	// defaultMaxTokens bounds an answer whose caller set no bound: the wire
	// demands one, and thinking counts towards it.
	defaultMaxTokens = 16384
)

// Config describes the account. Key and Model are required.
type Config struct {
	// BaseURL ends before /v1; default [DefaultBaseURL].
	BaseURL string
	Key     secret.String
	// Model is asked unless a call names another.
	Model string
	// Wire holds timeouts and the retry policy; its Provider is ignored.
	Wire llm.Wire
}

// Model is a Claude model. It is safe for concurrent use.
type Model struct {
	wire  llm.Wire
	url   string
	key   secret.String
	model string
}

var _ llms.Model = (*Model)(nil)

// New checks the configuration. It makes no request.
func New(c Config) (*Model, error) {
	if c.BaseURL == "" {
		c.BaseURL = DefaultBaseURL
	}
	base, err := llm.BaseURL(c.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("anthropic: the base URL %w", err)
	}
	if !c.Key.IsSet() {
		return nil, fmt.Errorf("anthropic: no key is set")
	}
	if c.Model == "" {
		return nil, fmt.Errorf("anthropic: no model is named")
	}
	m := &Model{wire: c.Wire, url: base + "/v1/messages", key: c.Key, model: c.Model}
	m.wire.Provider = provider
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
	req, prefix, err := newRequest(o, h)
	if err != nil {
		return nil, fmt.Errorf("anthropic: request: %w", err)
	}
	body, err := json.Marshal(req)
	if err != nil {
		return nil, fmt.Errorf("anthropic: request: %w", err)
	}
	header := http.Header{"Accept": {"text/event-stream"}, "Anthropic-Version": {version}}
	m.key.SetHeader(header, "X-Api-Key", "")
	reply := m.wire.NewReply(o, o.Model)
	err = m.wire.Post(ctx, m.url, header, body, func(s *llm.Stream) error {
		a := assembly{reply: reply, prefix: prefix}
		return a.read(ctx, s)
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
