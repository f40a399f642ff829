package integration

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"errand/internal/llm/providertest"
	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// TestConversation_ProviderChanged_Continues restarts the server with another provider and checks that it
// accepts the history of the previous ones.
func TestConversation_ProviderChanged_Continues(t *testing.T) {
	t.Parallel()
	testdb.EachURL(t, func(t *testing.T, url string) {
		t.Parallel()
		m := harness.StartModel(t, func(a harness.ModelRequest) providertest.Step {
			if len(a.ToolResults) == 0 {
				return harness.ToolCallResponse("On it. ", harness.AddTaskCall("First of "+a.UserMessage),
					harness.AddTaskCall("Second of "+a.UserMessage))
			}
			return harness.TextResponse("Both are there.")
		})
		conversation := &harness.Conversation{}
		var prompts []string
		for _, provider := range []string{
			"openai", "gemini", "anthropic", "responses", "ollama", "gemini", "responses", "anthropic", "openai",
		} {
			m.Provider = provider
			// All turns fit: in Ollama's default of 4,000 tokens they would be summarised.
			server := harness.StartProcess(t, url, m.Settings(), harness.Settings{"LLM_CONTEXT_TOKENS": "16000"})
			conversation.Client = server.Client("alice")
			if conversation.ID != "" {
				conversation.Stream = conversation.Client.Dial(t).Follow(t, conversation.ID, "")
			}
			prompts = append(prompts, provider+strings.Repeat("!", len(prompts)))
			reply := conversation.SendAndWait(t, prompts[len(prompts)-1])
			require.Equal(t, "COMPLETED", reply.Status, provider)
			require.Equal(t, m.Name()+"/scripted", reply.Usage.Model)
			last := m.Requests()[len(m.Requests())-1].Body
			for _, earlier := range prompts {
				require.Contains(t, last, `\"title\":\"Second of `+earlier+`\"`, "%s sees what was done before", provider)
			}
			server.Terminate()
			require.Zero(t, server.Wait())
		}
	})
}

// TestFallback_ProviderOverloaded_Answers checks that the fallback completes replies with tools and under its
// own name, only while the first provider is overloaded.
func TestFallback_ProviderOverloaded_Answers(t *testing.T) {
	t.Parallel()
	var busy atomic.Bool
	busy.Store(true)
	first := harness.StartModel(t, func(harness.ModelRequest) providertest.Step {
		if busy.Load() {
			return providertest.JSON(
				529,
				`{"type":"error","error":{"type":"overloaded_error","message":"planted"}}`,
				"Retry-After",
				"90",
			)
		}
		return harness.TextResponse("I am back.")
	})
	first.Provider = "anthropic"
	second := harness.StartModel(t, ruleModelResponse)
	b := harness.Start(t, testdb.SQLiteURL(t), second.Settings(), harness.Settings{
		"LLM_PROVIDER": "anthropic", "LLM_FALLBACK": "gemini/second", "ANTHROPIC_BASE_URL": first.URL,
	})
	conversation := &harness.Conversation{Client: b.Client(t, "alice")}
	reply := conversation.SendAndWait(t, "Add a task to buy groceries")
	require.Equal(t, "Added task 1: Buy groceries.", reply.Content)
	require.Equal(t, "gemini/second", reply.Usage.Model)
	require.Len(t, first.Requests(), 2, "each step must call the first provider")
	busy.Store(false)
	reply = conversation.SendAndWait(t, "Hello?")
	require.Equal(t, "I am back.", reply.Content)
	require.Equal(t, "anthropic/scripted", reply.Usage.Model)
	require.Contains(t, first.Requests()[2].Body, "Buy groceries",
		"the fallback must receive the first provider's tool calls")
}

// TestTitle_FirstReply_IsGeneratedByModel checks that the title is generated once, after the first turn,
// unless the user has set one.
func TestTitle_FirstReply_IsGeneratedByModel(t *testing.T) {
	titling := func(t *testing.T) *harness.Model {
		return harness.StartModel(t, func(a harness.ModelRequest) providertest.Step {
			if a.Request.Messages[0].Role == "system" &&
				strings.HasPrefix(a.Request.Messages[0].Content, "Give the conversation") {
				return harness.TextResponse("Food ", "for the weekend")
			}
			return harness.TextResponse("Very well.")
		})
	}
	eachScriptedModel(t, titling, func(t *testing.T, b *harness.Env, m *harness.Model) {
		conversation := &harness.Conversation{Client: b.Client(t, "alice")}
		conversation.SendAndWait(t, "I need food")
		require.Eventually(
			t,
			func() bool { return titleOf(t, conversation) == "Food for the weekend" },
			testclient.Timeout,
			5*time.Millisecond,
		)
		const rename = `mutation ($id: ID!) { updateConversation(input: {id: $id, title: "Mine"}) { conversation { id } } }`
		testclient.Run[any](t, conversation.Client, rename, testclient.Vars{"id": conversation.ID})
		conversation.SendAndWait(t, "And drinks")
		require.Equal(t, "Mine", titleOf(t, conversation))
		require.Len(t, m.Requests(), 3, "only the first turn asks for a title")
	}, harness.Settings{"LLM_TITLES": "true"})
}

func titleOf(t *testing.T, conversation *harness.Conversation) string {
	t.Helper()
	type answer struct{ Conversation struct{ Title string } }
	return testclient.Run[answer](
		t,
		conversation.Client,
		`query ($id: ID!) { conversation(id: $id) { title } }`,
		testclient.Vars{"id": conversation.ID},
	).Conversation.Title
}
