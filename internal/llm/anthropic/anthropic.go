// Package anthropic is the client of Anthropic's Messages API (version 2023-06-01). The native API is used instead of
// the OpenAI-compatible one because only it returns thinking blocks with the signatures that allow sending them back,
// and the content of a response as a list of blocks in order.
//
// Newer Claude models think by default and bind each thinking block to everything sent before it; a block behind a
// changed system prompt or history is rejected with HTTP 400. The newest message ends with the current time, which
// later requests leave out, so the input changes between turns. The client therefore stores a hash of the input before
// each block and sends a block only if the hash still matches: within a tool loop, as the API requires, and not after
// a change.
package anthropic

import (
	"errors"
	"net/http"

	"errand/internal/llm"
)

// DefaultBaseURL is the base URL of Anthropic.
const DefaultBaseURL = "https://api.anthropic.com"

const (
	name    = "anthropic"
	version = "2023-06-01"
	// maxTokens is the default maximum number of output tokens, thinking included. The API requires a maximum.
	maxTokens = 16384
)

// New returns a client. The base URL ends before /v1; the key is required. New makes no request.
func New(c llm.Config) (*llm.Client, error) {
	c, err := c.WithDefaults(name, DefaultBaseURL)
	if err != nil {
		return nil, err
	}
	if !c.Key.IsSet() {
		return nil, errors.New("anthropic: no key is set")
	}
	return llm.NewClient(c, api{}), nil
}

// api is the wire format.
type api struct{}

// NewRequest implements [llm.API].
func (api) NewRequest(c llm.Config, o llm.Options, h llm.History) (llm.Request, error) {
	body, inputHash, err := newRequest(c, o, h)
	if err != nil {
		return llm.Request{}, err
	}
	header := http.Header{"Accept": {"text/event-stream"}, "Anthropic-Version": {version}}
	c.Key.SetHeader(header, "X-Api-Key", "")
	return llm.Request{
		URL:        c.BaseURL + "/v1/messages",
		Header:     header,
		Body:       body,
		NewDecoder: func(r *llm.Response) llm.Decoder { return &decoder{response: r, inputHash: inputHash} },
	}, nil
}
