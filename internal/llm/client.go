package llm

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"

	"errand/internal/secret"

	"github.com/tmc/langchaingo/llms"
)

// Config configures the client of one provider. Only Model is required, and the key where the provider needs one.
type Config struct {
	// Provider is the provider's name in errors, logs and usage records; each provider package has a default.
	Provider string
	// BaseURL is the address that the paths of the API are added to; "" means the vendor's own.
	BaseURL string
	// Key authenticates requests. It may be unset for servers that need none.
	Key secret.String
	// Model is the name of the model.
	Model string
	// Generation holds the settings of how the model generates.
	Generation Generation
	// HTTP holds timeouts, limits and the retry policy.
	HTTP HTTPOptions
}

// WithDefaults fills in the provider's name and base URL, removes the trailing slash of the base URL, and checks the
// base URL and the model. Errors begin with the provider's name and do not quote the URL.
func (c Config) WithDefaults(provider, baseURL string) (Config, error) {
	c.Provider = cmp.Or(c.Provider, provider)
	base, err := parseBaseURL(cmp.Or(c.BaseURL, baseURL))
	if err != nil {
		return c, fmt.Errorf("%s: the base URL %w", c.Provider, err)
	}
	c.BaseURL = base
	if c.Model == "" {
		return c, fmt.Errorf("%s: no model is set", c.Provider)
	}
	return c, nil
}

// API is the wire format of a provider's streaming API. It must be safe for concurrent use.
type API interface {
	// NewRequest encodes one model call. The configuration is the client's, with its defaults.
	NewRequest(c Config, o Options, h History) (Request, error)
}

// Request is an encoded model call.
type Request struct {
	URL string
	// Header holds authentication and API version; content type and user agent are added.
	Header http.Header
	// Body is sent as JSON.
	Body any
	// NewDecoder returns the decoder of one response. It is called once for each attempt that gets a response.
	NewDecoder func(*Response) Decoder
}

// Decoder decodes the events of one response into a [Response].
type Decoder interface {
	// Decode handles one event, whose data is trimmed and not empty. It reports whether the event was the terminal one.
	// Formats without a terminal event set [Response].StopReason instead; the end of the stream is then accepted.
	Decode(ctx context.Context, e Event) (done bool, err error)
	// Finish is called once, after the last event of a complete response.
	Finish()
}

// Client is a model of one provider. It is safe for concurrent use.
type Client struct {
	config Config
	api    API
	// warned holds the keys of the warnings that are logged once.
	warned sync.Map
	// rejected holds the optional members of requests that the server has rejected.
	rejected sync.Map
	// unopened means that the model's reasoning has no opening tag.
	unopened atomic.Bool
}

var _ llms.Model = (*Client)(nil)

// NewClient returns a client for a configuration that [Config.WithDefaults] has checked. It makes no request.
func NewClient(c Config, api API) *Client { return &Client{config: c, api: api} }

// GenerateContent implements [llms.Model]. Of the options it uses those of [Options]. Errors of the call are [*Error]s.
func (c *Client) GenerateContent(
	ctx context.Context,
	messages []llms.MessageContent,
	opts ...llms.CallOption,
) (*llms.ContentResponse, error) {
	o, err := newOptions(opts)
	if err != nil {
		return nil, c.newError(KindBadRequest, err.Error())
	}
	h, err := newHistory(messages)
	if err != nil {
		return nil, c.newError(KindBadRequest, err.Error())
	}
	r, err := c.generate(ctx, o, h, nil)
	if err == nil && r.misplacedCall { // once more, and with what was wrong
		r, err = c.generate(ctx, o, h.withCorrection(r.withCall(), o.NoToolCalls), r)
	}
	if err != nil {
		return nil, err
	}
	return r.result()
}

// generate makes one call and returns its complete response. The text of previous, if it is not nil, precedes the text
// of the response.
func (c *Client) generate(ctx context.Context, o Options, h History, previous *Response) (*Response, error) {
	_, o.AlphanumericIDs = c.rejected.Load(callIDs)
	request, err := c.api.NewRequest(c.config, o, h)
	if err != nil {
		return nil, fmt.Errorf("%s: encode the request: %w", c.config.Provider, err)
	}
	body, err := c.encode(request.Body)
	if err != nil {
		return nil, fmt.Errorf("%s: encode the request: %w", c.config.Provider, err)
	}
	var r *Response
	err = c.post(ctx, request.URL, request.Header, body, func(s *stream) error {
		r = c.newResponse(o, previous)
		return decode(ctx, s, r, request.NewDecoder(r))
	})
	if err != nil && ctx.Err() == nil && c.reject(err, body) {
		return c.generate(ctx, o, h, previous) // at most once for each optional member
	}
	if err == nil && previous != nil {
		r.Usage.Input += previous.Usage.Input
		r.Usage.Output += previous.Usage.Output
		r.Usage.Cached += previous.Usage.Cached
	}
	return r, err
}

// Call implements [llms.Model].
func (c *Client) Call(ctx context.Context, prompt string, opts ...llms.CallOption) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, c, prompt, opts...)
}

// decode reads the stream up to its terminal event or, once a stop reason has arrived, to its end. A connection that
// breaks after the stop reason costs at most the usage counts, so it is no error.
func decode(ctx context.Context, s *stream, r *Response, d Decoder) error {
	for events := 0; ; events++ {
		e, err := s.next()
		if err != nil {
			if r.StopReason != "" && (errors.Is(err, io.EOF) || s.interrupted(err)) {
				return r.finish(ctx, d)
			}
			return s.endError(err, events)
		}
		e.Data = bytes.TrimSpace(bytes.TrimPrefix(bytes.TrimSpace(e.Data), []byte(byteOrderMark)))
		if len(e.Data) == 0 {
			continue
		}
		done, err := d.Decode(ctx, e)
		if err != nil {
			if e.Unstreamed && json.Valid(e.Data) && isMalformed(err) {
				return s.client.newReasonError(KindUnavailable, ReasonNotAnAPI)
			}
			return err
		}
		if e.Unstreamed {
			return r.finishUnstreamed(ctx, d)
		}
		if done {
			return r.finish(ctx, d)
		}
		if r.StopReason != "" {
			s.shortenIdle()
		}
	}
}

// endError returns the error of a stream that ended with err, after some events, before its response was complete.
func (s *stream) endError(err error, events int) error {
	switch {
	case !errors.Is(err, io.EOF):
		return err
	case s.read > 0 && events == 0:
		return s.client.newReasonError(KindUnavailable, ReasonNotAnAPI)
	default:
		return s.client.newError(KindTruncated, detailTruncated)
	}
}

// warnOnce logs a warning unless one with the key was logged before.
func (c *Client) warnOnce(key, message string, args ...any) {
	if _, logged := c.warned.LoadOrStore(key, true); !logged {
		c.logger().Warn(message, append([]any{"provider", c.config.Provider, "model", c.config.Model}, args...)...)
	}
}

func (c *Client) newError(k Kind, detail string) *Error {
	return &Error{Kind: k, Provider: c.config.Provider, Detail: detail}
}
