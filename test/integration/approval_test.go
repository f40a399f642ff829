package integration

import (
	"context"
	"fmt"
	"testing"
	"time"

	"errand/ent/rule"
	"errand/ent/toolcall"
	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

const decisionFields = `{ toolCalls { id status result } conversation { id } assistantMessage { id position } }`

const (
	approveDoc = `mutation ($ids: [ID!]!) { r: approveToolCalls(ids: $ids) ` + decisionFields + ` }`
	rejectDoc  = `mutation ($ids: [ID!]!) { r: rejectToolCalls(ids: $ids) ` + decisionFields + ` }`
	pendingDoc = `{ viewer { pendingApprovals { id status expiresAt message { conversation { id } }
		proposal { taskId number title version kind fields { name from to } } } } }`
)

// decision is the payload of approveDoc and rejectDoc.
type decision struct {
	R *struct {
		ToolCalls        []testclient.ToolCall
		AssistantMessage *testclient.Message
	}
}

// pendingCall is a call as pendingDoc selects it.
type pendingCall struct {
	ID, Status string
	ExpiresAt  *string
	Message    struct{ Conversation struct{ ID string } }
	Proposal   []struct {
		Number, Version int
		Title, Kind     string
	}
}

func pendingCalls(t *testing.T, c *testclient.Client) []pendingCall {
	t.Helper()
	type data struct {
		Viewer struct{ PendingApprovals []pendingCall }
	}
	return testclient.Run[data](t, c, pendingDoc, nil).Viewer.PendingApprovals
}

// proposeDeletions creates tasks, tells the built-in model to delete all but one, and returns the open call.
func proposeDeletions(
	t *testing.T,
	c *testclient.Client,
) (conversation string, ids []string, reply testclient.Message) {
	t.Helper()
	for _, title := range []string{"Milk", "Bread", "Eggs"} {
		harness.CreateTask(t, c, testclient.Vars{"title": title})
	}
	all := harness.AllTasks(t, c)
	turn := harness.Send(t, c, "", fmt.Sprintf("delete tasks %d and %d", all[0].Number, all[1].Number))
	socket := c.Dial(t)
	defer socket.Close()
	reply = socket.Follow(t, turn.Conversation.ID, "").AwaitFinished(t, turn.AssistantMessage.ID)
	require.Equal(t, "COMPLETED", reply.Status)
	for _, call := range reply.ToolCalls {
		require.Equal(t, "AWAITING_APPROVAL", call.Status)
		ids = append(ids, call.ID)
	}
	require.Len(t, ids, 1)
	return turn.Conversation.ID, ids, reply
}

func TestApproval_ConcurrentDecisions_DecideOnce(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, e *harness.Env) {
		c := e.Client(t, "alice")
		conversation, ids, reply := proposeDeletions(t, c)
		stream := c.Dial(t).Follow(t, conversation, "")
		first := stream.AwaitFinished(t, reply.ID)
		cursor := stream.Events[len(stream.Events)-1].Cursor
		require.Equal(t, "AWAITING_APPROVAL", first.ToolCalls[0].Status)
		require.Len(t, pendingCalls(t, c), 1)
		require.Len(t, pendingCalls(t, c)[0].Proposal, 2)
		require.Equal(t, conversation, pendingCalls(t, c)[0].Message.Conversation.ID)

		responses := harness.Concurrently(12, func(i int) testclient.Response {
			doc := approveDoc
			if i%3 == 2 {
				doc = rejectDoc
			}
			return c.Try(t, doc, testclient.Vars{"ids": ids})
		})
		approved, rejected := 0, 0
		for i, r := range responses {
			switch {
			case len(r.Errors) > 0:
				harness.RequireErrorCode(t, "CONFLICT", r)
			case i%3 == 2:
				rejected++
			default:
				approved++
			}
		}
		require.NotEqual(t, approved > 0, rejected > 0, "%d approved, %d rejected", approved, rejected)
		status, left := "SUCCEEDED", 1
		if rejected > 0 {
			status, left = "FAILED", 3
		}
		require.Len(t, harness.AllTasks(t, c), left)
		for range ids {
			event := stream.Until(
				t,
				func(e testclient.Event) bool { return e.Kind == "ToolCallChanged" && e.ToolCall.Status == status },
			)
			require.Equal(t, reply.ID, event.MessageID)
		}
		// A client that was away since the question receives the decisions too.
		resumed := c.Dial(t).Follow(t, conversation, cursor)
		seen := map[string]bool{}
		for len(seen) < len(ids) {
			event, err := resumed.TryNextEvent(t.Context())
			require.NoError(t, err)
			if event.Kind == "ToolCallChanged" && event.MessageID == reply.ID {
				require.Equal(t, status, event.ToolCall.Status)
				seen[event.ToolCall.ID] = true
			}
		}
		require.Empty(t, pendingCalls(t, c))
		harness.RequireErrorCode(t, "NOT_FOUND", e.Client(t, "bob").Try(t, approveDoc, testclient.Vars{"ids": ids}))
	})
}

