package integration

import (
	"encoding/json"
	"testing"

	"errand/internal/llm/providertest"
	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

const (
	changeFields  = `id kind batchId task { number title } toolCall { id } fields { name to }`
	receiptFields = `id status changes { ` + changeFields + ` } toolCalls { id name status changes { id } }`
	receiptDoc    = `query ($id: ID!) { node(id: $id) { ... on Message { ` + receiptFields + ` } } }`
	receiptStream = `subscription ($id: ID!, $after: Cursor) { messageStream(conversationId: $id, after: $after) {
		__typename cursor ... on MessageAdded { message { ` + receiptFields + ` } }
		... on ToolCallChanged { toolCall { id name status changes { ` + changeFields + ` } } }
		... on MessageFinished { message { ` + receiptFields + ` } } } }`
)

type receiptChange struct {
	ID, Kind, BatchID string
	Task              struct {
		Number int
		Title  string
	}
	ToolCall struct{ ID string }
	Fields   []struct {
		Name string
		To   *string
	}
}

type receiptCall struct {
	ID, Name, Status string
	Changes          []receiptChange
}

// receipt is a message as selected by receiptFields.
type receipt struct {
	ID, Status string
	Changes    []receiptChange
	ToolCalls  []receiptCall
}

type receiptEvent struct {
	Kind     string `json:"__typename"`
	Message  receipt
	ToolCall receiptCall
}

func (r receipt) kinds() []string {
	kinds := []string{}
	for _, c := range r.Changes {
		kinds = append(kinds, c.Kind)
	}
	return kinds
}

func storedReceipt(t *testing.T, c *testclient.Client, messageID string) receipt {
	t.Helper()
	return testclient.Run[struct{ Node receipt }](t, c, receiptDoc, testclient.Vars{"id": messageID}).Node
}

// followReceipt subscribes to a conversation and returns its events up to the end of a reply.
func followReceipt(t *testing.T, c *testclient.Client, conversationID, messageID string) (all []receiptEvent) {
	t.Helper()
	sub := c.Dial(t).Subscribe(t, receiptStream, testclient.Vars{"id": conversationID})
	for {
		payload, err := sub.Next(t.Context())
		require.NoError(t, err)
		var next struct {
			Data   struct{ MessageStream receiptEvent }
			Errors testclient.Errors
		}
		require.NoError(t, json.Unmarshal(payload, &next))
		require.Empty(t, next.Errors)
		e := next.Data.MessageStream
		all = append(all, e)
		if e.Kind == "MessageFinished" && e.Message.ID == messageID {
			return all
		}
	}
}

// requireConsistent checks that a receipt is that of its calls: each change once, in the order of the calls.
func requireConsistent(t *testing.T, r receipt) {
	t.Helper()
	seen := map[string]bool{}
	var ofCalls, ofMessage []string
	for _, call := range r.ToolCalls {
		for _, c := range call.Changes {
			ofCalls = append(ofCalls, c.ID)
		}
	}
	for _, c := range r.Changes {
		require.False(t, seen[c.ID], "a change is in the receipt once")
		seen[c.ID] = true
		require.Equal(t, r.ID, c.BatchID)
		ofMessage = append(ofMessage, c.ID)
	}
	require.Equal(t, ofCalls, ofMessage)
}

// scriptedCalls is a model that makes one call a step, and then writes a text.
func scriptedCalls(t *testing.T, text string, calls ...harness.ToolCall) *harness.Model {
	return harness.StartModel(t, func(r harness.ModelRequest) providertest.Step {
		if n := len(r.ToolResults); n < len(calls) {
			return harness.ToolCallResponse("", calls[n])
		}
		return harness.TextResponse(text)
	})
}

func TestReceipt_FalseClaim_IsEmpty(t *testing.T) {
	claims := map[string]string{
		"Delete it": "I've deleted task 1.", "Lösch sie": "Ich habe Aufgabe 1 gelöscht.", "削除して": "タスク1を削除しました。",
	}
	m := harness.StartModel(t, func(r harness.ModelRequest) providertest.Step {
		return harness.TextResponse(claims[r.UserMessage])
	})
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		harness.CreateTask(t, c, testclient.Vars{"title": "Buy milk"})
		for said, claim := range claims {
			talk := harness.Conversation{Client: c}
			reply := talk.SendAndWait(t, said)
			require.Equal(t, claim, reply.Content, "the text stands as it is")
			require.Empty(t, storedReceipt(t, c, reply.ID).Changes)
			events := followReceipt(t, c, talk.ID, reply.ID)
			require.Empty(t, events[len(events)-1].Message.Changes)
		}
		require.Len(t, harness.AllTasks(t, c), 1)
	}, m.Settings(), harness.GenerousLimits)
}

