// Package openai is the client of the chat completions API: OpenAI itself and, by base URL, the many servers with the
// same API, such as Ollama (/v1), vLLM, OpenRouter, Groq, LM Studio, llama.cpp and DeepSeek.
//
// The servers deviate from OpenAI in ways that an SDK does not tolerate: no [DONE] event, no index in tool call deltas,
// arguments as objects, one JSON body in place of a stream. The decoder accepts all of these.
package openai

import (
	"fmt"
	"net/http"
	"net/url"

	"errand/internal/llm"
)

// DefaultBaseURL is the base URL of OpenAI.
const DefaultBaseURL = "https://api.openai.com/v1"

const (
	name         = "openai"
	ollama       = "ollama"
	officialHost = "api.openai.com"
)

// New returns a client. The base URL ends before /chat/completions. New makes no request.
func New(c llm.Config) (*llm.Client, error) {
	c, official, err := WithDefaults(c)
	if err != nil {
		return nil, err
	}
	return llm.NewClient(c, api{official}), nil
}

// WithDefaults is [llm.Config.WithDefaults] for servers with an API of OpenAI. The default of the provider's name is
// "openai", with "@host" added for other servers than OpenAI's own, which is official.
func WithDefaults(c llm.Config) (checked llm.Config, official bool, err error) {
	defaultName := c.Provider == ""
	c, err = c.WithDefaults(name, DefaultBaseURL)
	if err != nil {
		return c, false, err
	}
	u, err := url.Parse(c.BaseURL)
	if err != nil {
		return c, false, fmt.Errorf("%s: the base URL is not a URL", name)
	}
	official = u.Host == officialHost
	if defaultName && !official {
		c.Provider += "@" + u.Host
	}
	return c, official, nil
}

// api is the wire format. official means OpenAI's own server.
type api struct{ official bool }

// NewRequest implements [llm.API].
func (a api) NewRequest(c llm.Config, o llm.Options, h llm.History) (llm.Request, error) {
	header := http.Header{"Accept": {"text/event-stream"}}
	c.Key.SetHeader(header, "Authorization", "Bearer ")
	return llm.Request{
		URL:    c.BaseURL + "/chat/completions",
		Header: header,
		Body:   newRequest(c, o, h, a.official),
		NewDecoder: func(r *llm.Response) llm.Decoder {
			return &decoder{response: r, toolCalls: toolCalls{offered: r.IsOffered}}
		},
	}, nil
}
