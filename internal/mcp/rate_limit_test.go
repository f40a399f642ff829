package mcp

import (
	"context"
	"encoding/json"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"errand/internal/apperr"
	"errand/internal/store"
	"errand/internal/testdb"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"
)

// TestRateLimit_Exceeded_ReturnsRateLimited: a tool call above the limit is an error result with the delay, any
// other request an error.
func TestRateLimit_Exceeded_ReturnsRateLimited(t *testing.T) {
	const perMinute = 6
	for _, revision := range bothRevisions {
		t.Run(revision, func(t *testing.T) {
			testdb.Each(t, func(t *testing.T, db *store.DB) {
				var w *fixture
				w = newFixture(t, db, func(o *Options) {
					o.CheckRateLimit = func(ctx context.Context) error { return w.users.AllowCall(ctx, perMinute) }
				})
				alice := w.connect(t, token(t, "alice", nil), revision)
				refused := alice.callTool("list_tasks", nil)
				for !refused.IsError { // time makes room for more, on a slow machine
					refused = alice.callTool("list_tasks", nil)
				}
				require.Equal(t, "RATE_LIMITED", refused.Meta["errand/code"])
				wait := refused.Meta["errand/retryAfterMs"].(float64)
				require.Positive(t, wait)
				require.LessOrEqual(t, wait, float64((time.Minute / perMinute).Milliseconds()))
				require.Contains(t, textOf(refused), "At most 6 calls a minute. Try again in ")
				require.Nil(t, refused.StructuredContent)
				require.Equal(t, apperr.RateLimited, w.lastReport(methodCall).Code, "it is counted as a failure")

				var err error
				for err == nil {
					_, err = alice.ListTools(t.Context(), nil)
				}
				requireRateLimited(t, err)
				for err = nil; err == nil; {
					_, err = alice.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: openTasksURI})
				}
				requireRateLimited(t, err)

				w.connect(t, token(t, "bob", nil), revision).mustCall("list_tasks", nil)
			})
		})
	}
}

// TestRateLimit_EachMessage_CountsOnce sends one message of each kind, valid or not, within and above the limit.
func TestRateLimit_EachMessage_CountsOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		var counted atomic.Int64
		var limited atomic.Bool
		w := newFixture(t, db, func(o *Options) {
			o.CheckRateLimit = func(context.Context) error {
				counted.Add(1)
				if limited.Load() {
					return apperr.TooMany(time.Second, "At most 3 calls a minute.")
				}
				return nil
			}
		})
		alice := token(t, "alice", nil)
		request := func(method, params string) string {
			return `{"jsonrpc":"2.0","id":7,"method":"` + method + `","params":` + params + `}`
		}
		for what, message := range map[string]string{
			"initialize": request(methodInitialize,
				`{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}`),
			"ping":                        request("ping", `{}`),
			"tools/list":                  request("tools/list", `{}`),
			"a tool":                      request(methodCall, `{"name":"list_tasks"}`),
			"an unknown tool":             request(methodCall, `{"name":"nothing"}`),
			"a resource":                  request(methodReadResource, `{"uri":"errand://tasks/open"}`),
			"an unknown resource":         request(methodReadResource, `{"uri":"errand://nothing/x"}`),
			"templates":                   request("resources/templates/list", `{}`),
			"a prompt":                    request(methodPrompt, `{"name":"daily_review"}`),
			"an unknown prompt":           request(methodPrompt, `{"name":"nothing"}`),
			"a completion":                request("completion/complete", `{"ref":{"type":"ref/prompt","name":"x"}}`),
			"a log level":                 request("logging/setLevel", `{"level":"debug"}`),
			"a subscription":              request(MethodListen, `{}`),
			"an unknown method":           request("nothing/at/all", `{}`),
			"a notification":              `{"jsonrpc":"2.0","method":"notifications/initialized"}`,
			"an unknown notice":           `{"jsonrpc":"2.0","method":"nothing"}`,
			"a response":                  `{"jsonrpc":"2.0","id":7,"result":{}}`,
			"not JSON":                    `{"jsonrpc":`,
			"a request with an ID object": `{"jsonrpc":"2.0","id":{},"method":"ping"}`,
		} {
			limited.Store(false)
			before := counted.Load()
			w.post(t, message, withToken(alice))
			require.Equal(t, before+1, counted.Load(), what)

			limited.Store(true)
			answer, body := w.post(t, message, withToken(alice))
			require.Equal(t, before+2, counted.Load(), what)
			require.Contains(t, body, "RATE_LIMITED", what)
			require.NotContains(t, body, `"structuredContent"`, what)
			if answer.StatusCode != http.StatusOK {
				require.Equal(t, http.StatusTooManyRequests, answer.StatusCode, what)
				require.Equal(t, "1", answer.Header.Get("Retry-After"), what)
			}
		}
	})
}

func requireRateLimited(t *testing.T, err error) {
	t.Helper()
	var wire *jsonrpc.Error
	require.ErrorAs(t, err, &wire)
	require.EqualValues(t, codeRateLimited, wire.Code)
	var data errorData
	require.NoError(t, json.Unmarshal(wire.Data, &data))
	require.Equal(t, apperr.RateLimited, data.Code)
	require.Positive(t, data.RetryAfterMs)
}
