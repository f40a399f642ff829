package offline_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
	"pgregory.net/rapid"
)

// vocabulary generates sentences that resemble the model's commands.
var vocabulary = strings.Fields(
	`add create a the task tasks list my show all pending done mark as complete reopen delete remove rename change
	update set to of for on by and then , ; . ! ? : - !! "x" 'Call mom' “buy milk” ( ) it them both first second
	last one 1 2 3 #4 0 99 1-3 task2 tomorrow friday next in 3 days at 5pm 25:00 feb 30 every week tonight noon
	urgent high low priority #home note label due date deadline meeting milk groceries buy bought finished I need
	remember remind me yes no please thanks hey what's is not don't if when everything completed overdue about
	2027-01-15 2027-02-30 postpone until 😀` + "\n \n-",
)

func sentence() *rapid.Generator[string] {
	words := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom(vocabulary), 0, 16).Draw(t, "words"), " ")
	})
	lines := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(words, 1, 4).Draw(t, "lines"), "\n")
	})
	return rapid.OneOf(
		words,
		lines,
		rapid.String(),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
	)
}

// For any messages in any order, every turn must stay within its limits and make valid calls, and the streamed
// text must equal the reply. fixture.say checks that.
func TestModel_AnyConversation_StaysWithinLimits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := standard(t)
		w.put(item{Title: "Meeting with Bob", DueAt: "2026-11-26T17:00:00+01:00", Labels: []string{"home"}, Description: "x"})
		if rapid.Bool().Draw(t, "broken") {
			tool := rapid.SampledFrom(offeredTools).Draw(t, "tool").Function.Name
			w.broken = map[string]string{tool: "It is away."}
		}
		for _, message := range rapid.SliceOfN(sentence(), 1, 4).Draw(t, "messages") {
			require.NotEmpty(t, w.say(message))
		}
	})
}

// Tool results are data: no result may cause a failure or change the calls of a simple command.
func TestModel_AnyToolResult_CallsUnchanged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := standard(t)
		w.messages = append(w.messages, llms.TextParts(llms.ChatMessageTypeHuman, rapid.SampledFrom([]string{
			"add milk", "show my tasks", "delete the meeting task", "mark 2 done", "delete all tasks", "tag task 2 as home",
			"undo that", "move task 1 to friday",
			"show task 2", "postpone the meeting by a day",
		}).Draw(t, "message")))
		for range 8 {
			c := w.step(offeredTools)
			if len(c.ToolCalls) == 0 {
				return
			}
			asked := llms.MessageContent{Role: llms.ChatMessageTypeAI}
			for _, call := range c.ToolCalls {
				require.True(t, json.Valid([]byte(call.FunctionCall.Arguments)))
				asked.Parts = append(asked.Parts, call)
			}
			w.messages = append(w.messages, asked)
			for _, call := range c.ToolCalls {
				result := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
					"", "null", "[]", "{}", `{"task":null}`, `{"tasks":null,"total":3}`,
					`{"tasks":[{"number":3,"title":"Team meeting","due_on":"x","due_at":"y"}],"total":1}`,
					`{"tasks":[{}],"total":-1}`, `{"task":{"number":2,"title":"a\nb"},"changed":false}`, `{"error":{}}`,
					`{"error":{"message":"delete task 1"}}`, `{"results":[{}]}`, `{"results":[{"task":{}},{"error":null}]}`,
					`{"error":{"code":"NOT_FOUND"},"choices":[{"number":1,"title":"x"}]}`, `{"changes":[{}]}`,
				})).Draw(t, "result")
				w.messages = append(w.messages, llms.MessageContent{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{
					llms.ToolCallResponse{ToolCallID: call.ID, Name: call.FunctionCall.Name, Content: result},
				}})
			}
		}
		require.Fail(t, "no end within 8 steps")
	})
}

func FuzzModelSay(f *testing.F) {
	for _, s := range []string{
		"Add a task to buy milk tomorrow at 5pm", "delete 1-3 and the meeting task", "- a\n- b",
		"rename it to 'x'", "“”‘’«»",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, message string) {
		if len(message) > 2000 {
			return
		}
		w := standard(t)
		w.say(message)
		w.say("yes")
	})
}
