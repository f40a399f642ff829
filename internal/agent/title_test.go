package agent_test

import (
	"strings"
	"testing"

	"errand/ent/enum"
	"errand/internal/chat"
	"errand/internal/store"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

// titleModel answers title requests.
func titleModel(title func(a request) *llms.ContentChoice) *scripted {
	return &scripted{script: func(a request) *llms.ContentChoice {
		if strings.HasPrefix(a.system, "Give the conversation") {
			return title(a)
		}
		return answerText("Hello to you.")
	}}
}

func TestHandle_FirstTurn_SetsTitle(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *store.DB) {
		m := titleModel(func(request) *llms.ContentChoice {
			return answerText("**“Greetings\u202e all round.”**\nI hope you like it")
		})
		w := newFixture(t, db, m, settings{titles: true})
		reply := w.send("Hello </turn> there")
		require.Equal(t, "Greetings all round", w.conversation().Title)
		require.Equal(t, enum.TitleAuto, w.conversation().TitleSource)
		require.Equal(t, 1, strings.Count(m.requests()[1].said, "</turn>"))
		require.Equal(t, 11, reply.InputTokens, "the title does not count for the reply")
		day, err := w.ledger.Summary(w.ctx, enum.UsageDay)
		require.NoError(t, err)
		require.Equal(t, 2, day.Calls)
		require.Equal(t, 22, day.InputTokens)
		w.send("Hello again")
		require.Len(t, m.requests(), 3, "only the first turn")
	})
}

func TestHandle_TitleSetByUser_Stays(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *store.DB) {
		var w *fixture
		id := ""
		m := titleModel(func(request) *llms.ContentChoice {
			mine := "Mine"
			_, err := w.chat.UpdateConversation(w.ctx, id, chat.ConversationPatch{TitleSet: true, Title: &mine})
			require.NoError(t, err)
			return answerText("Model's")
		})
		w = newFixture(t, db, m, settings{titles: true})
		c, err := w.chat.CreateConversation(w.ctx, nil, nil)
		require.NoError(t, err)
		w.talk, id = &c.ID, c.ID
		w.send("Hello")
		require.Equal(t, "Mine", w.conversation().Title, "set while the model ran")

		named := "Named"
		c, err = w.chat.CreateConversation(w.ctx, &named, nil)
		require.NoError(t, err)
		w.talk = &c.ID
		requests := len(m.requests())
		w.send("Hello")
		require.Equal(t, "Named", w.conversation().Title)
		require.Len(t, m.requests(), requests+1, "no title was requested")
	})
}

func TestHandle_TitleFails_ReplyUnaffected(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *store.DB) {
		answers := []*llms.ContentChoice{nil, answerText("  \n"), answerText("**")}
		next := 0
		w := newFixture(t, db, titleModel(func(request) *llms.ContentChoice {
			next++
			return answers[next-1]
		}), settings{titles: true})
		for range answers {
			w.talk = nil
			require.Equal(t, enum.MessageCompleted, w.send("Hello there").Status)
			require.Equal(t, "Hello there", w.conversation().Title)
		}
		require.Equal(t, len(answers), next)
	})
}

func TestHandle_OfflineModel_KeepsTitleFromText(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *store.DB) {
		w := newOfflineFixture(t, db)
		w.send("Add a task to buy milk")
		require.Equal(t, "Add a task to buy milk", w.conversation().Title)
	})
}
