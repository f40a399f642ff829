package agent_test

import (
	"testing"

	"errand/ent/enum"
	"errand/internal/agent"
	"errand/internal/store"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

// TestHandle_FalseClaim_ReplyStands: the text is not compared with what was done. The calls are the record.
func TestHandle_FalseClaim_ReplyStands(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *store.DB) {
		claims := []string{"I've deleted task 1.", "Ich habe Aufgabe 1 gelöscht.", "タスク1を削除しました。"}
		m := &scripted{}
		m.script = func(request) *llms.ContentChoice { return answerText(claims[len(m.requests())-1]) }
		w := newFixture(t, db, m, settings{})
		w.createTasks("Buy milk")
		for i, claim := range claims {
			reply := w.send("Delete task 1")
			require.Equal(t, enum.MessageCompleted, reply.Status)
			require.Equal(t, claim, reply.Content)
			require.Empty(t, reply.Edges.ToolCalls)
			require.Nil(t, reply.UnverifiedReason)
			require.Len(t, m.requests(), i+1, "the model is not asked again")
		}
		require.Equal(t, []string{"Buy milk"}, w.titles())
		require.Equal(t, claims[0], textOf(m.requests()[1].messages[2]), "nothing is added to the reply")
	})
}

func TestHandle_ToolCall_TextOfBothStepsIsTheReply(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *store.DB) {
		m := &scripted{script: func(a request) *llms.ContentChoice {
			if len(a.results) == 0 {
				return callTools("On it.", toolUse{"add_task", `{"title":"Buy milk"}`})
			}
			return answerText("I've added task 1: Buy milk.")
		}}
		reply := newFixture(t, db, m, settings{}).send("Add milk")
		require.Equal(t, "On it.\n\nI've added task 1: Buy milk.", reply.Content)
		require.Len(t, m.requests(), 2)
		require.Equal(t, agent.PromptVersion, reply.PromptVersion)
		require.Equal(t, "script/one", reply.Model)
	})
}

func TestHandle_Steps_ShareThePromptPrefix(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *store.DB) {
		m := &scripted{script: func(a request) *llms.ContentChoice {
			if len(a.results) < 3 {
				return callTools("", toolUse{"list_tasks", "{}"})
			}
			return answerText("You have none.")
		}}
		w := newFixture(t, db, m, settings{})
		w.send("Hello\u202e there\U000E0041")
		all := m.requests()
		require.Len(t, all, 4)
		for _, a := range all {
			require.Equal(t, all[0].messages, a.messages[:2])
		}
		require.Equal(t, "Hello there", all[0].said)
		require.Regexp(t, `^<current-time>\nCurrent time: [A-Z][a-z]{2} \d{4}-\d\d-\d\d \d\d:\d\d \+00:00 \(UTC\), `+
			`weeks start on Monday\nDays from today: [A-Z].*\n</current-time>$`, all[0].now)
	})
}

// TestHandle_ServerIgnoresToolChoice_TextIsTheReply: in the last step, calls beside a text are dropped.
func TestHandle_ServerIgnoresToolChoice_TextIsTheReply(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *store.DB) {
		m := &scripted{script: func(a request) *llms.ContentChoice {
			return callTools("Another one.", toolUse{"add_task", `{"title":"Buy milk"}`})
		}}
		w := newFixture(t, db, m, settings{limits: agent.Limits{Steps: 3}})
		reply := w.send("Add milk")
		require.Equal(t, enum.MessageCompleted, reply.Status)
		require.Len(t, m.requests(), 3)
		require.False(t, m.requests()[2].offered)
		require.Len(t, w.titles(), 2)
	})
}
