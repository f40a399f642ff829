// Package gemini is the client of the native Gemini API (v1beta, streamGenerateContent).
//
// The native API is used instead of the OpenAI-compatible endpoint because Gemini 3 rejects a tool loop without its
// thought signatures. In the native API a signature is a field of the part it belongs to, text parts included. The
// compatible endpoint returns it in an extension of tool calls only, drops it from text, sends several calls at one
// index and hides why a response was withheld. The parts of a response are stored and sent back unchanged.
package gemini

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"errand/internal/llm"
)

// DefaultBaseURL is the base URL of Google.
const DefaultBaseURL = "https://generativelanguage.googleapis.com"

const name = "gemini"

// New returns a client. The base URL ends before /v1beta; the key is required. New makes no request.
func New(c llm.Config) (*llm.Client, error) {
	c, err := c.WithDefaults(name, DefaultBaseURL)
	if err != nil {
		return nil, err
	}
	if !c.Key.IsSet() {
		return nil, errors.New("gemini: no key is set")
	}
	c.Model = strings.TrimPrefix(c.Model, "models/")
	return llm.NewClient(c, api{}), nil
}

// api is the wire format.
type api struct{}

// NewRequest implements [llm.API].
func (api) NewRequest(c llm.Config, o llm.Options, h llm.History) (llm.Request, error) {
	// The key is sent in a header because URLs appear in logs and errors.
	header := http.Header{"Accept": {"text/event-stream"}}
	c.Key.SetHeader(header, "X-Goog-Api-Key", "")
	return llm.Request{
		URL:        c.BaseURL + "/v1beta/models/" + url.PathEscape(c.Model) + ":streamGenerateContent?alt=sse",
		Header:     header,
		Body:       newRequest(c, o, h),
		NewDecoder: func(r *llm.Response) llm.Decoder { return &decoder{response: r} },
	}, nil
}
