package integration

import (
	"fmt"
	"testing"
	"time"

	"errand/ent/rule"
	"errand/ent/toolcall"
	"errand/internal/testclient"
	"errand/internal/viewer"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

const undoTurnDoc = `mutation ($id: ID!) { undoTurn(messageId: $id) ` + undoFields + ` }`

// kindsOf returns the kinds of a task's changes, oldest first. It is read by ID, because the task may be in the trash.
func kindsOf(t *testing.T, c *testclient.Client, taskID string) (kinds []string) {
	t.Helper()
	type data struct {
		Node struct {
			Changes struct{ Nodes []struct{ Kind string } }
		}
	}
	history := testclient.Run[data](t, c,
		`query ($id: ID!) { node(id: $id) { ... on Task { changes(first: 100) { nodes { kind } } } } }`,
		testclient.Vars{"id": taskID})
	for _, change := range history.Node.Changes.Nodes {
		kinds = append(kinds, change.Kind)
	}
	return kinds
}

func TestApproval_YesBesideApprovals_DecideOnce(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, e *harness.Env) {
		c := e.Client(t, "alice")
		conversation, ids, _ := proposeDeletions(t, c)
		proposed := harness.AllTasks(t, c)[:2]
		var answer testclient.Turn
		following := harness.Concurrently(4, func(i int) string {
			if i == 0 {
				answer = harness.Send(t, c, conversation, "Yes")
				return ""
			}
			response := c.Try(t, approveDoc, testclient.Vars{"ids": ids})
			if response.ErrorCode() != "" {
				return response.ErrorCode()
			}
			return testclient.Run[decision](t, c, approveDoc, testclient.Vars{"ids": ids}).R.AssistantMessage.ID
		})
		c.Dial(t).Follow(t, conversation, "").AwaitFinished(t, answer.AssistantMessage.ID)
		require.Len(t, harness.AllTasks(t, c), 1)
		require.Equal(t, following[1], following[2])
		require.Equal(t, following[1], following[3], "one reply follows the approval")
		for _, task := range proposed {
			require.Equal(t, []string{"CREATED", "DELETED"}, kindsOf(t, c, task.ID))
		}
		undone := testclient.Run[struct{ UndoTurn undoPayload }](
			t,
			c,
			undoTurnDoc,
			testclient.Vars{"id": following[1]},
		).UndoTurn
		require.Len(t, undone.Undone, 2)
		require.Len(t, harness.AllTasks(t, c), 3)
		requireExactCounters(t, e, c)
	})
}

func TestApproval_ItemsEditedSince_AreSkippedAndNamed(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, e *harness.Env) {
		c := e.Client(t, "alice")
		conversation, ids, reply := proposeDeletions(t, c)
		edited := harness.AllTasks(t, c)[0]
		harness.UpdateTask(t, c, testclient.Vars{"id": edited.ID, "title": "Oat milk"})
		approved := testclient.Run[decision](t, c, approveDoc, testclient.Vars{"ids": ids}).R
		c.Dial(t).Follow(t, conversation, "").AwaitFinished(t, approved.AssistantMessage.ID)
		require.Contains(t, harness.Titles(harness.AllTasks(t, c)), "Oat milk")
		require.Len(t, harness.AllTasks(t, c), 2)
		require.Equal(t, []string{"CREATED", "UPDATED"}, kindsOf(t, c, edited.ID))
		results := ""
		for _, call := range harness.StoredMessage(t, c, reply.ID).ToolCalls {
			results += string(call.Result)
		}
		require.Contains(t, results, `"skipped":"`+edited.Title+`"`, "the result names what was skipped")
	})
}

// TestApproval_BesideExpiry_IsUsedOrExpired lets approvals expire while a client approves them.
func TestApproval_BesideExpiry_IsUsedOrExpired(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, e *harness.Env) {
		c := e.Client(t, "alice")
		_, ids, _ := proposeDeletions(t, c)
		responses := harness.Concurrently(3, func(i int) testclient.Response {
			if i > 0 {
				return c.Try(t, approveDoc, testclient.Vars{"ids": ids})
			}
			_ = e.SystemClient(t).ToolCall.Update().
				Where(toolcall.StatusEQ("AWAITING_APPROVAL"), toolcall.ExpiresAtNotNil()).
				SetExpiresAt(time.Now().Add(-time.Second)).
				Exec(rule.System(t.Context()))
			return testclient.Response{}
		})
		used := 0
		for _, r := range responses[1:] {
			if len(r.Errors) == 0 {
				used++
				continue
			}
			harness.RequireErrorCode(t, "CONFLICT", r)
		}
		require.Contains(t, []int{0, 2}, used, "every client gets the same answer")
		left, status := 3, "FAILED"
		if used > 0 {
			left, status = 1, "SUCCEEDED"
		}
		require.Len(t, harness.AllTasks(t, c), left)
		for _, id := range ids {
			type data struct{ Node testclient.ToolCall }
			require.Equal(t, status, testclient.Run[data](t, c,
				`query ($id: ID!) { node(id: $id) { ... on ToolCall { status } } }`, testclient.Vars{"id": id}).Node.Status)
		}
		requireExactCounters(t, e, c)
	})
}

