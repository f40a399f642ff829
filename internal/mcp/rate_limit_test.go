package mcp

import (
	"context"
	"encoding/json"
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
// other request with user data an error; requests without user data are not limited.
func TestRateLimit_Exceeded_ReturnsRateLimited(t *testing.T) {
	const perMinute = 3
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
				require.Contains(t, textOf(refused), "At most 3 calls a minute. Try again in ")
				require.Nil(t, refused.StructuredContent)
				require.Equal(t, apperr.RateLimited, w.lastReport(methodCall).Code, "it is counted as a failure")

				_, err := alice.ListTools(t.Context(), nil)
				require.NoError(t, err, "requests without user data are not limited")
				_, err = alice.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: openTasksURI})
				for err == nil {
					_, err = alice.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: openTasksURI})
				}
				requireRateLimited(t, err)

				w.connect(t, token(t, "bob", nil), revision).mustCall("list_tasks", nil)
			})
		})
	}
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
