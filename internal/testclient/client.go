// Package testclient is a GraphQL client for tests. It sends operations over HTTP, subscribes
// over a graphql-transport-ws socket, and rebuilds a conversation's messages from its event stream.
//
// It imports no package of the server, so that a test sees the API as a front end does. Methods that
// take a testing.TB fail the test on unexpected errors; the methods that take a context and return an
// error (Do, TryDial, TrySubscribe, TryFollow, TryNextEvent) are for tests that expect broken connections.
package testclient

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Timeout bounds every request and every wait for an event.
const Timeout = 30 * time.Second

// Vars are an operation's variables.
type Vars map[string]any

// Client sends operations as one user. It is safe for concurrent use.
type Client struct {
	// URL is the server's base URL, without a path.
	URL string
	// Token is the bearer token. An empty token sends no Authorization header.
	Token string
	http  *http.Client
}

// New returns a client whose connections are closed at the end of the test.
func New(t testing.TB, url, token string) *Client {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 16}
	t.Cleanup(transport.CloseIdleConnections)
	return NewWithTransport(transport, url, token)
}

// NewWithTransport returns a client that shares the caller's transport.
func NewWithTransport(transport *http.Transport, url, token string) *Client {
	return &Client{URL: url, Token: token, http: &http.Client{Transport: transport, Timeout: Timeout}}
}

// Response is the response to an operation.
type Response struct {
	// Status is the HTTP status.
	Status int `json:"-"`
	// Raw is the response body.
	Raw string `json:"-"`

	Data   json.RawMessage `json:"data"`
	Errors Errors          `json:"errors"`
}

// Error is one entry of a response's errors.
type Error struct {
	Message    string `json:"message"`
	Path       []any  `json:"path"`
	Extensions struct {
		Code         string `json:"code"`
		Field        string `json:"field"`
		Scope        string `json:"scope"`
		RetryAfterMs int64  `json:"retryAfterMs"`
		RequestID    string `json:"requestId"`
	} `json:"extensions"`
}

// Errors are a response's errors. It implements error.
type Errors []Error

// Error implements error.
func (e Errors) Error() string {
	texts := make([]string, len(e))
	for i, err := range e {
		texts[i] = fmt.Sprintf("%s (%s %s)", err.Message, err.Extensions.Code, err.Extensions.Field)
	}
	return strings.Join(texts, "; ")
}

// ErrorCode returns the first error's code, followed by the input field if the error names one:
// "BAD_USER_INPUT title". It returns "" for a response without errors.
func (a Response) ErrorCode() string {
	if len(a.Errors) == 0 {
		return ""
	}
	return strings.TrimSpace(a.Errors[0].Extensions.Code + " " + a.Errors[0].Extensions.Field)
}

// Do sends one operation by POST. GraphQL errors are part of the response; the returned error means that
// no GraphQL response arrived.
func (c *Client) Do(ctx context.Context, document string, vars Vars) (Response, error) {
	body, err := json.Marshal(map[string]any{"query": document, "variables": vars})
	if err != nil {
		return Response{}, err
	}
	return c.Send(ctx, body)
}

// Send posts a request body unchanged, which may be malformed.
func (c *Client) Send(ctx context.Context, body []byte) (Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL+"/graphql", bytes.NewReader(body))
	if err != nil {
		return Response{}, err
	}
	r.Header.Set("Content-Type", "application/json")
	if c.Token != "" {
		r.Header.Set("Authorization", "Bearer "+c.Token)
	}
	response, err := c.http.Do(r)
	if err != nil {
		return Response{}, err
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		return Response{}, err
	}
	a := Response{Status: response.StatusCode, Raw: string(raw)}
	if err := json.Unmarshal(raw, &a); err != nil {
		return a, fmt.Errorf("decoding the HTTP %d response %q: %w", response.StatusCode, raw, err)
	}
	return a, nil
}

// Try executes an operation whose response may contain errors. It fails the test if no response arrives.
func (c *Client) Try(t testing.TB, document string, vars Vars) Response {
	t.Helper()
	a, err := c.Do(t.Context(), document, vars)
	require.NoError(t, err)
	return a
}

// Run executes an operation and decodes its data into T. It fails the test if the response contains errors.
func Run[T any](t testing.TB, c *Client, document string, vars Vars) T {
	t.Helper()
	a := c.Try(t, document, vars)
	require.Empty(t, a.Errors, "%s", a.Raw)
	var data T
	require.NoError(t, json.Unmarshal(a.Data, &data), "%s", a.Raw)
	return data
}
