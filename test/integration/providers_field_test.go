package integration

import (
	"strings"
	"testing"
	"time"

	"errand/internal/doctor"
	"errand/internal/llm/providertest"
	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// TestReply_ToolCallsOfTheField_AreExecuted lets the model call tools with the names and arguments that models and
// servers are known to send.
func TestReply_ToolCallsOfTheField_AreExecuted(t *testing.T) {
	t.Parallel()
	calls := []harness.ToolCall{
		{Name: "functions.add_task", Arguments: `{"title":"One"}`},
		{Name: "add_task<|channel|>commentary", Arguments: "```json\n{\"title\":\"Two\",}\n```"},
		{Name: "default_api.add_task", Arguments: `"{\"title\":\"Three\"}"`},
		{Name: "add-task", Arguments: `{}{"title":"Four"}`},
		{Name: "addTask", Arguments: `{"title":"Five"}{"title":"Five"}`},
	}
	eachProvider(t, func(t *testing.T, url, provider string) {
		t.Helper()
		m := harness.StartModel(t, func(a harness.ModelRequest) providertest.Step {
			if n := len(a.ToolResults); n < len(calls) {
				return harness.ToolCallResponse("", calls[n])
			}
			return harness.TextResponse("Five tasks are there.")
		})
		m.Provider = provider
		b := harness.Start(t, url, m.Settings())
		conversation := &harness.Conversation{Client: b.Client(t, "alice")}
		reply := conversation.SendAndWait(t, "Add five tasks")
		require.Equal(t, "COMPLETED", reply.Status)
		require.Len(t, reply.ToolCalls, len(calls))
		for i, title := range []string{"One", "Two", "Three", "Four", "Five"} {
			require.Equal(t, "add_task", reply.ToolCalls[i].Name)
			require.Equal(t, "SUCCEEDED", reply.ToolCalls[i].Status, "%s", reply.ToolCalls[i].Result)
			require.JSONEq(t, `{"title":"`+title+`"}`, string(reply.ToolCalls[i].Arguments))
		}
	})
}

// TestReply_UnusableToolCall_FailsAndIsReported lets the model make calls that mean nothing: it reads why and replies.
func TestReply_UnusableToolCall_FailsAndIsReported(t *testing.T) {
	t.Parallel()
	eachProvider(t, func(t *testing.T, url, provider string) {
		t.Helper()
		m := harness.StartModel(t, func(a harness.ModelRequest) providertest.Step {
			switch len(a.ToolResults) {
			case 0:
				return harness.ToolCallResponse("On it. ",
					harness.ToolCall{Name: "add_task", Arguments: `{"title":"Half`},
					harness.ToolCall{Name: "launch a rocket <now>", Arguments: `{}`})
			case 2:
				return harness.ToolCallResponse("", harness.AddTaskCall("Whole"))
			default:
				return harness.TextResponse("Added.")
			}
		})
		m.Provider = provider
		b := harness.Start(t, url, m.Settings())
		conversation := &harness.Conversation{Client: b.Client(t, "alice")}
		reply := conversation.SendAndWait(t, "Add a task")
		require.Equal(t, "COMPLETED", reply.Status)
		require.Len(t, reply.ToolCalls, 3)
		require.Equal(t, []string{"FAILED", "FAILED", "SUCCEEDED"},
			[]string{reply.ToolCalls[0].Status, reply.ToolCalls[1].Status, reply.ToolCalls[2].Status})
		results := m.Requests()[1].ToolResults
		require.Len(t, results, 2)
		require.Contains(t, results[0], "BAD_USER_INPUT")
		require.Contains(t, results[1], "The tools are:")
		require.Equal(t, "COMPLETED", conversation.SendAndWait(t, "And?").Status, "the conversation goes on")
	})
}

// TestReply_ReasoningInText_IsNowhere checks that reasoning in the text of a response reaches neither the reply nor its
// title, its summary or a later prompt.
func TestReply_ReasoningInText_IsNowhere(t *testing.T) {
	t.Parallel()
	for name, said := range map[string][]string{
		"tags":                {"<th", "ink>PLANTED", " secret", "</thi", "nk>\n\n", "Very well."},
		"closing tag only":    {"Okay, the user wants PLANTED food.", "\n</think>\n\n", "Very well."},
		"closing tag unknown": {"Food PLANTED is wanted.", "\n</think>\n\n", "Very well."},
		"gpt-oss": {
			"<|channel|>analysis<|message|>PLANTED<|end|>", "<|start|>assistant<|channel|>final<|message|>",
			"Very well.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			eachProvider(t, func(t *testing.T, url, provider string) {
				t.Helper()
				m := harness.StartModel(t, func(harness.ModelRequest) providertest.Step { return harness.TextResponse(said...) })
				m.Provider = provider
				b := harness.Start(t, url, m.Settings(), harness.Settings{"LLM_TITLES": "true"})
				conversation := &harness.Conversation{Client: b.Client(t, "alice")}
				reply := conversation.SendAndWait(t, "I need food")
				require.Equal(t, "COMPLETED", reply.Status)
				require.Equal(t, "Very well.", reply.Content)
				require.Eventually(
					t,
					func() bool { return titleOf(t, conversation) == "Very well" },
					testclient.Timeout,
					5*time.Millisecond,
				)
				require.Equal(t, "Very well.", conversation.SendAndWait(t, "And drinks").Content)
				for _, r := range m.Requests() {
					require.NotContains(t, r.Body, "PLANTED")
				}
			})
		})
	}
}

