// Package responses is the client of the Responses API of OpenAI, which other servers, such as Ollama, vLLM and LM
// Studio, offer as well. Of the two APIs of OpenAI it is the one in which models think before they call tools.
//
// Nothing is stored at the provider: every request has the whole conversation, and the reasoning of a step is sent back
// in encrypted form while its turn lasts.
package responses

import (
	"net/http"

	"errand/internal/llm"
	"errand/internal/llm/openai"
)

// New returns a client. The base URL ends before /responses; for the rest see [openai.WithDefaults]. New makes no
// request.
func New(c llm.Config) (*llm.Client, error) {
	c, official, err := openai.WithDefaults(c)
	if err != nil {
		return nil, err
	}
	return llm.NewClient(c, api{official}), nil
}

// api is the wire format. official means OpenAI's own server.
type api struct{ official bool }

// NewRequest implements [llm.API].
func (a api) NewRequest(c llm.Config, o llm.Options, h llm.History) (llm.Request, error) {
	header := http.Header{"Accept": {"text/event-stream"}}
	c.Key.SetHeader(header, "Authorization", "Bearer ")
	return llm.Request{
		URL:        c.BaseURL + "/responses",
		Header:     header,
		Body:       newRequest(c, o, h, a.official),
		NewDecoder: func(r *llm.Response) llm.Decoder { return &decoder{response: r, items: map[int]*item{}} },
	}, nil
}
