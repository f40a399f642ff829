package integration

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"errand/internal/llm/providertest"
	"errand/internal/testclient"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// eachTurnScript sends one message to a server on each database engine with a scripted model, and passes the
// reply to the test.
func eachTurnScript(
	t *testing.T,
	script func() func(a harness.ModelRequest) providertest.Step,
	test func(t *testing.T, c *testclient.Client, m *harness.Model, reply testclient.Message),
	more ...harness.Settings,
) {
	t.Helper()
	start := func(t *testing.T) *harness.Model { return harness.StartModel(t, script()) }
	eachScriptedModel(t, start, func(t *testing.T, b *harness.Env, m *harness.Model) {
		conversation := &harness.Conversation{Client: b.Client(t, "alice")}
		reply := conversation.SendAndWait(t, "Go")
		test(t, conversation.Client, m, reply)
	}, more...)
}

// fixedScript returns a stateless script.
func fixedScript(
	script func(a harness.ModelRequest) providertest.Step,
) func() func(a harness.ModelRequest) providertest.Step {
	return func() func(a harness.ModelRequest) providertest.Step { return script }
}

func TestTurn_SeveralToolCalls_RunInOrder(t *testing.T) {
	eachTurnScript(t, fixedScript(func(a harness.ModelRequest) providertest.Step {
		if len(a.ToolResults) == 0 {
			return harness.ToolCallResponse("Three at once.", harness.AddTaskCall("One"), harness.AddTaskCall("Two"),
				harness.ToolCall{Name: "complete_task", Arguments: `{"number":1}`})
		}
		return harness.TextResponse("Done.")
	}), func(t *testing.T, c *testclient.Client, m *harness.Model, reply testclient.Message) {
		require.Equal(t, "Three at once.\n\nDone.", reply.Content)
		require.Equal(t, []string{"One", "Two"}, harness.Titles(harness.AllTasks(t, c)))
		require.True(t, harness.AllTasks(t, c)[0].Completed)
		last := m.Requests()[1]
		require.Len(t, last.ToolResults, 3, "each call has its result")
		require.Contains(t, last.ToolResults[1], `"Two"`)
		require.Contains(t, last.ToolResults[2], `"changed":true`)
	})
}

// TestTurn_ToolError_IsReturnedToModel checks that a failing tool call returns a result with an error code
// and changes nothing.
func TestTurn_ToolError_IsReturnedToModel(t *testing.T) {
	uses := []harness.ToolCall{
		{Name: "add_task", Arguments: `{}`},
		{Name: "add_task", Arguments: `{"title":""}`},
		{Name: "add_task", Arguments: `{"title":{"text":"x"}}`},
		{Name: "add_task", Arguments: `{"title":"x","user_id":"user_x"}`},
		{Name: "add_task", Arguments: `{"title":"x","due_on":"2031-02-30"}`},
		{Name: "add_task", Arguments: `{"title":"x","due_on":"2031-01-01","due_at":"2031-01-01T10:00:00Z"}`},
		{Name: "complete_task", Arguments: `{"number":99}`},
		{Name: "complete_task", Arguments: `{"number":"first"}`},
		{Name: "complete_task", Arguments: `{"number":1.5}`},
		{Name: "list_tasks", Arguments: `{"limit":1000}`},
		{Name: "drop_tables", Arguments: `{}`},
		{Name: "", Arguments: `{}`},
	}
	codes := []string{
		"BAD_USER_INPUT", "BAD_USER_INPUT", "BAD_USER_INPUT", "BAD_USER_INPUT", "BAD_USER_INPUT", "BAD_USER_INPUT",
		"NOT_FOUND", "BAD_USER_INPUT", "BAD_USER_INPUT", "BAD_USER_INPUT", "NOT_FOUND", "NOT_FOUND",
	}
	eachTurnScript(t, fixedScript(func(a harness.ModelRequest) providertest.Step {
		if len(a.ToolResults) == 0 {
			return harness.ToolCallResponse("I try.", uses[:len(uses)-1]...)
		}
		return harness.TextResponse("That did not work.")
	}), func(t *testing.T, c *testclient.Client, m *harness.Model, reply testclient.Message) {
		require.Equal(t, "COMPLETED", reply.Status)
		require.Len(t, reply.ToolCalls, len(uses)-1)
		for i, call := range reply.ToolCalls {
			require.Equal(t, "FAILED", call.Status, "%s %s", call.Name, call.Arguments)
			require.Contains(t, string(call.Result), `"code":"`+codes[i]+`"`, "%s", uses[i].Arguments)
			require.Contains(t, m.Requests()[1].ToolResults[i], codes[i])
		}
		require.Empty(t, harness.AllTasks(t, c))
	})
}

func TestTurn_StepLimit_Fails(t *testing.T) {
	eachTurnScript(t, fixedScript(func(harness.ModelRequest) providertest.Step {
		return harness.ToolCallResponse("", harness.ToolCall{Name: "list_tasks", Arguments: "{}"})
	}),
		func(t *testing.T, _ *testclient.Client, m *harness.Model, reply testclient.Message) {
			require.Equal(t, "FAILED", reply.Status)
			require.Equal(t, "COMPLEXITY_LIMIT_EXCEEDED", reply.Error.Code)
			all := m.Requests()
			require.Len(t, all, 3)
			require.True(t, all[1].ToolsOffered)
			require.False(t, all[2].ToolsOffered, "in its last step it must answer")
		}, harness.Settings{"TURN_MAX_STEPS": "3"})
}

