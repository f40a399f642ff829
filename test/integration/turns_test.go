package integration

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"errand/internal/llm/providertest"
	"errand/internal/testclient"

	"github.com/stretchr/testify/require"
)

// eachTurn sends one message to a server on each engine whose model follows a script, and
// gives the reply.
func eachTurn(
	t *testing.T,
	script func() func(a asked) providertest.Step,
	test func(t *testing.T, c *client, m *model, reply testclient.Message),
	more ...settings,
) {
	t.Helper()
	start := func(t *testing.T) *model { return scripted(t, script()) }
	eachScripted(t, start, func(t *testing.T, b *bench, m *model) {
		k := &talk{c: b.user(t, "alice")}
		reply := k.say(t, "Go")
		test(t, k.c, m, reply)
	}, more...)
}

// fixed is a script without memory.
func fixed(script func(a asked) providertest.Step) func() func(a asked) providertest.Step {
	return func() func(a asked) providertest.Step { return script }
}

func TestCallsOfOneStepAreDoneInOrder(t *testing.T) {
	eachTurn(t, fixed(func(a asked) providertest.Step {
		if len(a.results) == 0 {
			return useTools("Three at once.", addTask("One"), addTask("Two"), toolUse{"complete_task", `{"number":1}`})
		}
		return sayText("Done.")
	}), func(t *testing.T, c *client, m *model, reply testclient.Message) {
		require.Equal(t, "Three at once.\n\nDone.", reply.Content)
		require.Equal(t, []string{"One", "Two"}, titles(allTasks(t, c)))
		require.True(t, allTasks(t, c)[0].Completed)
		last := m.requests()[1]
		require.Len(t, last.results, 3, "each call has its result")
		require.Contains(t, last.results[1], `"Two"`)
		require.Contains(t, last.results[2], `"changed":true`)
	})
}

// TestWhatAToolRefusesGoesBackToTheModel as a result with a code, and nothing is done.
func TestWhatAToolRefusesGoesBackToTheModel(t *testing.T) {
	uses := []toolUse{
		{"add_task", `{}`},
		{"add_task", `{"title":""}`},
		{"add_task", `{"title":5}`},
		{"add_task", `{"title":"x","user_id":"user_x"}`},
		{"add_task", `{"title":"x","due_on":"2031-02-30"}`},
		{"add_task", `{"title":"x","due_on":"2031-01-01","due_at":"2031-01-01T10:00:00Z"}`},
		{"complete_task", `{"number":99}`},
		{"complete_task", `{"number":"1"}`},
		{"complete_task", `{"number":1.5}`},
		{"list_tasks", `{"limit":1000}`},
		{"drop_tables", `{}`},
		{"", `{}`},
	}
	codes := []string{
		"BAD_USER_INPUT", "BAD_USER_INPUT", "BAD_USER_INPUT", "BAD_USER_INPUT", "BAD_USER_INPUT", "BAD_USER_INPUT",
		"NOT_FOUND", "BAD_USER_INPUT", "BAD_USER_INPUT", "BAD_USER_INPUT", "NOT_FOUND", "NOT_FOUND",
	}
	eachTurn(t, fixed(func(a asked) providertest.Step {
		if len(a.results) == 0 {
			return useTools("I try.", uses[:len(uses)-1]...)
		}
		return sayText("That did not work.")
	}), func(t *testing.T, c *client, m *model, reply testclient.Message) {
		require.Equal(t, "COMPLETED", reply.Status)
		require.Len(t, reply.ToolCalls, len(uses)-1)
		for i, call := range reply.ToolCalls {
			require.Equal(t, "FAILED", call.Status, "%s %s", call.Name, call.Arguments)
			require.Contains(t, string(call.Result), `"code":"`+codes[i]+`"`, "%s", uses[i].arguments)
			require.Contains(t, m.requests()[1].results[i], codes[i])
		}
		require.Empty(t, allTasks(t, c))
	})
}

func TestATurnHasALimitOfSteps(t *testing.T) {
	eachTurn(t, fixed(func(asked) providertest.Step { return useTools("", toolUse{"list_tasks", "{}"}) }),
		func(t *testing.T, _ *client, m *model, reply testclient.Message) {
			require.Equal(t, "FAILED", reply.Status)
			require.Equal(t, "COMPLEXITY_LIMIT_EXCEEDED", reply.Error.Code)
			all := m.requests()
			require.Len(t, all, 3)
			require.True(t, all[1].offered)
			require.False(t, all[2].offered, "in its last step it must answer")
		}, settings{"TURN_MAX_STEPS": "3"})
}

