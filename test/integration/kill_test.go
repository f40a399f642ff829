package integration

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"errand/internal/llm/providertest"
	"errand/internal/testclient"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// The scripted model's output in a killed turn: one step
// with two tool calls, then the final text.
const (
	planText   = "I add both. 🦊"
	answerText = "Both are there: 🦊🦊, first and second."
)

// killPoint is a point in a turn at which the server is killed.
type killPoint struct {
	name string
	// stall, when set, is the model's first answer to the step with that many tool results.
	stall   providertest.Step
	results int
	// fault, when set, prevents the server from passing the point.
	fault statementFault
	// shown is the text that the subscriber must have received before.
	shown string
	// planned reports whether the first step was recorded and must not be requested again.
	planned bool
}

var killPoints = []killPoint{
	{name: "before the first byte", stall: providertest.Hang()},
	{name: "in the first text", stall: providertest.StreamThenHang(harness.TextFrames("I add")...), shown: "I add"},
	{name: "inside the arguments of a call", shown: planText, stall: providertest.StreamThenHang(
		append(harness.ToolCallFrames(planText, harness.AddTaskCall("First")), harness.ToolCallFrames("",
			harness.ToolCall{Name: "add_task", Arguments: `{"title":"Se`})...)...)},
	{
		name:  "with the answer complete and nothing recorded",
		shown: planText,
		fault: statementFault{event: "INSERT ON tool_calls"},
	},
	{
		name:    "with the calls recorded and none done",
		shown:   planText,
		planned: true,
		fault:   statementFault{event: "INSERT ON tasks"},
	},
	{
		name: "with an effect done and its result not committed", planned: true,
		fault: statementFault{event: "UPDATE ON tool_calls", when: "NEW.status = 'SUCCEEDED'"},
	},
	{
		name:    "between two calls of one step",
		planned: true,
		fault:   statementFault{event: "INSERT ON tasks", when: "NEW.title = 'Second'"},
	},
	{name: "between the results and the next step", stall: providertest.Hang(), results: 2, planned: true},
	{
		name: "in the last text", stall: providertest.StreamThenHang(harness.TextFrames("Both are there: 🦊")...),
		results: 2, planned: true,
		shown: planText + "\n\nBoth are there: 🦊",
	},
	{
		name: "with the complete text uncommitted", planned: true, shown: planText + "\n\n" + answerText,
		fault: statementFault{event: "UPDATE ON messages", when: "NEW.status = 'COMPLETED'"},
	},
}

// model is the scripted one that stalls at the point, once.
func (p killPoint) model(t *testing.T) *harness.Model {
	var stalled atomic.Bool
	return harness.StartModel(t, func(a harness.ModelRequest) providertest.Step {
		switch {
		case p.stall != nil && len(a.ToolResults) == p.results && !stalled.Swap(true):
			return p.stall
		case len(a.ToolResults) == 0:
			return harness.ToolCallResponse(planText, harness.AddTaskCall("First"), harness.AddTaskCall("Second"))
		default:
			return harness.TextResponse("Both are there: 🦊", "🦊, first", " and second.")
		}
	})
}

func TestKill_ReplyInProgress_NextServerFinishesIt(t *testing.T) {
	t.Parallel()
	for _, p := range killPoints {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			eachProvider(t, p.run)
		})
	}
}

func (p killPoint) run(t *testing.T, url, provider string) {
	m := p.model(t)
	m.Provider = provider
	environ := []harness.Settings{m.Settings(), {"RUN_LEASE": "1s", "RUN_MAX_ATTEMPTS": "20"}}
	repair := func() {}
	if p.fault.event != "" {
		repair = p.fault.install(t, url)
	}
	server := harness.StartProcess(t, url, environ...)
	c := server.Client("alice")
	turn := harness.Send(t, c, "", "Add first and second")
	before := c.Dial(t).Follow(t, turn.Conversation.ID, "")
	p.waitUntilReached(t, server, m, before, turn.AssistantMessage.ID)
	server.Kill()
	earlier := len(m.Requests())
	repair()
	drainEvents(t, before)

	server = harness.StartProcess(t, url, environ...)
	c = server.Client("alice")
	after := c.Dial(t).ResumeAt(t, turn.Conversation.ID, before, len(before.Events))
	reply := after.AwaitFinished(t, turn.AssistantMessage.ID)
	require.Equal(t, "COMPLETED", reply.Status)
	require.Equal(t, planText+"\n\n"+answerText, reply.Content)
	require.Equal(t, harness.StoredMessage(t, c, reply.ID), reply)
	requireEffectsOnce(t, c, reply)
	kept := storedReceipt(t, c, reply.ID)
	require.Equal(t, []string{"CREATED", "CREATED"}, kept.kinds())
	requireConsistent(t, kept)
	if p.planned {
		for _, a := range m.Requests()[earlier:] {
			require.NotEmpty(t, a.ToolResults, "recorded steps must not be requested again")
		}
	}

	fresh := c.Dial(t).Follow(t, turn.Conversation.ID, "")
	require.Equal(t, reply, fresh.AwaitFinished(t, reply.ID))
}

// waitUntilReached waits until the server has reached the point.
func (p killPoint) waitUntilReached(t *testing.T, server *harness.Process, m *harness.Model, s *testclient.Stream,
	reply string,
) {
	t.Helper()
	s.UntilText(t, reply, func(text string) bool { return strings.HasPrefix(text, p.shown) })
	if p.fault.event != "" {
		// On a busy machine an attempt can lose its lease before it reaches the point.
		for server.WaitForLog("run attempt ended")["end"] != "retried" {
		}
		return
	}
	m.WaitForRequest(t, func(a harness.ModelRequest) bool { return len(a.ToolResults) == p.results })
}

// drainEvents reads the events that a killed server sent before it exited.
func drainEvents(t *testing.T, s *testclient.Stream) {
	t.Helper()
	for {
		if _, err := s.TryNextEvent(context.Background()); err != nil {
			require.NotContains(t, err.Error(), "testclient", "a dead server's socket must end")
			return
		}
	}
}

func requireEffectsOnce(t *testing.T, c *testclient.Client, reply testclient.Message) {
	t.Helper()
	require.Equal(t, []string{"First", "Second"}, harness.Titles(harness.AllTasks(t, c)))
	for number := 1; number <= 2; number++ {
		changes := harness.ListChanges(t, c, number).Changes
		require.Equal(t, 1, changes.TotalCount)
		require.Equal(t, "CREATED", changes.Nodes[0].Kind)
		require.Equal(t, reply.ToolCalls[number-1].ID, changes.Nodes[0].ToolCall.ID)
	}
	require.Len(t, reply.ToolCalls, 2)
	for _, call := range reply.ToolCalls {
		require.Equal(t, "SUCCEEDED", call.Status)
		require.Equal(t, 14, call.Offset, "after the first text, in UTF-16 units")
	}
}
