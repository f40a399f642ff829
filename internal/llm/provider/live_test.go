package provider_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"errand/internal/llm"
	"errand/internal/llm/provider"
	"errand/internal/secret"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

// liveSettings returns the settings of each provider whose key or address is set.
func liveSettings(getenv func(string) string) map[string]provider.Settings {
	all := map[string]provider.Settings{}
	add := func(name, variable string) {
		if getenv(variable) == "" {
			return
		}
		all[name] = provider.Settings{
			Provider:      name,
			Model:         getenv("LIVE_" + strings.ToUpper(name) + "_MODEL"),
			OpenAIKey:     secret.New(getenv("OPENAI_API_KEY")),
			OpenAIBaseURL: getenv("OPENAI_BASE_URL"),
			GeminiKey:     secret.New(getenv("GEMINI_API_KEY")),
			AnthropicKey:  secret.New(getenv("ANTHROPIC_API_KEY")),
			OllamaBaseURL: getenv("OLLAMA_BASE_URL"),
		}
	}
	add(provider.OpenAI, "OPENAI_API_KEY")
	add(provider.Gemini, "GEMINI_API_KEY")
	add(provider.Anthropic, "ANTHROPIC_API_KEY")
	add(provider.Ollama, "OLLAMA_BASE_URL")
	return all
}

func TestLiveSettings_AllKeysSet_HaveEveryProvider(t *testing.T) {
	require.Len(t, liveSettings(func(string) string { return "set" }), 4)
	require.Empty(t, liveSettings(func(string) string { return "" }))
}

// TestProviders_Live_ToolLoopEnds runs a tool loop against each real provider whose key is set.
func TestProviders_Live_ToolLoopEnds(t *testing.T) {
	for name, settings := range liveSettings(os.Getenv) {
		t.Run(name, func(t *testing.T) {
			client := llm.NewHTTPClient(1)
			t.Cleanup(client.CloseIdleConnections)
			settings.HTTP.Client = client
			m, _, err := provider.Open(settings)
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			defer cancel()

			history := []llms.MessageContent{
				llms.TextParts(llms.ChatMessageTypeSystem, "You keep a task list. Use the tools; answer in one short sentence."),
				llms.TextParts(llms.ChatMessageTypeHuman, "Add two tasks: buy milk, and buy bread."),
			}
			calls := 0
			for range 5 {
				c := liveStep(ctx, t, m, history)
				if len(c.ToolCalls) == 0 {
					require.NotEmpty(t, c.Content)
					require.Equal(t, 2, calls)
					return
				}
				calls += len(c.ToolCalls)
				history = append(history, historyOf(c)...)
			}
			t.Fatal("the model calls tools after five steps")
		})
	}
}

func liveStep(ctx context.Context, t *testing.T, m llms.Model, history []llms.MessageContent) *llms.ContentChoice {
	t.Helper()
	var pieces strings.Builder
	resp, err := m.GenerateContent(
		ctx,
		history,
		llms.WithTools([]llms.Tool{{Type: "function", Function: &llms.FunctionDefinition{
			Name: "add_task", Description: "Adds one task.",
			Parameters: map[string]any{
				"type": "object", "additionalProperties": false, "required": []string{"title"},
				"properties": map[string]any{"title": map[string]any{"type": "string"}},
			},
		}}}),
		llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
			pieces.Write(chunk)
			return nil
		}),
	)
	require.NoError(t, err)
	c := resp.Choices[0]
	require.Equal(t, c.Content, pieces.String())
	require.Positive(t, c.GenerationInfo[llm.InfoInputTokens])
	require.Positive(t, c.GenerationInfo[llm.InfoOutputTokens])
	return c
}

// historyOf returns the messages of a step, with a result for each call.
func historyOf(c *llms.ContentChoice) []llms.MessageContent {
	ai := llms.MessageContent{Role: llms.ChatMessageTypeAI, Parts: []llms.ContentPart{llms.TextPart(c.Content)}}
	if p, ok := llm.PartsOf(c); ok {
		ai.Parts = append(ai.Parts, p)
	}
	out := []llms.MessageContent{ai}
	for _, call := range c.ToolCalls {
		out[0].Parts = append(out[0].Parts, call)
		out = append(out, llms.MessageContent{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{
			llms.ToolCallResponse{ToolCallID: call.ID, Name: call.FunctionCall.Name, Content: `{"task":{"number":1}}`},
		}})
	}
	return out
}
