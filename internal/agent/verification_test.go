package agent_test

import (
	"testing"

	"errand/ent/enum"
	"errand/internal/agent"
	"errand/internal/store"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

func TestHandle_UnbackedClaim_MarksReplyUnverified(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *store.DB) {
		m := &scripted{script: func(a request) *llms.ContentChoice { return answerText("I've deleted task 3.") }}
		w := newFixture(t, db, m, settings{})
		reply := w.send("Delete task 3")
		require.Equal(t, enum.MessageCompleted, reply.Status)
		require.Equal(t, "I've deleted task 3.\n\nI've deleted task 3.", reply.Content)
		require.True(t, reply.Unverified())
		require.Contains(t, *reply.UnverifiedReason, "I've deleted task 3.")
		require.Len(t, m.requests(), 2, "one corrective step")
		require.True(t, m.requests()[1].corrected)
		require.True(t, m.requests()[1].offered, "it may still do it")

		w.send("Really?")
		next := m.requests()[2].messages
		require.Contains(t, textOf(next[2]), "No tool result shows")
	})
}

func TestHandle_RetractedClaim_ReplyIsVerified(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *store.DB) {
		w := newFixture(t, db, &scripted{script: func(a request) *llms.ContentChoice {
			if a.corrected {
				return answerText("Sorry, that is not so: there is no task 3.")
			}
			return answerText("I've deleted task 3.")
		}}, settings{})
		reply := w.send("Delete task 3")
		require.Equal(t, "I've deleted task 3.\n\nSorry, that is not so: there is no task 3.", reply.Content)
		require.False(t, reply.Unverified())
	})
}

func TestHandle_ClaimDoneAfterCorrection_ReplyIsVerified(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *store.DB) {
		m := &scripted{script: func(a request) *llms.ContentChoice {
			switch {
			case len(a.results) > 0:
				return answerText("Now it is so.")
			case a.corrected:
				return callTools("", toolUse{"delete_task", `{"number":1}`})
			}
			return answerText("Done!")
		}}
		w := newFixture(t, db, m, settings{})
		w.createTasks("Buy milk")
		reply := w.send("Delete task 1")
		require.Equal(t, "Done!\n\nNow it is so.", reply.Content)
		require.False(t, reply.Unverified())
		require.Empty(t, w.titles())
		last := m.requests()[2].messages
		require.Equal(t, "Done!", textOf(last[2]), "the step holds all that was said before it")
		require.Equal(t, llms.ChatMessageTypeTool, last[3].Role)
		require.Len(t, last, 4)
	})
}

func TestHandle_BackedClaims_NoCorrection(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *store.DB) {
		m := &scripted{script: func(a request) *llms.ContentChoice {
			if len(a.results) == 0 {
				return callTools("On it.", toolUse{"add_task", `{"title":"Buy milk"}`})
			}
			return answerText("I've added task 1: Buy milk.")
		}}
		reply := newFixture(t, db, m, settings{}).send("Add milk")
		require.Equal(t, "On it.\n\nI've added task 1: Buy milk.", reply.Content)
		require.False(t, reply.Unverified())
		require.Len(t, m.requests(), 2)
		require.Equal(t, agent.PromptVersion, reply.PromptVersion)
		require.Equal(t, "script/one", reply.Model)
	})
}

func TestHandle_OfflineModel_NoCorrection(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *store.DB) {
		m := &scripted{plain: true, script: func(a request) *llms.ContentChoice { return answerText("I've deleted task 3.") }}
		reply := newFixture(t, db, m, settings{offline: true}).send("Delete task 3")
		require.False(t, reply.Unverified())
		require.Len(t, m.requests(), 1)
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
		require.Regexp(t, `\nCurrent time: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \(UTC\)$`, all[0].system)
	})
}