// TestReply_ToolCallAsText_IsExecuted lets the model write its tool call as text, alone and beside other text.
func TestReply_ToolCallAsText_IsExecuted(t *testing.T) {
	t.Parallel()
	const call = `{"name": "add_task", "arguments": {"title": "Milk"}}`
	for name, said := range map[string][]string{
		"Hermes":         {"<tool_call>\n", call, "\n</tool_call>"},
		"Mistral":        {"[TOOL_", "CALLS] [", call, "]"},
		"bare":           {call[:7], call[7:]},
		"fenced":         {"```", "json\n", call, "\n```"},
		"in a sentence":  {"On it.\n\n", "<tool_call>", call, "</tool_call>"},
		"after thinking": {"<think>I add it.</think>", "<tool_call>", call, "</tool_call>"},
	} {
		t.Run(name, func(t *testing.T) {
			eachProvider(t, func(t *testing.T, url, provider string) {
				t.Helper()
				m := harness.StartModel(t, func(a harness.ModelRequest) providertest.Step {
					switch {
					case len(a.ToolResults) > 0:
						return harness.TextResponse("Milk is on the list.")
					case strings.Contains(a.UserMessage, "tool call as text"):
						return harness.ToolCallResponse("", harness.AddTaskCall("Milk"))
					default:
						return harness.TextResponse(said...)
					}
				})
				m.Provider = provider
				b := harness.Start(t, url, m.Settings())
				conversation := &harness.Conversation{Client: b.Client(t, "alice")}
				reply := conversation.SendAndWait(t, "Add milk")
				require.Equal(t, "COMPLETED", reply.Status)
				require.Len(t, reply.ToolCalls, 1)
				require.Equal(t, "SUCCEEDED", reply.ToolCalls[0].Status)
				require.NotContains(t, reply.Content, "add_task")
				require.NotContains(t, reply.Content, "tool_call")
				require.Contains(t, reply.Content, "Milk is on the list.")
				require.Equal(t, "COMPLETED", conversation.SendAndWait(t, "And?").Status)
			})
		})
	}
}

// TestDoctor_ToolCallsAsText_NamesServerSetting checks that the doctor names the setting of the model's server.
func TestDoctor_ToolCallsAsText_NamesServerSetting(t *testing.T) {
	t.Parallel()
	for _, said := range []string{
		`<tool_call>{"name":"list_tasks","arguments":{}}</tool_call>`,
		"Hello.\n<tool_call>{\"name\":\"list_tasks\",\"arguments\":{}}</tool_call>",
	} {
		m := harness.StartModel(t, func(harness.ModelRequest) providertest.Step { return harness.TextResponse(said) })
		table, _ := runDoctor(t, healthySettings(testdb.SQLiteURL(t), m.Settings()))
		require.Regexp(t, tableRow("model", doctor.Warning, "writes tool calls as text"), table)
		require.Contains(t, table, "--enable-auto-tool-choice and --tool-call-parser")
		require.Contains(t, table, "--jinja")
	}
}

// TestReply_OptionalMemberRejected_IsSentWithout lets the provider reject stream_options: replies come without it.
func TestReply_OptionalMemberRejected_IsSentWithout(t *testing.T) {
	t.Parallel()
	m := harness.StartModel(t, func(a harness.ModelRequest) providertest.Step {
		if strings.Contains(a.Body, `"stream_options"`) {
			return providertest.JSON(400, `{"error":{"message":"Unrecognized request argument supplied: stream_options"}}`)
		}
		return harness.TextResponse("Very well.")
	})
	b := harness.Start(t, testdb.SQLiteURL(t), m.Settings())
	conversation := &harness.Conversation{Client: b.Client(t, "alice")}
	for range 2 {
		require.Equal(t, "Very well.", conversation.SendAndWait(t, "Hello").Content)
	}
	require.Len(t, m.Requests(), 3, "the rejection is remembered")
}
