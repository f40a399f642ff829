package integration

import (
	"strings"
	"testing"
	"unicode/utf16"

	"errand/internal/llm/providertest"
	"errand/internal/testclient"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// endedStep streams text and ends with the finish reason.
func endedStep(reason string, pieces ...string) providertest.Step {
	return providertest.Stream(append(harness.TextFrames(pieces...),
		harness.ChunkFrame(map[string]any{}, reason), harness.UsageFrame, harness.DoneFrame)...)
}

// cutCallStep begins a tool call, which the token limit cuts.
func cutCallStep() providertest.Step {
	frames := harness.ToolCallFrames("", harness.ToolCall{Name: "add_task", Arguments: `{"title":"Buy mi`})
	return providertest.Stream(append(frames, harness.ChunkFrame(map[string]any{}, "length"), harness.UsageFrame,
		harness.DoneFrame)...)
}

// scriptedSteps answers the requests of each message in the order of its steps, the last one for all further requests.
func scriptedSteps(steps map[string][]providertest.Step) func(t *testing.T) *harness.Model {
	return func(t *testing.T) *harness.Model {
		var m *harness.Model
		m = harness.StartModel(t, func(r harness.ModelRequest) providertest.Step {
			for name, all := range steps {
				if n := countRequests(m, name); n > 0 && strings.Contains(r.Body, name) {
					return all[min(n, len(all))-1]
				}
			}
			return harness.TextResponse("Hello.")
		})
		return m
	}
}

// countRequests returns how many requests contain the text.
func countRequests(m *harness.Model, text string) (n int) {
	for _, r := range m.Requests() {
		if strings.Contains(r.Body, text) {
			n++
		}
	}
	return n
}

// TestReply_AnswerWithoutWords_EndsWithReceipt checks that a reply whose effects are done, and whose model then says
// nothing, is completed with a line about the effects, in the language of the message.
func TestReply_AnswerWithoutWords_EndsWithReceipt(t *testing.T) {
	add := harness.ToolCallResponse("", harness.AddTaskCall("Buy milk"))
	cases := map[string]struct {
		last providertest.Step
		text string
	}{
		"Please add milk to my list, then say nothing":            {endedStep("stop"), "Done: added 1 task: #1 “Buy milk”."},
		"Bitte füge Milch zu meiner Liste hinzu, und sage nichts": {endedStep("stop"), "Erledigt: "},
		"Please add milk to my list, then be filtered":            {endedStep("content_filter"), "Done: added 1 task: "},
		"Please add milk to my list, then think":                  {endedStep("length"), "Done: added 1 task: "},
	}
	steps := map[string][]providertest.Step{}
	for message, c := range cases {
		steps[message] = []providertest.Step{add, c.last}
	}
	eachScriptedModel(t, scriptedSteps(steps), func(t *testing.T, b *harness.Env, m *harness.Model) {
		for message, c := range cases {
			conversation := &harness.Conversation{Client: b.Client(t, "user of "+message)}
			reply := conversation.SendAndWait(t, message)
			require.Equal(t, "COMPLETED", reply.Status, message)
			require.Contains(t, reply.Content, c.text)
			require.Len(t, harness.AllTasks(t, conversation.Client), 1)
			require.LessOrEqual(t, countRequests(m, message), 3)
		}
	})
}

// TestReply_UnusableAnswer_IsAskedOnceMore checks that an answer that cannot be used leads to one more call, not to
// equal calls, and that the second one fails the reply with its reason.
func TestReply_UnusableAnswer_IsAskedOnceMore(t *testing.T) {
	good := harness.TextResponse("Here I am.")
	steps := map[string][]providertest.Step{
		"First empty":      {endedStep("stop"), good},
		"First cut":        {cutCallStep(), good},
		"First thinking":   {endedStep("length"), good},
		"Always empty":     {endedStep("stop")},
		"Always cut":       {cutCallStep()},
		"Always filtered":  {endedStep("content_filter", "I")},
		"Always thinking!": {endedStep("length")},
	}
	failures := map[string]string{
		"Always empty": "empty answer", "Always cut": "token limit", "Always thinking!": "token limit",
		"Always filtered": "content rules",
	}
	eachScriptedModel(t, scriptedSteps(steps), func(t *testing.T, b *harness.Env, m *harness.Model) {
		for message := range steps {
			conversation := &harness.Conversation{Client: b.Client(t, "alice")}
			reply := conversation.SendAndWait(t, message)
			calls := 2
			if message == "Always filtered" {
				calls = 1
			}
			require.Equal(t, calls, countRequests(m, message), message)
			if text := failures[message]; text != "" {
				require.Equal(t, "FAILED", reply.Status, message)
				require.Contains(t, reply.Error.Message, text)
				continue
			}
			require.Equal(t, "COMPLETED", reply.Status, message)
			require.Equal(t, "Here I am.", reply.Content, message)
		}
	})
}

// TestReply_CutAnswer_IsContinuedOnce checks that an answer that ends at the token limit in the middle of a sentence is
// continued once, and that the reply is marked as truncated if that was not enough.
func TestReply_CutAnswer_IsContinuedOnce(t *testing.T) {
	steps := map[string][]providertest.Step{
		"Cut once":        {endedStep("length", "Once upon", " a ti"), harness.TextResponse("me 🦊.")},
		"Cut twice":       {endedStep("length", "Once upon", " a ti"), endedStep("length", "me in a")},
		"Cut then broken": {endedStep("length", "Once upon"), providertest.JSON(400, `{"error":{"message":"no"}}`)},
		"Cut then work": {
			endedStep("length", "I will"), harness.ToolCallResponse(" add it.", harness.AddTaskCall("Milk")),
			harness.TextResponse("Done."),
		},
	}
	eachScriptedModel(t, scriptedSteps(steps), func(t *testing.T, b *harness.Env, m *harness.Model) {
		for message, expected := range map[string]struct {
			text      string
			truncated bool
			calls     int
		}{
			"Cut once":        {"Once upon a time 🦊.", false, 2},
			"Cut twice":       {"Once upon a time in a", true, 2},
			"Cut then broken": {"Once upon", true, 2},
			"Cut then work":   {"I will add it.\n\nDone.", false, 3},
		} {
			conversation := &harness.Conversation{Client: b.Client(t, "alice")}
			reply := conversation.SendAndWait(t, message)
			require.Equal(t, "COMPLETED", reply.Status, message)
			require.Equal(t, expected.text, reply.Content, message)
			require.Equal(t, expected.truncated, reply.Truncated, message)
			require.Equal(t, expected.calls, countRequests(m, message), message)
		}
	})
}

// TestReply_LongAnswer_EndsAtLimit checks that a reply ends at REPLY_MAX_CHARS, in UTF-16 code units, and that
// subscribers receive exactly what is stored.
func TestReply_LongAnswer_EndsAtLimit(t *testing.T) {
	piece := strings.Repeat("word 🦊 ", 100)
	endless := func(t *testing.T) *harness.Model {
		return harness.StartModel(t, func(harness.ModelRequest) providertest.Step {
			pieces := make([]string, 200)
			for i := range pieces {
				pieces[i] = piece
			}
			return providertest.StreamThenHang(harness.TextFrames(pieces...)...)
		})
	}
	eachScriptedModel(t, endless, func(t *testing.T, b *harness.Env, m *harness.Model) {
		conversation := &harness.Conversation{Client: b.Client(t, "alice")}
		reply := conversation.SendAndWait(t, "Tell me everything")
		require.Equal(t, "COMPLETED", reply.Status)
		require.True(t, reply.Truncated)
		units := len(utf16.Encode([]rune(reply.Content)))
		require.LessOrEqual(t, units, 10_001)
		require.GreaterOrEqual(t, units, 10_000)
		require.True(t, strings.HasPrefix(strings.Repeat(piece, 100), reply.Content))
		require.Len(t, m.Requests(), 1)
		type answer struct{ Node testclient.Message }
		stored := testclient.Run[answer](t, conversation.Client,
			`query ($id: ID!) { node(id: $id) { ... on Message { content truncated } } }`, testclient.Vars{"id": reply.ID})
		require.Equal(t, reply.Content, stored.Node.Content)
		require.True(t, stored.Node.Truncated)
	}, harness.Settings{"REPLY_MAX_CHARS": "10001"})
}
