package integration

import (
	"encoding/json"
	"testing"

	"errand/internal/testclient"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

const (
	choiceFields = `id status choices { reference candidates { taskId number title reason } }`
	choiceStream = `subscription ($id: ID!, $after: Cursor) { messageStream(conversationId: $id, after: $after) {
		__typename cursor ... on MessageAdded { message { id toolCalls { ` + choiceFields + ` } } }
		... on ToolCallChanged { toolCall { ` + choiceFields + ` } }
		... on MessageFinished { message { id toolCalls { ` + choiceFields + ` } } } } }`
)

type choiceCall struct {
	ID, Status string
	Choices    []taskChoice
}

type taskChoice struct {
	Reference  string
	Candidates []struct {
		TaskID, Title, Reason string
		Number                int
	}
}

type choiceEvent struct {
	Kind     string `json:"__typename"`
	Cursor   string
	ToolCall choiceCall
	Message  struct {
		ID        string
		ToolCalls []choiceCall
	}
}

// followChoices returns the events of a conversation up to the end of a reply.
func followChoices(t *testing.T, c *testclient.Client, conversationID, after, messageID string) (all []choiceEvent) {
	t.Helper()
	vars := testclient.Vars{"id": conversationID}
	if after != "" {
		vars["after"] = after
	}
	sub := c.Dial(t).Subscribe(t, choiceStream, vars)
	for {
		payload, err := sub.Next(t.Context())
		require.NoError(t, err)
		var next struct {
			Data   struct{ MessageStream choiceEvent }
			Errors testclient.Errors
		}
		require.NoError(t, json.Unmarshal(payload, &next))
		require.Empty(t, next.Errors)
		all = append(all, next.Data.MessageStream)
		if e := all[len(all)-1]; e.Kind == "MessageFinished" && e.Message.ID == messageID {
			return all
		}
	}
}

func storedChoices(t *testing.T, c *testclient.Client, messageID string) []choiceCall {
	t.Helper()
	type data struct {
		Node struct{ ToolCalls []choiceCall }
	}
	return testclient.Run[data](t, c, `query ($id: ID!) { node(id: $id) { ... on Message {
		toolCalls { `+choiceFields+` } } } }`, testclient.Vars{"id": messageID}).Node.ToolCalls
}

// TestChoices_UncertainReference_AreStoredAndStreamed names a task by words that fit two, alone and beside a number.
func TestChoices_UncertainReference_AreStoredAndStreamed(t *testing.T) {
	m := scriptedCalls(t, "Which one?",
		harness.ToolCall{Name: "complete_task", Arguments: `{"task":"buy"}`},
		harness.ToolCall{Name: "complete_task", Arguments: `{"tasks":["3","buy","unicorn"]}`},
		harness.ToolCall{Name: "list_tasks", Arguments: `{}`},
	)
	harness.EachDatabase(t, func(t *testing.T, e *harness.Env) {
		c := e.Client(t, "alice")
		milk := harness.CreateTask(t, c, testclient.Vars{"title": "Buy milk"})
		bread := harness.CreateTask(t, c, testclient.Vars{"title": "Buy bread"})
		harness.CreateTask(t, c, testclient.Vars{"title": "Call mum"})
		turn := harness.Send(t, c, "", "complete the buy task")
		events := followChoices(t, c, turn.Conversation.ID, "", turn.AssistantMessage.ID)

		calls := storedChoices(t, c, turn.AssistantMessage.ID)
		require.Len(t, calls, 3)
		require.Equal(t, []string{"FAILED", "SUCCEEDED", "SUCCEEDED"},
			[]string{calls[0].Status, calls[1].Status, calls[2].Status})
		require.NotNil(t, calls[2].Choices)
		require.Empty(t, calls[2].Choices)
		for _, call := range calls[:2] {
			require.Len(t, call.Choices, 1, "a reference without any match has no choice")
			require.Equal(t, "buy", call.Choices[0].Reference)
			titles := map[string]string{}
			for _, candidate := range call.Choices[0].Candidates {
				require.NotEmpty(t, candidate.Reason)
				titles[candidate.TaskID] = candidate.Title
			}
			require.Equal(t, map[string]string{milk.ID: "Buy milk", bread.ID: "Buy bread"}, titles)
		}
		require.Equal(t, calls, events[len(events)-1].Message.ToolCalls)
		streamed := map[string]choiceCall{}
		for _, event := range events {
			if event.Kind != "ToolCallChanged" {
				continue
			}
			streamed[event.ToolCall.ID] = event.ToolCall
			if event.ToolCall.Status == "STARTED" {
				require.Empty(t, event.ToolCall.Choices)
			}
		}
		for _, call := range calls {
			require.Equal(t, call, streamed[call.ID])
		}
		resumed := followChoices(t, c, turn.Conversation.ID, events[0].Cursor, turn.AssistantMessage.ID)
		require.Equal(t, calls, resumed[len(resumed)-1].Message.ToolCalls)

		// A later change of a task does not change the stored titles. Tokens without the scope tasks:read do not get them.
		type none = map[string]any
		testclient.Run[none](t, c, `mutation ($id: ID!) { updateTask(input: {id: $id, title: "Sell milk"}) { task { id } } }`,
			testclient.Vars{"id": milk.ID})
		testclient.Run[none](t, c, `mutation ($id: ID!) { deleteTask(id: $id) { task { id } } }`,
			testclient.Vars{"id": bread.ID})
		require.Equal(t, calls, storedChoices(t, c, turn.AssistantMessage.ID))
		for _, call := range storedChoices(t, e.ClientWithScopes(t, "alice", "chat"), turn.AssistantMessage.ID) {
			require.Empty(t, call.Choices)
		}
		export := testclient.Run[struct{ ExportViewer map[string]json.RawMessage }](t, c, harness.ExportViewerDoc, nil)
		require.Contains(t, string(export.ExportViewer["toolCalls"]), `"choices":[{"reference":"buy","candidates":[{`)
	}, m.Settings(), harness.GenerousLimits)
}

func TestChoices_CallThatAwaitsApproval_KeepsThem(t *testing.T) {
	m := scriptedCalls(t, "Done.", harness.ToolCall{Name: "delete_task", Arguments: `{"tasks":["3","4","buy"]}`})
	harness.EachDatabase(t, func(t *testing.T, e *harness.Env) {
		c := e.Client(t, "alice")
		for _, title := range []string{"Buy milk", "Buy bread", "Call mum", "Call dad"} {
			harness.CreateTask(t, c, testclient.Vars{"title": title})
		}
		turn := harness.Send(t, c, "", "tidy up")
		events := followChoices(t, c, turn.Conversation.ID, "", turn.AssistantMessage.ID)
		calls := events[len(events)-1].Message.ToolCalls
		require.Len(t, calls, 1)
		require.Equal(t, "AWAITING_APPROVAL", calls[0].Status)
		require.Len(t, calls[0].Choices, 1)
		testclient.Run[decision](t, c, approveDoc, testclient.Vars{"ids": []string{calls[0].ID}})
		decided := storedChoices(t, c, turn.AssistantMessage.ID)
		require.Equal(t, "SUCCEEDED", decided[0].Status)
		require.Equal(t, calls[0].Choices, decided[0].Choices)
		require.Len(t, harness.AllTasks(t, c), 2)
	}, m.Settings(), harness.GenerousLimits)
}