func TestApproval_OtherReplicaAfterKill_Approves(t *testing.T) {
	t.Parallel()
	url := testdb.PostgresURL(t)
	first := harness.StartProcess(t, url)
	_, ids, reply := proposeDeletions(t, first.Client("alice"))
	first.Kill()
	second := harness.StartProcess(t, url)
	c := second.Client("alice")
	approved := testclient.Run[decision](t, c, approveDoc, testclient.Vars{"ids": ids}).R
	require.Len(t, harness.AllTasks(t, c), 1)
	require.Equal(t, reply.Position+1, approved.AssistantMessage.Position)
	next := c.Dial(t).Follow(t, conversationOf(t, c, reply.ID), "").AwaitFinished(t, approved.AssistantMessage.ID)
	require.Contains(t, next.Content, "Deleted task")
	undone := c.Try(t, `mutation ($id: ID!) { undoTurn(messageId: $id) { undone { id } skipped { reason } } }`,
		testclient.Vars{"id": approved.AssistantMessage.ID})
	require.Empty(t, undone.Errors)
	require.Len(t, harness.AllTasks(t, c), 3, "the approved changes are the new reply's")
}

func conversationOf(t *testing.T, c *testclient.Client, messageID string) string {
	t.Helper()
	type data struct {
		Node struct{ Conversation struct{ ID string } }
	}
	return testclient.Run[data](t, c, `query ($id: ID!) { node(id: $id) { ... on Message { conversation { id } } } }`,
		testclient.Vars{"id": messageID}).Node.Conversation.ID
}

func TestApproval_ExpiredOrCancelled_CannotBeApproved(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, e *harness.Env) {
		c := e.Client(t, "alice")
		_, ids, reply := proposeDeletions(t, c)
		harness.CancelReply(t, c, reply.ID)
		harness.RequireErrorCode(t, "CONFLICT", c.Try(t, approveDoc, testclient.Vars{"ids": ids}))
		testclient.Run[decision](t, c, rejectDoc, testclient.Vars{"ids": ids})

		_, ids, _ = proposeDeletions(t, c)
		expireApprovals(t, e)
		harness.RequireErrorCode(t, "CONFLICT", c.Try(t, approveDoc, testclient.Vars{"ids": ids}))
		for _, id := range ids {
			require.Contains(t, storedResult(t, c, id), `"EXPIRED"`)
		}
		_, ids, _ = proposeDeletions(t, c)
		expireApprovals(t, e)
		require.Contains(t, storedResult(t, c, ids[0]), `"EXPIRED"`, "a read ends an expired approval")
		require.Len(t, harness.AllTasks(t, c), 9)
	})
}

func expireApprovals(t *testing.T, e *harness.Env) {
	t.Helper()
	require.NoError(t, e.SystemClient(t).ToolCall.Update().
		Where(toolcall.ExpiresAtNotNil()).
		SetExpiresAt(time.Now().Add(-time.Second)).
		Exec(rule.System(context.Background())))
}

func storedResult(t *testing.T, c *testclient.Client, id string) string {
	t.Helper()
	type data struct{ Node testclient.ToolCall }
	return string(testclient.Run[data](t, c, `query ($id: ID!) { node(id: $id) { ... on ToolCall { id status result } } }`,
		testclient.Vars{"id": id}).Node.Result)
}

func TestApproval_ScopesOfToken_LimitApproval(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, e *harness.Env) {
		c := e.Client(t, "alice")
		conversation, ids, _ := proposeDeletions(t, c)
		chatOnly := e.ClientWithScopes(t, "alice", "chat")
		harness.RequireErrorCode(t, "FORBIDDEN", chatOnly.Try(t, approveDoc, testclient.Vars{"ids": ids}))
		turn := harness.Send(t, chatOnly, conversation, "yes")
		chatOnly.Dial(t).Follow(t, conversation, "").AwaitFinished(t, turn.AssistantMessage.ID)
		require.Len(t, harness.AllTasks(t, c), 3, "a yes of a token without tasks:write changes nothing")
	})
}

func TestApproval_Policy_IsSetPerTool(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, e *harness.Env) {
		c := e.Client(t, "alice")
		const set = `mutation ($tool: String!, $mode: ApprovalMode!) {
			updateViewer(input: {approvalPolicy: [{tool: $tool, mode: $mode}]}) { viewer { approvalPolicy { tool mode } } } }`
		response := c.Try(t, set, testclient.Vars{"tool": "delete_task", "mode": "ASK"})
		require.Empty(t, response.Errors)
		require.Contains(t, string(response.Data), `{"tool":"delete_task","mode":"ASK"}`)
		require.Contains(t, string(response.Data), `{"tool":"complete_task","mode":"DEFAULT"}`)
		harness.RequireErrorCode(t, "BAD_USER_INPUT approvalPolicy",
			c.Try(t, set, testclient.Vars{"tool": "list_tasks", "mode": "ASK"}))
		task := harness.CreateTask(t, c, testclient.Vars{"title": "Milk"})
		turn := harness.Send(t, c, "", fmt.Sprintf("delete task %d", task.Number))
		c.Dial(t).Follow(t, turn.Conversation.ID, "").AwaitFinished(t, turn.AssistantMessage.ID)
		require.Len(t, pendingCalls(t, c), 1)
		require.Len(t, harness.AllTasks(t, c), 1)
	})
}
