package integration

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"errand/internal/llm/providertest"
	"errand/internal/testclient"
	"errand/test/harness"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"
)

// obedientModel is a model that makes the calls which the user's message has, a line for each: the tool's name and its
// arguments. Its text is the last result.
func obedientModel(t *testing.T) *harness.Model {
	return harness.StartModel(t, func(r harness.ModelRequest) providertest.Step {
		lines := strings.Split(r.UserMessage, "\n")
		if n := len(r.ToolResults); n < len(lines) {
			name, arguments, _ := strings.Cut(lines[n], " ")
			return harness.ToolCallResponse("", harness.ToolCall{Name: name, Arguments: arguments})
		}
		return harness.TextResponse(r.ToolResults[len(r.ToolResults)-1])
	})
}

// undoneCall is the result of the tool undo.
type undoneCall struct {
	Batch   string
	Count   int
	Undone  []struct{ Kind, Title string }
	Skipped []struct{ Title, Reason string }
	Error   struct{ Code, Message, Field string }
}

func parseUndo(t *testing.T, text string) (r undoneCall) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(text), &r), text)
	return r
}

// changesOf returns the kinds of the changes of a reply, each with whether it undoes another.
func changesOf(t *testing.T, c *testclient.Client, messageID string) (out []string) {
	t.Helper()
	type data struct {
		Node struct {
			Changes []struct {
				Kind   string
				Undoes *string
			}
		}
	}
	for _, change := range testclient.Run[data](t, c, `query ($id: ID!) { node(id: $id) { ... on Message {
		changes { kind undoes } } } }`, testclient.Vars{"id": messageID}).Node.Changes {
		if change.Undoes != nil {
			change.Kind += " undoes"
		}
		out = append(out, change.Kind)
	}
	return out
}

// titles returns the titles of the tasks outside the trash, each with "✓" if it is completed.
func titles(t *testing.T, c *testclient.Client) (out []string) {
	t.Helper()
	for _, task := range harness.AllTasks(t, c) {
		if task.Completed {
			task.Title += " ✓"
		}
		out = append(out, task.Title)
	}
	return out
}

// TestUndoTool_WithoutArgument_UndoesLastChangingTurn undoes turn by turn, and redoes with the batch of an undo.
func TestUndoTool_WithoutArgument_UndoesLastChangingTurn(t *testing.T) {
	m := obedientModel(t)
	harness.EachDatabase(t, func(t *testing.T, e *harness.Env) {
		c := e.Client(t, "alice")
		harness.CreateTask(t, c, testclient.Vars{"title": "Milk"})
		harness.CreateTask(t, c, testclient.Vars{"title": "Bread"})
		talk, other := &harness.Conversation{Client: c}, &harness.Conversation{Client: c}
		other.SendAndWait(t, `update_task {"number":1,"priority":"high"}`)
		talk.SendAndWait(t, "complete_task {\"number\":1}\nupdate_task {\"number\":2,\"title\":\"Brown bread\"}")
		talk.SendAndWait(t, `list_tasks {}`)
		talk.SendAndWait(t, `complete_task {"number":2}`)
		require.Equal(t, []string{"Milk ✓", "Brown bread ✓"}, titles(t, c))

		first := parseUndo(t, talk.SendAndWait(t, `undo {}`).Content)
		require.Equal(t, 1, first.Count)
		require.Equal(t, "completed", first.Undone[0].Kind)
		require.Equal(t, []string{"Milk ✓", "Brown bread"}, titles(t, c))
		reply := talk.SendAndWait(t, `undo {}`)
		second := parseUndo(t, reply.Content)
		require.Equal(t, 2, second.Count)
		require.Equal(t, []string{"UPDATED undoes", "REOPENED undoes"}, changesOf(t, c, reply.ID))
		require.Equal(t, []string{"Milk", "Bread"}, titles(t, c))
		nothing := parseUndo(t, talk.SendAndWait(t, `undo {}`).Content)
		require.Equal(t, "NOT_FOUND", nothing.Error.Code, "changes of other conversations and by hand stay")

		redone := parseUndo(t, talk.SendAndWait(t, fmt.Sprintf(`undo {"change":%q}`, second.Batch)).Content)
		require.Equal(t, 2, redone.Count)
		require.Equal(t, []string{"Milk ✓", "Brown bread"}, titles(t, c))
		again := parseUndo(t, talk.SendAndWait(t, fmt.Sprintf(`undo {"change":%q}`, second.Batch)).Content)
		require.Equal(t, "CONFLICT", again.Error.Code)
		require.Contains(t, again.Error.Message, redone.Batch)
		unknown := parseUndo(t, talk.SendAndWait(t, `undo {"change":"chg_x"}`).Content)
		require.Equal(t, "NOT_FOUND change", unknown.Error.Code+" "+unknown.Error.Field)
	}, m.Settings(), harness.GenerousLimits)
}

