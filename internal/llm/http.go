package llm

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// DefaultIdleTimeout is how long a provider may send nothing: before its first byte and between two lines of its
	// stream.
	DefaultIdleTimeout = 60 * time.Second
	// DefaultMaxResponse is the maximum size of a response in bytes. A streamed token takes about 300 of them.
	DefaultMaxResponse = 64 << 20
	// maxErrorReport is the maximum number of bytes read from the body of an HTTP error.
	maxErrorReport = 64 << 10
)

// HTTPOptions configures the HTTP exchange with a provider. The zero value means the defaults.
type HTTPOptions struct {
	// Client sends the requests; the default is shared by the process. Redirects are never followed.
	Client *http.Client
	// IdleTimeout is the longest time without a line from the provider; default [DefaultIdleTimeout].
	IdleTimeout time.Duration
	// MaxResponse is the maximum size of a response in bytes; default [DefaultMaxResponse].
	MaxResponse int64
	// Retry is the policy for failures before the first byte of a response.
	Retry Retry
	// Log receives one warning for each retry; default [slog.Default].
	Log *slog.Logger
}

// sharedHTTPClient serves all clients of the process, so that they share connections.
var sharedHTTPClient = NewHTTPClient(defaultCalls)

// defaultCalls is the number of calls at the same time of clients for which none is configured.
const defaultCalls = 64

// NewHTTPClient returns an HTTP client for long streaming responses, of which calls are in progress at the same time.
// Each step before the response has a timeout; the response itself has none, because [HTTPOptions].IdleTimeout and the
// caller's context limit it.
//
// Over HTTP/1.1 every call takes a connection. A host gets up to twice as many as there are calls, because a reply may
// be followed by calls for the conversation's title or summary, and keeps as many open as there are calls.
func NewHTTPClient(calls int) *http.Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Client{
		CheckRedirect: rejectRedirect,
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            dialer.DialContext,
			ForceAttemptHTTP2:      true,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    10 * time.Second,
			ExpectContinueTimeout:  time.Second,
			IdleConnTimeout:        90 * time.Second,
			MaxIdleConns:           2 * calls, // a model and its fallback
			MaxIdleConnsPerHost:    calls,
			MaxConnsPerHost:        2 * calls,
			MaxResponseHeaderBytes: 64 << 10,
			HTTP2:                  &http.HTTP2Config{SendPingTimeout: 20 * time.Second, PingTimeout: 15 * time.Second},
		},
	}
}

// rejectRedirect prevents keys and prompts from being sent to another host.
func rejectRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// withoutRedirects returns a copy of c that follows no redirects, or the shared client if c is nil.
func withoutRedirects(c *http.Client) *http.Client {
	if c == nil {
		return sharedHTTPClient
	}
	clone := *c
	clone.CheckRedirect = rejectRedirect
	return &clone
}

// parseBaseURL checks a provider's address and returns it without a trailing slash. The error does not quote the
// address, which may contain a password.
func parseBaseURL(address string) (string, error) {
	u, err := url.Parse(strings.TrimSpace(address))
	switch {
	case err != nil:
		return "", errors.New("is not a URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return "", errors.New("must start with http:// or https://")
	case u.Host == "":
		return "", errors.New("has no host")
	case u.User != nil:
		return "", errors.New("must not contain a user or password")
	case u.RawQuery != "" || u.Fragment != "":
		return "", errors.New("must not contain a query or fragment")
	}
	return strings.TrimRight(u.String(), "/"), nil
}

// attempt sends the request once. It reports whether a byte of a successful response has arrived.
func (c *Client) attempt(
	ctx context.Context,
	url string,
	header http.Header,
	body []byte,
	read func(*stream) error,
) (begun bool, err error) {
	attempt, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	idle := c.config.HTTP.IdleTimeout
	if idle <= 0 {
		idle = DefaultIdleTimeout
	}
	timer := time.AfterFunc(idle, func() { cancel(errIdle) })
	defer timer.Stop()

	req, err := http.NewRequestWithContext(attempt, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return false, c.newError(KindBadRequest, "the provider's address is invalid")
	}
	req.Header = header.Clone()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "errand")
	resp, err := withoutRedirects(c.config.HTTP.Client).Do(req)
	if err != nil {
		return false, c.transportError(ctx, attempt, err, false)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return false, c.statusError(resp)
	}
	timer.Stop()
	s := &stream{
		client:  c,
		ctx:     ctx,
		attempt: attempt,
		body:    bufio.NewReaderSize(gunzip(resp.Body), 32<<10),
		timer:   timer,
		idle:    idle,
		limit:   c.config.HTTP.MaxResponse,
	}
	if s.limit <= 0 {
		s.limit = DefaultMaxResponse
	}
	err = read(s)
	return s.read > 0, err
}

func (c *Client) contextError(ctx context.Context) *Error {
	e := c.newError(KindCancelled, "")
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		e.Kind = KindTimeout
	}
	e.cause = ctx.Err()
	return e
}

// transportError classifies a connection failure. begun means that part of the response has arrived.
func (c *Client) transportError(ctx, attempt context.Context, err error, begun bool) *Error {
	if ctx.Err() != nil {
		return c.contextError(ctx)
	}
	if errors.Is(context.Cause(attempt), errIdle) {
		return c.newError(KindTimeout, "the provider sent nothing within the idle timeout")
	}
	e := c.newError(KindUnavailable, "the connection failed")
	e.Reason = connectionReason(err)
	if begun {
		e = c.newError(KindTruncated, "the connection broke during the response")
	}
	e.cause = safeCause(err)
	return e
}