func TestATurnHasALimitOfToolCalls(t *testing.T) {
	eachTurn(t, fixed(func(a asked) providertest.Step {
		if !a.offered {
			return sayText("Enough.")
		}
		var uses []toolUse
		for i := range 3 {
			uses = append(uses, addTask(fmt.Sprint("task ", len(a.results)+i)))
		}
		return useTools("", uses...)
	}), func(t *testing.T, c *client, m *model, reply testclient.Message) {
		require.Equal(t, "COMPLETED", reply.Status)
		require.Equal(t, "Enough.", strings.TrimSpace(reply.Content))
		require.Len(t, allTasks(t, c), 5)
		require.Len(t, reply.ToolCalls, 6)
		require.Equal(t, "FAILED", reply.ToolCalls[5].Status)
		require.Contains(t, string(reply.ToolCalls[5].Result), "RATE_LIMITED")
	}, settings{"TURN_MAX_TOOL_CALLS": "5"})
}

func TestATurnHasALimitOfTime(t *testing.T) {
	eachTurn(t, fixed(func(asked) providertest.Step { return providertest.StreamThenHang(textFrames("I think", " and think")...) }),
		func(t *testing.T, _ *client, _ *model, reply testclient.Message) {
			require.Equal(t, "FAILED", reply.Status)
			require.Equal(t, "COMPLEXITY_LIMIT_EXCEEDED", reply.Error.Code)
			require.Equal(t, "I think and think", reply.Content)
		}, settings{"TURN_TIMEOUT": "1s"})
}

// TestAModelThatFailsIsAskedAgain: what an earlier attempt did stays, its unfinished text goes.
func TestAModelThatFailsIsAskedAgain(t *testing.T) {
	eachTurn(t, func() func(a asked) providertest.Step {
		var asks atomic.Int32
		return func(a asked) providertest.Step {
			switch asks.Add(1) {
			case 1:
				return providertest.Stream(textFrames("Half an ans")...)
			case 2:
				return useTools("First.", addTask("Once"))
			case 3:
				return providertest.StreamThenReset(textFrames("Second, bro")...)
			default:
				return sayText("Done.")
			}
		}
	}, func(t *testing.T, c *client, m *model, reply testclient.Message) {
		require.Equal(t, "COMPLETED", reply.Status)
		require.Equal(t, "First.\n\nDone.", reply.Content)
		require.Equal(t, []string{"Once"}, titles(allTasks(t, c)))
		require.Len(t, m.requests(), 4)
	})
}

// TestAModelThatSaysNothingIsAskedAgain: an empty reply helps nobody.
func TestAModelThatSaysNothingIsAskedAgain(t *testing.T) {
	eachTurn(t, func() func(a asked) providertest.Step {
		var asks atomic.Int32
		return func(a asked) providertest.Step {
			switch asks.Add(1) {
			case 1:
				return useTools("", addTask("Once"))
			case 2:
				return sayText()
			default:
				return sayText("It is there.")
			}
		}
	}, func(t *testing.T, c *client, m *model, reply testclient.Message) {
		require.Equal(t, "COMPLETED", reply.Status)
		require.Equal(t, "It is there.", reply.Content)
		require.Equal(t, []string{"Once"}, titles(allTasks(t, c)))
		require.Len(t, m.requests(), 3)
	})
}

// TestTheNextTurnKnowsWhatTheLastOneDid: text, calls and results, of this conversation alone.
func TestTheNextTurnKnowsWhatTheLastOneDid(t *testing.T) {
	eachScripted(t, func(t *testing.T) *model {
		return scripted(t, func(a asked) providertest.Step {
			if a.said == "Go" && len(a.results) == 0 {
				return useTools("On it.", addTask("Remembered"))
			}
			return sayText("Yes.")
		})
	}, func(t *testing.T, b *bench, m *model) {
		k := &talk{c: b.user(t, "alice")}
		k.say(t, "Go")
		k.say(t, "And?")
		all := m.requests()
		body := all[len(all)-1].body
		for _, part := range []string{`"role":"system"`, "Current time: ", "(UTC)", "On it.", `\"title\":\"Remembered\"`, `"tool_call_id"`, "Yes.", "And?"} {
			require.Contains(t, body, part)
		}
		require.Equal(t, 1, strings.Count(body, `"role":"system"`))
		(&talk{c: k.c}).say(t, "New talk")
		all = m.requests()
		require.NotContains(t, all[len(all)-1].body, "Remembered", "another conversation is another history")
	})
}