func TestUndoTool_TaskEditedSince_IsSkippedAndReported(t *testing.T) {
	m := obedientModel(t)
	harness.EachDatabase(t, func(t *testing.T, e *harness.Env) {
		c := e.Client(t, "alice")
		milk := harness.CreateTask(t, c, testclient.Vars{"title": "Milk"})
		harness.CreateTask(t, c, testclient.Vars{"title": "Bread"})
		talk := &harness.Conversation{Client: c}
		talk.SendAndWait(t, `update_task {"tasks":["1","2"],"priority":"high"}`)
		testclient.Run[any](t, c, `mutation ($id: ID!) { updateTask(input: {id: $id, priority: LOW}) { task { id } } }`,
			testclient.Vars{"id": milk.ID})
		undone := parseUndo(t, talk.SendAndWait(t, `undo {}`).Content)
		require.Equal(t, 1, undone.Count)
		require.Equal(t, "Bread", undone.Undone[0].Title)
		require.Equal(t, "Milk", undone.Skipped[0].Title)
		require.Equal(t, "Changed since: priority.", undone.Skipped[0].Reason)
	}, m.Settings(), harness.GenerousLimits)
}

// TestUndoTool_NeedsApproval_SetsUndoes undoes the creation of tasks, which deletes more than one task, and redoes it.
func TestUndoTool_NeedsApproval_SetsUndoes(t *testing.T) {
	m := obedientModel(t)
	harness.EachDatabase(t, func(t *testing.T, e *harness.Env) {
		c := e.Client(t, "alice")
		talk := &harness.Conversation{Client: c}
		added := talk.SendAndWait(t, `add_task {"tasks":[{"title":"Milk"},{"title":"Bread"}]}`)
		asked := talk.SendAndWait(t, `undo {}`)
		require.Equal(t, "AWAITING_APPROVAL", asked.ToolCalls[0].Status)
		require.Len(t, harness.AllTasks(t, c), 2)
		approved := testclient.Run[decision](t, c, approveDoc, testclient.Vars{"ids": []string{asked.ToolCalls[0].ID}}).R
		require.Equal(t, "SUCCEEDED", approved.ToolCalls[0].Status)
		require.Empty(t, harness.AllTasks(t, c))
		reply := c.Dial(t).Follow(t, talk.ID, "").AwaitFinished(t, approved.AssistantMessage.ID)
		require.Equal(t, []string{"DELETED undoes", "DELETED undoes"}, changesOf(t, c, reply.ID))
		undone := testclient.Run[struct{ UndoTurn undoPayload }](t, c,
			`mutation ($id: ID!) { undoTurn(messageId: $id) `+undoFields+` }`, testclient.Vars{"id": added.ID}).UndoTurn
		require.Equal(t, reply.ID, *undone.BatchID, "the turn counts as undone")
		redo := talk.SendAndWait(t, fmt.Sprintf(`undo {"change":%q}`, reply.ID))
		require.Equal(t, 2, parseUndo(t, redo.Content).Count)
		require.Equal(t, []string{"Milk", "Bread"}, titles(t, c))
	}, m.Settings(), harness.GenerousLimits)
}

// TestUndoTool_ApprovedAfterReopen_RestoresExactTime approves the undo of a reopening: the task is completed at the
// time before, not at that of the approval.
func TestUndoTool_ApprovedAfterReopen_RestoresExactTime(t *testing.T) {
	m := obedientModel(t)
	harness.EachDatabase(t, func(t *testing.T, e *harness.Env) {
		c := e.Client(t, "alice")
		milk := harness.CreateTask(t, c, testclient.Vars{"title": "Milk"})
		harness.ChangeTask(t, c, "completeTask", milk.ID)
		completed := harness.AllTasks(t, c)[0].CompletedAt
		require.NotNil(t, completed)
		testclient.Run[any](t, c, `mutation { updateViewer(input: {approvalPolicy: [{tool: "undo", mode: ASK}]}) {
			viewer { id } } }`, nil)
		talk := &harness.Conversation{Client: c}
		talk.SendAndWait(t, `reopen_task {"number":1}`)
		asked := talk.SendAndWait(t, `undo {}`)
		require.Equal(t, "AWAITING_APPROVAL", asked.ToolCalls[0].Status)
		testclient.Run[decision](t, c, approveDoc, testclient.Vars{"ids": []string{asked.ToolCalls[0].ID}})
		require.Equal(t, completed, harness.AllTasks(t, c)[0].CompletedAt)
	}, m.Settings(), harness.GenerousLimits)
}

