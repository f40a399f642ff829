// Package testclient speaks GraphQL to a running server as a front end would: over
// HTTP, over a graphql-transport-ws socket, and by following a conversation's stream.
// It is for tests and takes nothing from the server's own packages.
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

// Timeout bounds every wait for something that must happen.
const Timeout = 30 * time.Second

// Vars are an operation's variables.
type Vars map[string]any

// Client is one person's client. It is safe for concurrent use.
type Client struct {
	// URL is the server's, without a path.
	URL string
	// Token signs in; empty sends none.
	Token string
	http  *http.Client
}

// New makes a client whose connections end with the test.
func New(t testing.TB, url, token string) *Client {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 16}
	t.Cleanup(transport.CloseIdleConnections)
	return NewWithTransport(transport, url, token)
}

// NewWithTransport makes a client that uses connections of the caller's.
func NewWithTransport(transport *http.Transport, url, token string) *Client {
	return &Client{URL: url, Token: token, http: &http.Client{Transport: transport, Timeout: Timeout}}
}

// Response is what an operation came to.
type Response struct {
	Status int             `json:"-"`
	Raw    string          `json:"-"`
	Data   json.RawMessage `json:"data"`
	Errors Errors          `json:"errors"`
}

// Error is one of an answer's errors.
type Error struct {
	Message    string `json:"message"`
	Path       []any  `json:"path"`
	Extensions struct {
		Code         string `json:"code"`
		Field        string `json:"field"`
		RetryAfterMs int64  `json:"retryAfterMs"`
		RequestID    string `json:"requestId"`
	} `json:"extensions"`
}

// Errors are an answer's errors, as one error.
type Errors []Error

// Error implements error.
func (e Errors) Error() string {
	texts := make([]string, len(e))
	for i, one := range e {
		texts[i] = fmt.Sprintf("%s (%s %s)", one.Message, one.Extensions.Code, one.Extensions.Field)
	}
	return strings.Join(texts, "; ")
}

// ErrorCode is the first error's code, followed by its field if it names one: "BAD_USER_INPUT title".
// It is "" without errors.
func (a Response) ErrorCode() string {
	if len(a.Errors) == 0 {
		return ""
	}
	return strings.TrimSpace(a.Errors[0].Extensions.Code + " " + a.Errors[0].Extensions.Field)
}

// Do sends one operation by POST. Its error says that there was no answer.
func (c *Client) Do(ctx context.Context, document string, vars Vars) (Response, error) {
	body, err := json.Marshal(map[string]any{"query": document, "variables": vars})
	if err != nil {
		return Response{}, err
	}
	return c.Send(ctx, body)
}

// Send posts a body as it is.
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
		return a, fmt.Errorf("HTTP %d with %q: %w", response.StatusCode, raw, err)
	}
	return a, nil
}

// Try runs an operation that may fail.
func (c *Client) Try(t testing.TB, document string, vars Vars) Response {
	t.Helper()
	a, err := c.Do(t.Context(), document, vars)
	require.NoError(t, err)
	return a
}

// Run runs an operation that must not fail and decodes its data into T.
func Run[T any](t testing.TB, c *Client, document string, vars Vars) T {
	t.Helper()
	a := c.Try(t, document, vars)
	require.Empty(t, a.Errors, "%s", a.Raw)
	var data T
	require.NoError(t, json.Unmarshal(a.Data, &data), "%s", a.Raw)
	return data
}
