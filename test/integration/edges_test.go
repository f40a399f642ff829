package integration

import (
	"encoding/json"
	"testing"

	"errand/internal/testclient"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

type edge struct {
	Cursor string
	Node   struct{ ID string }
}

// TestTaskEdge_EveryOrder_HasCursorOfList compares the edges of payloads and events with those of the lists, whose
// cursors a client's cache needs to insert a task.
func TestTaskEdge_EveryOrder_HasCursorOfList(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		edges := "default: taskEdge { cursor node { id } } "
		lists := "default: tasks { edges { cursor node { id } } } "
		for _, field := range []string{"NUMBER", "CREATED_AT", "UPDATED_AT", "DUE", "PRIORITY", "TITLE"} {
			for _, direction := range []string{"ASC", "DESC"} {
				order := `(orderBy: {field: ` + field + `, direction: ` + direction + `})`
				edges += field + direction + ": taskEdge" + order + " { cursor node { id } } "
				lists += field + direction + ": tasks" + order + " { edges { cursor node { id } } } "
			}
		}
		sub := c.Dial(t).Subscribe(t, `subscription { taskStream { `+edges+` } }`, nil)
		require.Eventually(t, func() bool { return b.Hub.Subscribers() == 1 }, testclient.Timeout, harness.PollInterval)
		for _, in := range []testclient.Vars{
			{"title": "Milk"},
			{"title": "Ärger \"x\"", "dueOn": "2026-12-24", "priority": "HIGH"},
			{"title": "Call", "dueAt": "2026-12-24T10:00:00.123456Z"},
		} {
			payload := testclient.Run[struct{ R map[string]edge }](t, c,
				`mutation ($in: CreateTaskInput!) { r: createTask(input: $in) { `+edges+` } }`, testclient.Vars{"in": in}).R
			event, err := sub.Next(t.Context())
			require.NoError(t, err)
			var streamed struct {
				Data struct{ TaskStream map[string]edge }
			}
			require.NoError(t, json.Unmarshal(event, &streamed))
			require.Equal(t, payload, streamed.Data.TaskStream)
			for order, list := range testclient.Run[map[string]struct{ Edges []edge }](t, c, `{ `+lists+` }`, nil) {
				require.Contains(t, list.Edges, payload[order], order)
			}
		}
	})
}

// TestMessageEdges_PayloadAndStream_HaveCursorOfList compares the edges of a sent turn and of its stream with those of
// the lists.
func TestMessageEdges_PayloadAndStream_HaveCursorOfList(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		const parts = `conversationEdge { cursor node { id } } `
		type payload struct{ ConversationEdge, UserMessageEdge, AssistantMessageEdge edge }
		created := testclient.Run[struct{ R payload }](t, c,
			`mutation { r: createConversation(input: {title: "x"}) { `+parts+` } }`, nil).R
		sent := testclient.Run[struct{ R payload }](t, c, `mutation ($id: ID!) {
			r: sendMessage(input: {conversationId: $id, content: "Hello"}) { `+parts+`
				userMessageEdge { cursor node { id } } assistantMessageEdge { cursor node { id } } } }`,
			testclient.Vars{"id": created.ConversationEdge.Node.ID}).R
		require.Equal(t, created.ConversationEdge, sent.ConversationEdge)

		lists := testclient.Run[struct {
			Conversations struct {
				Edges []struct {
					edge
					Node struct {
						ID       string
						Messages struct{ Edges []edge }
					}
				}
			}
		}](t, c, `{ conversations { edges { cursor node { id messages { edges { cursor node { id } } } } } } }`, nil)
		listed := lists.Conversations.Edges[0]
		require.Equal(t, sent.ConversationEdge.Cursor, listed.Cursor)
		messages := listed.Node.Messages.Edges
		require.Equal(t, []edge{sent.UserMessageEdge, sent.AssistantMessageEdge}, messages)

		sub := c.Dial(t).Subscribe(t, `subscription ($id: ID!) { messageStream(conversationId: $id) {
			... on MessageAdded { messageEdge { cursor node { id } } } } }`, testclient.Vars{"id": listed.Node.ID})
		for _, want := range messages {
			event, err := sub.Next(t.Context())
			require.NoError(t, err)
			var streamed struct {
				Data struct{ MessageStream struct{ MessageEdge edge } }
			}
			require.NoError(t, json.Unmarshal(event, &streamed))
			require.Equal(t, want, streamed.Data.MessageStream.MessageEdge, "%s", event)
		}
	})
}