// TestTask_TwoTabsAndAgent_LoseNothingSilently edits one task in two tabs and by the agent at once. A tab that has an
// older version gets CONFLICT, no other change is lost, and the agent's is in its receipt.
func TestTask_TwoTabsAndAgent_LoseNothingSilently(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, e *harness.Env) {
		c := e.Client(t, "alice")
		task := harness.CreateTask(t, c, testclient.Vars{"title": "Milk"})
		conversation := &harness.Conversation{Client: c}
		const edit = `mutation ($in: UpdateTaskInput!) { updateTask(input: $in) { task { version } } }`
		var reply testclient.Message
		responses := harness.Concurrently(3, func(i int) testclient.Response {
			if i == 0 {
				reply = conversation.SendAndWait(t, fmt.Sprintf("set the priority of task %d to high", task.Number))
				return testclient.Response{}
			}
			in := testclient.Vars{"id": task.ID, "title": fmt.Sprint("Milk ", i), "expectedVersion": task.Version}
			return c.Try(t, edit, testclient.Vars{"in": in})
		})
		accepted := []string{}
		for i, r := range responses[1:] {
			if len(r.Errors) == 0 {
				accepted = append(accepted, fmt.Sprint("Milk ", i+1))
				continue
			}
			harness.RequireErrorCode(t, "CONFLICT", r)
		}
		stored := harness.AllTasks(t, c)[0]
		require.Equal(t, "HIGH", stored.Priority)
		require.LessOrEqual(t, len(accepted), 1, "both tabs had the same version")
		require.Equal(t, append([]string{"Milk"}, accepted...)[len(accepted)], stored.Title)
		require.Equal(t, 2+len(accepted), stored.Version)
		require.Len(t, kindsOf(t, c, task.ID), stored.Version)
		type receipt struct {
			Node struct {
				Changes []struct{ Fields []struct{ Name, To string } }
			}
		}
		changes := testclient.Run[receipt](t, c,
			`query ($id: ID!) { node(id: $id) { ... on Message { changes { fields { name to } } } } }`,
			testclient.Vars{"id": reply.ID}).Node.Changes
		require.Len(t, changes, 1)
		require.Equal(t, "priority", changes[0].Fields[0].Name)
	})
}

// TestUndo_BesideEdit_KeepsTheEdit undoes a reply while the user edits the same field.
func TestUndo_BesideEdit_KeepsTheEdit(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, e *harness.Env) {
		c := e.Client(t, "alice")
		conversation := &harness.Conversation{Client: c}
		for i := range 5 {
			task := harness.CreateTask(t, c, testclient.Vars{"title": fmt.Sprint("Milk ", i)})
			reply := conversation.SendAndWait(t, fmt.Sprintf("set the priority of task %d to high", task.Number))
			harness.Concurrently(3, func(i int) bool {
				if i == 0 {
					harness.UpdateTask(t, c, testclient.Vars{"id": task.ID, "priority": "LOW"})
				} else {
					require.Empty(t, c.Try(t, undoTurnDoc, testclient.Vars{"id": reply.ID}).Errors)
				}
				return true
			})
			stored := harness.AllTasks(t, c)[i]
			require.Equal(t, "LOW", stored.Priority)
			require.Len(t, kindsOf(t, c, task.ID), stored.Version)
			require.Contains(t, []int{3, 4}, stored.Version, "the undo was made before the edit, or skipped")
		}
		requireExactCounters(t, e, c)
	})
}

// TestUndo_BesidePurge_RestoresOrFindsNothing undoes deletions while the expired trash is deleted.
func TestUndo_BesidePurge_RestoresOrFindsNothing(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, e *harness.Env) {
		c := e.Client(t, "alice")
		as := viewer.NewContext(t.Context(), viewer.Viewer{UserID: harness.ViewerID(t, c)})
		restored := 0
		for i := range 5 {
			task := harness.CreateTask(t, c, testclient.Vars{"title": fmt.Sprint("Milk ", i)})
			harness.ChangeTask(t, c, "deleteTask", task.ID)
			type data struct {
				Node struct {
					Changes struct{ Nodes []struct{ ID string } }
				}
			}
			deletion := testclient.Run[data](t, c,
				`query ($id: ID!) { node(id: $id) { ... on Task { changes(last: 1) { nodes { id } } } } }`,
				testclient.Vars{"id": task.ID}).Node.Changes.Nodes[0].ID
			e.DB.Client().Task.UpdateOneID(task.ID).SetDeletedAt(time.Now().AddDate(0, 0, -31)).ExecX(as)
			codes := harness.Concurrently(2, func(i int) string {
				if i == 0 {
					_, err := e.Services.Tasks.PurgeTrash(as, time.Now().AddDate(0, 0, -30))
					require.NoError(t, err)
					return ""
				}
				return c.Try(t, `mutation ($id: ID!) { undoChange(id: $id) `+undoFields+` }`,
					testclient.Vars{"id": deletion}).ErrorCode()
			})
			require.Contains(t, []string{"", "NOT_FOUND"}, codes[1])
			found := false
			for _, left := range harness.AllTasks(t, c) {
				found = found || left.ID == task.ID
			}
			if found {
				restored++
			}
			require.Len(t, harness.AllTasks(t, c), restored)
		}
		requireExactCounters(t, e, c)
	})
}
