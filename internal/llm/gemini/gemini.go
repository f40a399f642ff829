// Package gemini speaks the Gemini API's native wire (v1beta,
// streamGenerateContent).
//
// The native wire and not the OpenAI-compatible endpoint, because Gemini 3
// refuses a tool loop whose thought signatures are lost, and natively a
// signature is a field of the very part it belongs to, text parts included. The
// compatible endpoint carries it in a vendor extension on tool calls only, drops
// it on text, sends several calls at one index and hides the reasons an answer
// was withheld. The answer's parts are kept as they came and go back verbatim.
package gemini

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"errand/internal/llm"
	"errand/internal/secret"

	"github.com/tmc/langchaingo/llms"
)

// DefaultBaseURL is Google's own address.
const DefaultBaseURL = "https://generativelanguage.googleapis.com"

const provider = "gemini"

// Config describes the account. Key and Model are required.
type Config struct {
	// BaseURL ends before /v1beta; default [DefaultBaseURL].
	BaseURL string
	Key     secret.String
	// Model is asked unless a call names another.
	Model string
	// Wire holds timeouts and the retry policy; its Provider is ignored.
	Wire llm.Wire
}

// Model is a Gemini model. It is safe for concurrent use.
type Model struct {
	wire  llm.Wire
	base  string
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
		return nil, fmt.Errorf("gemini: the base URL %w", err)
	}
	if !c.Key.IsSet() {
		return nil, fmt.Errorf("gemini: no key is set")
	}
	if c.Model == "" {
		return nil, fmt.Errorf("gemini: no model is named")
	}
	m := &Model{wire: c.Wire, base: base + "/v1beta/models/", key: c.Key, model: c.Model}
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
	o.Model = strings.TrimPrefix(o.Model, "models/")
	h, err := m.wire.ReadHistory(messages)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(newRequest(o, h))
	if err != nil {
		return nil, fmt.Errorf("gemini: request: %w", err)
	}
	// The key travels in a header: a URL ends up in logs and errors.
	header := http.Header{"Accept": {"text/event-stream"}}
	m.key.SetHeader(header, "X-Goog-Api-Key", "")
	address := m.base + url.PathEscape(o.Model) + ":streamGenerateContent?alt=sse"
	reply := m.wire.NewReply(o, o.Model)
	err = m.wire.Post(ctx, address, header, body, func(s *llm.Stream) error {
		a := assembly{reply: reply}
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
