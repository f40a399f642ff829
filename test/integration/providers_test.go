package integration

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"errand/internal/llm/providertest"
	"errand/internal/testclient"
	"errand/internal/testdb"

	"github.com/stretchr/testify/require"
)

// TestAConversationOutlivesItsProvider: after each restart another one goes on with what all
// the others have said and done, as strict as they are about histories.
func TestAConversationOutlivesItsProvider(t *testing.T) {
	t.Parallel()
	testdb.EachURL(t, func(t *testing.T, url string) {
		t.Parallel()
		m := scripted(t, func(a asked) providertest.Step {
			if len(a.results) == 0 {
				return useTools("On it. ", addTask("First of "+a.said), addTask("Second of "+a.said))
			}
			return sayText("Both are there.")
		})
		k := &talk{}
		var said []string
		for _, provider := range []string{"openai", "gemini", "anthropic", "ollama", "gemini", "anthropic", "openai"} {
			m.provider = provider
			server := launch(t, url, m.environ())
			k.c = server.user("alice")
			if k.id != "" {
				k.stream = k.c.Dial(t).Follow(t, k.id, "")
			}
			said = append(said, provider+strings.Repeat("!", len(said)))
			reply := k.say(t, said[len(said)-1])
			require.Equal(t, "COMPLETED", reply.Status, provider)
			require.Equal(t, provider+"/scripted", reply.Usage.Model)
			last := m.requests()[len(m.requests())-1].body
			for _, earlier := range said {
				require.Contains(t, last, `\"title\":\"Second of `+earlier+`\"`, "%s sees what was done before", provider)
			}
			server.terminate()
			require.Zero(t, server.ended())
		}
	})
}

// TestTheFallbackAnswersForAnOverloadedProvider: with tools, under its own name, and only while
// the first has no capacity.
func TestTheFallbackAnswersForAnOverloadedProvider(t *testing.T) {
	t.Parallel()
	var busy atomic.Bool
	busy.Store(true)
	first := scripted(t, func(asked) providertest.Step {
		if busy.Load() {
			return providertest.JSON(
				529,
				`{"type":"error","error":{"type":"overloaded_error","message":"planted"}}`,
				"Retry-After",
				"90",
			)
		}
		return sayText("I am back.")
	})
	first.provider = "anthropic"
	second := scripted(t, builtIn)
	b := boot(t, testdb.SQLiteURL(t), second.environ(), settings{
		"LLM_PROVIDER": "anthropic", "LLM_FALLBACK": "gemini/second", "ANTHROPIC_BASE_URL": first.url,
	})
	k := &talk{c: b.user(t, "alice")}
	reply := k.say(t, "Add a task to buy groceries")
	require.Equal(t, "Added task 1: Buy groceries.", reply.Content)
	require.Equal(t, "gemini/second", reply.Usage.Model)
	require.Len(t, first.requests(), 2, "the first is asked at each step")
	busy.Store(false)
	reply = k.say(t, "Hello?")
	require.Equal(t, "I am back.", reply.Content)
	require.Equal(t, "anthropic/scripted", reply.Usage.Model)
	require.Contains(t, first.requests()[2].body, "Buy groceries", "it sees what the other did")
}

// TestAModelTitlesTheConversation: once, after the first turn, unless a person has named it.
func TestAModelTitlesTheConversation(t *testing.T) {
	titling := func(t *testing.T) *model {
		return scripted(t, func(a asked) providertest.Step {
			if a.request.Messages[0].Role == "system" &&
				strings.HasPrefix(a.request.Messages[0].Content, "Give the conversation") {
				return sayText("Food ", "for the weekend")
			}
			return sayText("Very well.")
		})
	}
	eachScripted(t, titling, func(t *testing.T, b *bench, m *model) {
		k := &talk{c: b.user(t, "alice")}
		k.say(t, "I need food")
		require.Eventually(
			t,
			func() bool { return titleOf(t, k) == "Food for the weekend" },
			testclient.Timeout,
			5*time.Millisecond,
		)
		const rename = `mutation ($id: ID!) { updateConversation(input: {id: $id, title: "Mine"}) { conversation { id } } }`
		testclient.Run[any](t, k.c, rename, vars{"id": k.id})
		k.say(t, "And drinks")
		require.Equal(t, "Mine", titleOf(t, k))
		require.Len(t, m.requests(), 3, "only the first turn asks for a title")
	}, settings{"LLM_TITLES": "true"})
}

func titleOf(t *testing.T, k *talk) string {
	t.Helper()
	type answer struct{ Conversation struct{ Title string } }
	return testclient.Run[answer](
		t,
		k.c,
		`query ($id: ID!) { conversation(id: $id) { title } }`,
		vars{"id": k.id},
	).Conversation.Title
}