func TestTurn_ToolCallLimit_Fails(t *testing.T) {
	eachTurnScript(t, fixedScript(func(a harness.ModelRequest) providertest.Step {
		if !a.ToolsOffered {
			return harness.TextResponse("Enough.")
		}
		var uses []harness.ToolCall
		for i := range 3 {
			uses = append(uses, harness.AddTaskCall(fmt.Sprint("task ", len(a.ToolResults)+i)))
		}
		return harness.ToolCallResponse("", uses...)
	}), func(t *testing.T, c *testclient.Client, m *harness.Model, reply testclient.Message) {
		require.Equal(t, "COMPLETED", reply.Status)
		require.Equal(t, "Enough.", strings.TrimSpace(reply.Content))
		require.Len(t, harness.AllTasks(t, c), 5)
		require.Len(t, reply.ToolCalls, 6)
		require.Equal(t, "FAILED", reply.ToolCalls[5].Status)
		require.Contains(t, string(reply.ToolCalls[5].Result), "RATE_LIMITED")
	}, harness.Settings{"TURN_MAX_TOOL_CALLS": "5"})
}

func TestTurn_TimeLimit_Fails(t *testing.T) {
	eachTurnScript(t, fixedScript(func(harness.ModelRequest) providertest.Step {
		return providertest.StreamThenHang(harness.TextFrames("I think", " and think")...)
	}),
		func(t *testing.T, _ *testclient.Client, _ *harness.Model, reply testclient.Message) {
			require.Equal(t, "FAILED", reply.Status)
			require.Equal(t, "COMPLEXITY_LIMIT_EXCEEDED", reply.Error.Code)
			require.Equal(t, "I think and think", reply.Content)
		}, harness.Settings{"TURN_TIMEOUT": "5s"})
}

// TestTurn_ModelError_IsRetried checks that a retry keeps the effects of an earlier attempt and discards its
// unfinished text.
func TestTurn_ModelError_IsRetried(t *testing.T) {
	eachTurnScript(t, func() func(a harness.ModelRequest) providertest.Step {
		var asks atomic.Int32
		return func(a harness.ModelRequest) providertest.Step {
			switch asks.Add(1) {
			case 1:
				return providertest.Stream(harness.TextFrames("Half an ans")...)
			case 2:
				return harness.ToolCallResponse("First.", harness.AddTaskCall("Once"))
			case 3:
				return providertest.StreamThenReset(harness.TextFrames("Second, bro")...)
			default:
				return harness.TextResponse("Done.")
			}
		}
	}, func(t *testing.T, c *testclient.Client, m *harness.Model, reply testclient.Message) {
		require.Equal(t, "COMPLETED", reply.Status)
		require.Equal(t, "First.\n\nDone.", reply.Content)
		require.Equal(t, []string{"Once"}, harness.Titles(harness.AllTasks(t, c)))
		require.Len(t, m.Requests(), 4)
	})
}

// TestTurn_EmptyResponseAfterRead_IsAskedAgain checks that an empty model response is asked for once more if the turn
// has changed nothing that its receipt could name.
func TestTurn_EmptyResponseAfterRead_IsAskedAgain(t *testing.T) {
	eachTurnScript(t, func() func(a harness.ModelRequest) providertest.Step {
		var asks atomic.Int32
		return func(a harness.ModelRequest) providertest.Step {
			switch asks.Add(1) {
			case 1:
				return harness.ToolCallResponse("", harness.ToolCall{Name: "list_tasks", Arguments: "{}"})
			case 2:
				return harness.TextResponse()
			default:
				return harness.TextResponse("There are none.")
			}
		}
	}, func(t *testing.T, c *testclient.Client, m *harness.Model, reply testclient.Message) {
		require.Equal(t, "COMPLETED", reply.Status)
		require.Equal(t, "There are none.", reply.Content)
		require.Empty(t, harness.AllTasks(t, c))
		require.Len(t, m.Requests(), 3)
	})
}

// TestTurn_Next_ReceivesPreviousToolCalls checks that the next model request contains the text, calls and
// results of this conversation only.
func TestTurn_Next_ReceivesPreviousToolCalls(t *testing.T) {
	eachScriptedModel(t, func(t *testing.T) *harness.Model {
		return harness.StartModel(t, func(a harness.ModelRequest) providertest.Step {
			if a.UserMessage == "Go" && len(a.ToolResults) == 0 {
				return harness.ToolCallResponse("On it.", harness.AddTaskCall("Remembered"))
			}
			return harness.TextResponse("Yes.")
		})
	}, func(t *testing.T, b *harness.Env, m *harness.Model) {
		conversation := &harness.Conversation{Client: b.Client(t, "alice")}
		conversation.SendAndWait(t, "Go")
		conversation.SendAndWait(t, "And?")
		all := m.Requests()
		body := all[len(all)-1].Body
		for _, part := range []string{
			`"role":"system"`, "Current time: ", "(UTC)", "On it.", `\"title\":\"Remembered\"`,
			`"tool_call_id"`, "Yes.", "And?",
		} {
			require.Contains(t, body, part)
		}
		require.Equal(t, 1, strings.Count(body, `"role":"system"`))
		(&harness.Conversation{Client: conversation.Client}).SendAndWait(t, "New talk")
		all = m.Requests()
		require.NotContains(t, all[len(all)-1].Body, "Remembered", "another conversation is another history")
	})
}
