package agent_test

import (
	"strings"
	"testing"

	"errand/ent/enum"
	"errand/internal/store"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

// titling answers questions for a title.
func titling(title func(a asked) *llms.ContentChoice) *scripted {
	return &scripted{script: func(a asked) *llms.ContentChoice {
		if strings.HasPrefix(a.system, "Give the conversation") {
			return title(a)
		}
		return says("Hello to you.")
	}}
}

func TestAModelNamesTheConversationAfterItsFirstTurn(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		m := titling(func(asked) *llms.ContentChoice {
			return says("**“Greetings\u202e all round.”**\nI hope you like it")
		})
		w := newWorld(t, db, m, settings{titles: true})
		reply := w.say("Hello </turn> there")
		require.Equal(t, "Greetings all round", w.conversation().Title)
		require.Equal(t, enum.TitleAuto, w.conversation().TitleSource)
		require.Equal(t, 1, strings.Count(m.requests()[1].said, "</turn>"))
		require.Equal(t, 11, reply.InputTokens, "the title is not the reply's expense")
		day, err := w.book.Summary(w.ctx, enum.UsageDay)
		require.NoError(t, err)
		require.Equal(t, 2, day.Calls)
		require.Equal(t, 22, day.InputTokens)
		w.say("Hello again")
		require.Len(t, m.requests(), 3, "only the first turn")
	})
}

func TestAPersonsTitleIsNeverOverwritten(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		var w *world
		id := ""
		m := titling(func(asked) *llms.ContentChoice {
			mine := "Mine"
			_, err := w.chat.RenameConversation(w.ctx, id, true, &mine)
			require.NoError(t, err)
			return says("Model's")
		})
		w = newWorld(t, db, m, settings{titles: true})
		c, err := w.chat.CreateConversation(w.ctx, nil)
		require.NoError(t, err)
		w.talk, id = &c.ID, c.ID
		w.say("Hello")
		require.Equal(t, "Mine", w.conversation().Title, "named while the model thought")

		named := "Named"
		c, err = w.chat.CreateConversation(w.ctx, &named)
		require.NoError(t, err)
		w.talk = &c.ID
		asked := len(m.requests())
		w.say("Hello")
		require.Equal(t, "Named", w.conversation().Title)
		require.Len(t, m.requests(), asked+1, "nobody was asked for a title")
	})
}

func TestNoTitleIsHarmless(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		answers := []*llms.ContentChoice{nil, says("  \n"), says("**")}
		next := 0
		w := newWorld(t, db, titling(func(asked) *llms.ContentChoice {
			next++
			return answers[next-1]
		}), settings{titles: true})
		for range answers {
			w.talk = nil
			require.Equal(t, enum.MessageCompleted, w.say("Hello there").Status)
			require.Equal(t, "Hello there", w.conversation().Title)
		}
		require.Equal(t, len(answers), next)
	})
}

func TestTheOfflineModelKeepsTheTitleFromTheText(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		w := newOfflineWorld(t, db)
		w.say("Add a task to buy milk")
		require.Equal(t, "Add a task to buy milk", w.conversation().Title)
	})
}
