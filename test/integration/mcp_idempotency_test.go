package integration

import (
	"fmt"
	"strings"
	"testing"

	"errand/internal/testclient"
	"errand/test/harness"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"
)

// callWithKey calls a tool with an idempotency key in _meta, and returns its result as JSON, else its error code.
func callWithKey(t *testing.T, session *sdk.ClientSession, key any, tool string, args map[string]any) string {
	t.Helper()
	result, err := session.CallTool(t.Context(), &sdk.CallToolParams{
		Meta:      sdk.Meta{"errand/idempotencyKey": key},
		Name:      tool,
		Arguments: args,
	})
	if err != nil {
		return err.Error()
	}
	if result.IsError {
		return fmt.Sprint(result.Meta["errand/code"])
	}
	return fmt.Sprint(result.StructuredContent, result.Content[0].(*sdk.TextContent).Text)
}

func TestMCP_IdempotencyKey_SameCallHasOneEffect(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, e *harness.Env) {
		c := e.Client(t, "alice")
		for _, revision := range []string{"2025-11-25", "2026-07-28"} {
			desk := connectOverHTTP(t, c, revision)
			before := len(harness.AllTasks(t, c))
			add := map[string]any{"title": "Milk", "labels": []string{"shop"}}
			all := harness.Concurrently(6, func(int) string { return callWithKey(t, desk, revision, "add_task", add) })
			for _, result := range all {
				require.Equal(t, all[0], result)
				require.Contains(t, result, "Milk")
			}
			require.Len(t, harness.AllTasks(t, c), before+1)
			require.Equal(t, "CONFLICT", callWithKey(t, desk, revision, "add_task", map[string]any{"title": "Bread"}))
			require.Contains(t, callWithKey(t, desk, "another "+revision, "add_task", add), "Milk")
			require.Len(t, harness.AllTasks(t, c), before+2)
			bob := connectOverHTTP(t, e.Client(t, "bob"), revision)
			require.Contains(t, callWithKey(t, bob, revision, "add_task", map[string]any{"title": "Of Bob"}), "Of Bob")
			for _, bad := range []any{"", 7, strings.Repeat("x", 256), []string{"a"}} {
				require.Equal(t, "BAD_USER_INPUT", callWithKey(t, desk, bad, "add_task", add))
			}

			// A change that is not idempotent by itself is made once, also when others have changed the task meanwhile.
			note := map[string]any{"number": 1, "append_description": "Once " + revision}
			first := callWithKey(t, desk, revision, "update_task", note)
			callTool(t, desk, "complete_task", map[string]any{"number": 1})
			require.Equal(t, first, callWithKey(t, desk, revision, "update_task", note))
			require.Equal(
				t,
				1,
				strings.Count(fmt.Sprint(callTool(t, desk, "get_task", map[string]any{"number": 1})), "Once "+revision),
			)

			// The key of a call that failed can be used again.
			require.Equal(t, "NOT_FOUND", callWithKey(t, desk, revision, "complete_task", map[string]any{"number": 999}))
			require.Contains(t, callWithKey(t, desk, revision, "complete_task", map[string]any{"number": 2}), "completed")
			// So can that of a call that needed approval: nothing was done.
			two := map[string]any{"tasks": []string{"1", "2"}}
			require.Equal(t, "FORBIDDEN", callWithKey(t, desk, revision, "delete_task", two))
			require.Equal(t, "FORBIDDEN", callWithKey(t, desk, revision, "delete_task", two))

			// An undo is repeated once too.
			undo := callWithKey(t, desk, revision, "undo", nil)
			require.Equal(t, undo, callWithKey(t, desk, revision, "undo", nil))
		}
	}, harness.GenerousLimits)
}

// TestMCP_IdempotencyKeyLongResult_RepeatsTheFact checks a result that is too long to be kept.
func TestMCP_IdempotencyKeyLongResult_RepeatsTheFact(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, e *harness.Env) {
		c := e.Client(t, "alice")
		desk := connectOverHTTP(t, c, "2026-07-28")
		add := map[string]any{"title": "Long", "description": strings.Repeat("words ", 1500)}
		require.Contains(t, callWithKey(t, desk, "k", "add_task", add), "words words")
		require.Contains(t, callWithKey(t, desk, "k", "add_task", add), "earlier call with this key")
		require.Len(t, harness.AllTasks(t, c), 1)
		kept := testclient.Run[struct{ ExportViewer map[string]any }](t, c, harness.ExportViewerDoc, nil)
		require.Len(t, kept.ExportViewer["idempotencyKeys"], 1)
	}, harness.GenerousLimits)
}
