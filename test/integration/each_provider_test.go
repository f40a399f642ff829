package integration

import (
	"context"
	"strings"
	"testing"

	"errand/internal/llm/providertest"
	"errand/internal/offline"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

// eachProvider runs a test with each provider's protocol on SQLite, and with OpenAI's also on PostgreSQL: the
// database does not depend on the protocol.
func eachProvider(t *testing.T, test func(t *testing.T, url, provider string)) {
	t.Helper()
	for _, provider := range []string{"openai", "responses", "gemini", "anthropic", "ollama"} {
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

// eachModelProvider runs a test with the built-in model on each database engine, and with the same model
// behind each provider's protocol.
func eachModelProvider(t *testing.T, test func(t *testing.T, b *harness.Env)) {
	t.Helper()
	harness.EachDatabase(t, test)
	eachProvider(t, func(t *testing.T, url, provider string) {
		m := harness.StartModel(t, ruleModelResponse)
		m.Provider = provider
		b := harness.Start(t, url, m.Settings())
		test(t, b)
		require.NotEmpty(t, m.Requests(), "the provider answered, not the model inside the server")
	})
}

// ruleModelResponse is the script that returns the built-in model's responses.
func ruleModelResponse(a harness.ModelRequest) providertest.Step {
	var offered []llms.Tool
	for _, t := range a.Request.Tools {
		if !a.ToolsOffered {
			break
		}
		offered = append(offered, llms.Tool{Type: "function", Function: &llms.FunctionDefinition{Name: t.Function.Name}})
	}
	answer, err := offline.New(offline.Options{}).
		GenerateContent(context.Background(), messagesOf(a.Request), llms.WithTools(offered))
	if err != nil {
		return providertest.JSON(500, `{}`)
	}
	choice := answer.Choices[0]
	var uses []harness.ToolCall
	for _, c := range choice.ToolCalls {
		uses = append(uses, harness.ToolCall{Name: c.FunctionCall.Name, Arguments: c.FunctionCall.Arguments})
	}
	if len(uses) > 0 {
		return harness.ToolCallResponse("", uses...)
	}
	return harness.TextResponse(strings.SplitAfter(choice.Content, " ")...)
}

// messagesOf returns a request's messages as langchaingo messages.
func messagesOf(request providertest.ChatRequest) []llms.MessageContent {
	roles := map[string]llms.ChatMessageType{
		"system": llms.ChatMessageTypeSystem, "user": llms.ChatMessageTypeHuman, "assistant": llms.ChatMessageTypeAI,
		"tool": llms.ChatMessageTypeTool,
	}
	var out []llms.MessageContent
	for _, m := range request.Messages {
		message := llms.MessageContent{Role: roles[m.Role]}
		if m.Role == "tool" {
			message.Parts = append(message.Parts, llms.ToolCallResponse{ToolCallID: m.ToolCallID, Content: m.Content})
			out = append(out, message)
			continue
		}
		words, now := harness.SplitTime(m.Content)
		for _, text := range []string{words, now} {
			if text != "" {
				message.Parts = append(message.Parts, llms.TextContent{Text: text})
			}
		}
		for _, c := range m.ToolCalls {
			message.Parts = append(message.Parts, llms.ToolCall{
				ID: c.ID, Type: "function", FunctionCall: &llms.FunctionCall{
					Name:      c.Function.Name,
					Arguments: c.Function.Arguments,
				},
			})
		}
		out = append(out, message)
	}
	return out
}
