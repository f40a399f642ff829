package llm_test

import (
	"encoding/json"
	"testing"

	"errand/internal/llm"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

var wire = llm.Wire{Provider: "test"}

func human(s string) llms.MessageContent { return llms.TextParts(llms.ChatMessageTypeHuman, s) }

func ai(parts ...llms.ContentPart) llms.MessageContent {
	return llms.MessageContent{Role: llms.ChatMessageTypeAI, Parts: parts}
}

func call(id, name, args string) llms.ToolCall {
	return llms.ToolCall{ID: id, FunctionCall: &llms.FunctionCall{Name: name, Arguments: args}}
}

func result(id, name, content string) llms.MessageContent {
	return llms.MessageContent{
		Role:  llms.ChatMessageTypeTool,
		Parts: []llms.ContentPart{llms.ToolCallResponse{ToolCallID: id, Name: name, Content: content}},
	}
}

func TestResultsFindTheirCalls(t *testing.T) {
	h, err := wire.ReadHistory([]llms.MessageContent{
		human("a"),
		ai(call("1", "x", ""), call("1", "x", ""), call("2", "y", "[]"), call("", "z", `{"n":1}`)),
		result("nobody", "x", "orphan"),
		result("2", "y", "second"),
		result("1", "x", "first"),
		human("b"),
		result("1", "x", "late"),
		result("", "z", "by name"),
		ai(call("1", "x", "{}")), // servers reuse ids
		human("c"),
	})
	require.NoError(t, err)
	require.Len(t, h.Turns, 5)
	calls := h.Turns[1].Calls
	require.Equal(t, "first", calls[0].Result)
	require.Equal(t, "late", calls[1].Result)
	require.Equal(t, "second", calls[2].Result)
	require.JSONEq(t, "{}", string(calls[2].Arguments))
	require.Equal(t, "by name", calls[3].Result)
	require.NotEmpty(t, calls[3].ID)
	require.Equal(t, llm.UnfinishedResult, h.Turns[3].Calls[0].Result)
	require.True(t, json.Valid([]byte(llm.UnfinishedResult)))
}

func TestHistoryRefusals(t *testing.T) {
	for name, messages := range map[string][]llms.MessageContent{
		"nothing":     nil,
		"only system": {llms.TextParts(llms.ChatMessageTypeSystem, "s")},
		"only blanks": {human(" \n"), ai(llms.TextPart(""))},
		"an image":    {{Role: llms.ChatMessageTypeHuman, Parts: []llms.ContentPart{llms.ImageURLPart("http://x")}}},
	} {
		_, err := wire.ReadHistory(messages)
		require.Equal(t, llm.KindBadRequest, llm.KindOf(err), name)
	}
}

func TestOptions(t *testing.T) {
	o, err := wire.ReadOptions(nil)
	require.NoError(t, err)
	require.Nil(t, o.Temperature)
	for choice, want := range map[any]llm.Choice{
		"any": {Mode: "required"}, "none": {Mode: "none"}, llms.ToolChoice{Type: "auto"}: {Mode: "auto"},
	} {
		o, err = wire.ReadOptions([]llms.CallOption{llms.WithToolChoice(choice), llms.WithTemperature(0)})
		require.NoError(t, err)
		require.Equal(t, want, o.Choice)
		require.Zero(t, *o.Temperature)
	}
	for _, opt := range []llms.CallOption{
		llms.WithToolChoice("sometimes"), llms.WithToolChoice(17), llms.WithTools([]llms.Tool{{Type: "function"}}),
		llms.WithTools([]llms.Tool{{Function: &llms.FunctionDefinition{Name: "x", Parameters: func() {}}}}),
	} {
		_, err = wire.ReadOptions([]llms.CallOption{opt})
		require.Equal(t, llm.KindBadRequest, llm.KindOf(err))
	}
}