// TestUndoTool_OverMCP_UndoesLastCallOfClient undoes the calls of one client, newest first, and no others.
func TestUndoTool_OverMCP_UndoesLastCallOfClient(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, e *harness.Env) {
		c := e.Client(t, "alice")
		harness.CreateTask(t, c, testclient.Vars{"title": "By hand"})
		for _, revision := range []string{"2025-11-25", "2026-07-28"} {
			desk := connectOverHTTP(t, c, revision)
			callTool(t, desk, "update_task", map[string]any{"number": 1, "title": "Renamed"})
			callTool(t, desk, "complete_task", map[string]any{"number": 1})
			bob := connectOverHTTP(t, e.Client(t, "bob"), revision)
			require.Contains(t, failedCall(t, bob, "undo", nil), "no change of this client to undo")
			harness.CreateTask(t, c, testclient.Vars{"title": "Later, by hand"})

			require.EqualValues(t, 1, callTool(t, desk, "undo", nil)["count"])
			require.Equal(t, "Renamed", titles(t, c)[0])
			renamed := callTool(t, desk, "undo", nil)
			require.Equal(t, "By hand", titles(t, c)[0])
			require.Contains(t, failedCall(t, desk, "undo", nil), "no change of this client to undo")
			callTool(t, desk, "undo", map[string]any{"change": renamed["batch"]})
			require.Equal(t, "Renamed", titles(t, c)[0])
			callTool(
				t,
				desk,
				"undo",
				map[string]any{"change": callTool(t, desk, "recent_changes", nil)["changes"].([]any)[0].(map[string]any)["id"]},
			)
			require.Equal(t, "By hand", titles(t, c)[0])
		}
	}, harness.GenerousLimits)
}

// failedCall calls a tool that must fail, and returns the text of its result.
func failedCall(t *testing.T, session *sdk.ClientSession, tool string, args map[string]any) string {
	t.Helper()
	result, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: tool, Arguments: args})
	require.NoError(t, err)
	require.True(t, result.IsError, "%v", result.StructuredContent)
	return result.Content[0].(*sdk.TextContent).Text
}

func TestSetTimeZone_AgentAndMCP_SetZoneOfViewer(t *testing.T) {
	m := obedientModel(t)
	harness.EachDatabase(t, func(t *testing.T, e *harness.Env) {
		c := e.Client(t, "alice")
		zone := func() string {
			type data struct{ Viewer struct{ TimeZone string } }
			return testclient.Run[data](t, c, `{ viewer { timeZone } }`, nil).Viewer.TimeZone
		}
		talk := &harness.Conversation{Client: c}
		reply := talk.SendAndWait(t, `set_time_zone {"time_zone":"america/new york"}`)
		require.Contains(t, reply.Content, `"time_zone":"America/New_York","previous":"UTC"`)
		require.Equal(t, "America/New_York", zone())
		reply = talk.SendAndWait(t, `set_time_zone {"timeZone":"Mars"}`)
		require.Contains(t, reply.Content, `"field":"time_zone"`)
		require.Contains(t, reply.Content, `{\"time_zone\": \"Europe/Berlin\"}`)
		require.Equal(t, "America/New_York", zone())

		desk := connectOverHTTP(t, e.ClientWithScopes(t, "alice", "account"), "2026-07-28")
		require.Equal(
			t,
			"America/New_York",
			callTool(t, desk, "set_time_zone", map[string]any{"time_zone": "Tokyo"})["previous"],
		)
		require.Equal(t, "Asia/Tokyo", zone())
		desk = connectOverHTTP(t, e.ClientWithScopes(t, "alice", "tasks:read tasks:write"), "2026-07-28")
		_, err := desk.CallTool(t.Context(), &sdk.CallToolParams{
			Name: "set_time_zone", Arguments: map[string]any{"time_zone": "UTC"},
		})
		require.ErrorContains(t, err, "account")

		const policy = `mutation ($mode: ApprovalMode!) { updateViewer(input: {
			approvalPolicy: [{tool: "set_time_zone", mode: $mode}]}) { viewer { id } } }`
		harness.RequireErrorCode(t, "BAD_USER_INPUT approvalPolicy", c.Try(t, policy, testclient.Vars{"mode": "ASK"}))
		testclient.Run[any](t, c, policy, testclient.Vars{"mode": "NEVER"})
		require.Contains(t, talk.SendAndWait(t, `set_time_zone {"time_zone":"UTC"}`).Content, `"code":"FORBIDDEN"`)
		desk = connectOverHTTP(t, c, "2026-07-28")
		require.Contains(t, failedCall(t, desk, "set_time_zone", map[string]any{"time_zone": "UTC"}), "does not allow")
		require.Equal(t, "Asia/Tokyo", zone())
	}, m.Settings(), harness.GenerousLimits)
}
