package integration

import (
	"context"
	"strings"
	"testing"

	"errand/internal/llm/providertest"
	"errand/internal/offline"
	"errand/internal/testdb"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

// eachWire runs a test with each provider's wire on SQLite, and with OpenAI's on PostgreSQL as
// well: what the wires do differently never reaches the database's engine.
func eachWire(t *testing.T, test func(t *testing.T, url, provider string)) {
	t.Helper()
	for _, provider := range []string{"openai", "gemini", "anthropic", "ollama"} {
		t.Run("sqlite/"+provider, func(t *testing.T) {
			t.Parallel()
			test(t, testdb.SQLiteURL(t), provider)
		})
	}
	t.Run("postgres/openai", func(t *testing.T) {
		t.Parallel()
		test(t, testdb.PostgresURL(t), "openai")
	})
}

// eachModel runs a test with the built-in model on each engine, and with the same model behind
// each provider's wire.
func eachModel(t *testing.T, test func(t *testing.T, b *bench)) {
	t.Helper()
	each(t, test)
	eachWire(t, func(t *testing.T, url, provider string) {
		m := scripted(t, builtIn)
		m.provider = provider
		b := boot(t, url, m.environ())
		test(t, b)
		require.NotEmpty(t, m.requests(), "the provider answered, not the model inside the server")
	})
}

// builtIn is the script that says what the built-in model says.
func builtIn(a asked) providertest.Step {
	var offered []llms.Tool
	for _, t := range a.request.Tools {
		offered = append(offered, llms.Tool{Type: "function", Function: &llms.FunctionDefinition{Name: t.Function.Name}})
	}
	answer, err := offline.New(offline.Options{}).
		GenerateContent(context.Background(), messagesOf(a.request), llms.WithTools(offered))
	if err != nil {
		return providertest.JSON(500, `{}`)
	}
	choice := answer.Choices[0]
	var uses []toolUse
	for _, c := range choice.ToolCalls {
		uses = append(uses, toolUse{c.FunctionCall.Name, c.FunctionCall.Arguments})
	}
	if len(uses) > 0 {
		return useTools("", uses...)
	}
	return sayText(strings.SplitAfter(choice.Content, " ")...)
}

// messagesOf are a request's messages as langchaingo has them.
func messagesOf(request providertest.ChatRequest) []llms.MessageContent {
	roles := map[string]llms.ChatMessageType{
		"system": llms.ChatMessageTypeSystem, "user": llms.ChatMessageTypeHuman, "assistant": llms.ChatMessageTypeAI, "tool": llms.ChatMessageTypeTool,
	}
	var out []llms.MessageContent
	for _, m := range request.Messages {
		message := llms.MessageContent{Role: roles[m.Role]}
		if m.Role == "tool" {
			message.Parts = append(message.Parts, llms.ToolCallResponse{ToolCallID: m.ToolCallID, Content: m.Content})
			out = append(out, message)
			continue
		}
		if m.Content != "" {
			message.Parts = append(message.Parts, llms.TextContent{Text: m.Content})
		}
		for _, c := range m.ToolCalls {
			message.Parts = append(message.Parts, llms.ToolCall{
				ID: c.ID, Type: "function", FunctionCall: &llms.FunctionCall{Name: c.Function.Name, Arguments: c.Function.Arguments},
			})
		}
		out = append(out, message)
	}
	return out
}
