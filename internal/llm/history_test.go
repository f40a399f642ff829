package llm

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

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

func TestNewHistory_Results_AreMatchedToCalls(t *testing.T) {
	h, err := newHistory([]llms.MessageContent{
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
	require.JSONEq(t, UnfinishedResult, h.Turns[3].Calls[0].Result)
	require.True(t, json.Valid([]byte(UnfinishedResult)))
}

func TestNewHistory_SecondPartOfUserMessage_IsNote(t *testing.T) {
	h, err := newHistory([]llms.MessageContent{
		human("a"),
		llms.TextParts(llms.ChatMessageTypeHuman, "b", "it is noon"),
		ai(llms.TextPart("c"), llms.TextPart("d")),
		llms.TextParts(llms.ChatMessageTypeHuman, "e", "it is one"),
	})
	require.NoError(t, err)
	require.Len(t, h.Turns, 3)
	require.Equal(t, []string{"a\n\nb", "it is noon"}, h.Turns[0].Texts())
	require.Equal(t, []string{"cd"}, h.Turns[1].Texts())
	require.Equal(t, "e\n\nit is one", h.Turns[2].JoinedText())
}

func TestNewHistory_NoUsableMessage_ReturnsError(t *testing.T) {
	for name, messages := range map[string][]llms.MessageContent{
		"nothing":     nil,
		"only system": {llms.TextParts(llms.ChatMessageTypeSystem, "s")},
		"only blanks": {human(" \n"), ai(llms.TextPart(""))},
		"an image":    {{Role: llms.ChatMessageTypeHuman, Parts: []llms.ContentPart{llms.ImageURLPart("http://x")}}},
	} {
		_, err := newHistory(messages)
		require.Error(t, err, name)
	}
}

func TestNewOptions_ToolChoices_AreAutoOrNone(t *testing.T) {
	for choice, forbidden := range map[any]bool{nil: false, "": false, "auto": false, "none": true} {
		o, err := newOptions([]llms.CallOption{llms.WithToolChoice(choice)})
		require.NoError(t, err)
		require.Equal(t, forbidden, o.NoToolCalls, choice)
	}
	for _, opt := range []llms.CallOption{
		llms.WithToolChoice("sometimes"),
		llms.WithToolChoice("required"),
		llms.WithToolChoice(17),
		llms.WithTools([]llms.Tool{{Type: "function"}}),
		llms.WithTools([]llms.Tool{{Function: &llms.FunctionDefinition{Name: "x", Parameters: func() {}}}}),
	} {
		_, err := newOptions([]llms.CallOption{opt})
		require.Error(t, err)
	}
}