// TestReceipt_EveryTool_ListsItsChanges calls every tool that changes a task, in vain too, and compares the receipt of
// the events, of the stored reply and of a list.
func TestReceipt_EveryTool_ListsItsChanges(t *testing.T) {
	m := scriptedCalls(t, "All done, and task 99 is gone.",
		harness.AddTaskCall("Buy milk"),
		harness.ToolCall{Name: "update_task", Arguments: `{"number":1,"title":"Buy oat milk","priority":"high"}`},
		harness.ToolCall{Name: "complete_task", Arguments: `{"number":1}`},
		harness.ToolCall{Name: "complete_task", Arguments: `{"number":1}`}, // no change
		harness.ToolCall{Name: "reopen_task", Arguments: `{"number":1}`},
		harness.ToolCall{Name: "delete_task", Arguments: `{"number":99}`}, // refused
		harness.ToolCall{Name: "list_tasks", Arguments: `{}`},
		harness.ToolCall{Name: "delete_task", Arguments: `{"number":1}`},
	)
	want := []string{"CREATED", "UPDATED", "COMPLETED", "REOPENED", "DELETED"}
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		turn := harness.Send(t, c, "", "Do it all")
		events := followReceipt(t, c, turn.Conversation.ID, turn.AssistantMessage.ID)
		finished := events[len(events)-1].Message
		require.Equal(t, want, finished.kinds())
		require.Len(t, finished.ToolCalls, 8)
		requireConsistent(t, finished)
		require.Equal(t, finished, storedReceipt(t, c, finished.ID))
		require.Empty(t, finished.ToolCalls[3].Changes)
		require.Equal(t, "FAILED", finished.ToolCalls[5].Status)
		require.Empty(t, finished.ToolCalls[5].Changes)
		require.Equal(t, "Buy oat milk", finished.Changes[1].Task.Title)

		var ofEvents []receiptChange
		for _, e := range events {
			if e.Kind == "ToolCallChanged" {
				require.True(t, e.ToolCall.Status != "STARTED" || len(e.ToolCall.Changes) == 0)
				ofEvents = append(ofEvents, e.ToolCall.Changes...)
			}
		}
		require.Len(t, ofEvents, len(want), "each change arrives with its call")
		for i, change := range ofEvents {
			require.Equal(t, finished.Changes[i].ID, change.ID)
			require.Equal(t, finished.Changes[i].ToolCall, change.ToolCall)
		}
		again := followReceipt(t, c, turn.Conversation.ID, finished.ID)
		require.Equal(t, finished, again[len(again)-1].Message, "a late subscriber receives the same")

		type list struct {
			Conversation struct{ Messages struct{ Nodes []receipt } }
		}
		listed := testclient.Run[list](t, c,
			`query ($id: ID!) { conversation(id: $id) { messages { nodes { `+receiptFields+` } } } }`,
			testclient.Vars{"id": turn.Conversation.ID}).Conversation.Messages.Nodes
		require.Empty(t, listed[0].Changes)
		require.Equal(t, finished, listed[1])
	}, m.Settings(), harness.GenerousLimits)
}

// TestReceipt_OtherReplica_SameEvents reads the events of a reply on the replica that does not write it.
func TestReceipt_OtherReplica_SameEvents(t *testing.T) {
	t.Parallel()
	m := scriptedCalls(t, "Done.", harness.AddTaskCall("A"), harness.AddTaskCall("B"),
		harness.ToolCall{Name: "complete_task", Arguments: `{"number":2}`})
	all := startReplicas(t, testdb.PostgresURL(t), 2, m.Settings())
	a, b := all[0].Client("alice"), all[1].Client("alice")
	turn := harness.Send(t, a, "", "Go")
	id := turn.AssistantMessage.ID
	got := harness.Concurrently(2, func(i int) []receiptEvent {
		return followReceipt(t, []*testclient.Client{a, b}[i], turn.Conversation.ID, id)
	})
	for _, events := range got {
		last := events[len(events)-1].Message
		require.Equal(t, []string{"CREATED", "CREATED", "COMPLETED"}, last.kinds())
		require.Equal(t, storedReceipt(t, a, id), last)
		requireConsistent(t, last)
	}
}

// TestReceipt_UndoneTurn_KeepsReceipt undoes a turn: its receipt stays the record of what the reply did.
func TestReceipt_UndoneTurn_KeepsReceipt(t *testing.T) {
	m := scriptedCalls(t, "Done.", harness.AddTaskCall("A"),
		harness.ToolCall{Name: "complete_task", Arguments: `{"number":1}`})
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		reply := (&harness.Conversation{Client: c}).SendAndWait(t, "Go")
		before := storedReceipt(t, c, reply.ID)
		testclient.Run[any](t, c, `mutation ($id: ID!) { undoTurn(messageId: $id) { batchId } }`,
			testclient.Vars{"id": reply.ID})
		require.Empty(t, harness.AllTasks(t, c))
		after := storedReceipt(t, c, reply.ID)
		require.Equal(t, before, after)
		requireConsistent(t, after)
		a := c.Try(t, `query ($id: ID!) { node(id: $id) { ... on Message { changes { undone } } } }`,
			testclient.Vars{"id": reply.ID})
		require.JSONEq(t, `{"node":{"changes":[{"undone":true},{"undone":true}]}}`, string(a.Data))
	}, m.Settings(), harness.GenerousLimits)
}
