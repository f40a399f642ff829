package agent_test

import (
	"testing"

	"errand/ent/enum"
	"errand/internal/agent"
	"errand/internal/store"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

func TestALieThatStaysIsMarked(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		m := &scripted{script: func(a asked) *llms.ContentChoice { return says("I've deleted task 3.") }}
		w := newWorld(t, db, m, settings{})
		reply := w.say("Delete task 3")
		require.Equal(t, enum.MessageCompleted, reply.Status)
		require.Equal(t, "I've deleted task 3.\n\nI've deleted task 3.", reply.Content)
		require.True(t, reply.Unverified())
		require.Contains(t, *reply.UnverifiedReason, "I've deleted task 3.")
		require.Len(t, m.requests(), 2, "one corrective step")
		require.True(t, m.requests()[1].corrected)
		require.True(t, m.requests()[1].offered, "it may still do it")

		w.say("Really?")
		next := m.requests()[2].messages
		require.Contains(t, textOf(next[2]), "No tool result shows")
	})
}

func TestALieThatIsTakenBackIsNot(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, &scripted{script: func(a asked) *llms.ContentChoice {
			if a.corrected {
				return says("Sorry, that is not so: there is no task 3.")
			}
			return says("I've deleted task 3.")
		}}, settings{})
		reply := w.say("Delete task 3")
		require.Equal(t, "I've deleted task 3.\n\nSorry, that is not so: there is no task 3.", reply.Content)
		require.False(t, reply.Unverified())
	})
}

func TestALieThatIsMadeTrueIsNot(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		m := &scripted{script: func(a asked) *llms.ContentChoice {
			switch {
			case len(a.results) > 0:
				return says("Now it is so.")
			case a.corrected:
				return uses("", use{"delete_task", `{"number":1}`})
			}
			return says("Done!")
		}}
		w := newWorld(t, db, m, settings{})
		w.put("Buy milk")
		reply := w.say("Delete task 1")
		require.Equal(t, "Done!\n\nNow it is so.", reply.Content)
		require.False(t, reply.Unverified())
		require.Empty(t, w.left())
		last := m.requests()[2].messages
		require.Equal(t, "Done!", textOf(last[2]), "the step holds all that was said before it")
		require.Equal(t, llms.ChatMessageTypeTool, last[3].Role)
		require.Len(t, last, 4)
	})
}

func TestTruthsAreLeftAlone(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		m := &scripted{script: func(a asked) *llms.ContentChoice {
			if len(a.results) == 0 {
				return uses("On it.", use{"add_task", `{"title":"Buy milk"}`})
			}
			return says("I've added task 1: Buy milk.")
		}}
		reply := newWorld(t, db, m, settings{}).say("Add milk")
		require.Equal(t, "On it.\n\nI've added task 1: Buy milk.", reply.Content)
		require.False(t, reply.Unverified())
		require.Len(t, m.requests(), 2)
		require.Equal(t, agent.PromptVersion, reply.PromptVersion)
		require.Equal(t, "script/one", reply.Model)
	})
}

func TestTheOfflineModelIsNeverQuestioned(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		m := &scripted{plain: true, script: func(a asked) *llms.ContentChoice { return says("I've deleted task 3.") }}
		reply := newWorld(t, db, m, settings{offline: true}).say("Delete task 3")
		require.False(t, reply.Unverified())
		require.Len(t, m.requests(), 1)
	})
}

func TestThePromptStaysTheSameInATurn(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		m := &scripted{script: func(a asked) *llms.ContentChoice {
			if len(a.results) < 3 {
				return uses("", use{"list_tasks", "{}"})
			}
			return says("You have none.")
		}}
		w := newWorld(t, db, m, settings{})
		w.say("Hello\u202e there\U000E0041")
		all := m.requests()
		require.Len(t, all, 4)
		for _, a := range all {
			require.Equal(t, all[0].messages, a.messages[:2])
		}
		require.Equal(t, "Hello there", all[0].said)
		require.Regexp(t, `\nCurrent time: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \(UTC\)$`, all[0].system)
	})
}
