package harness

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"errand/internal/llm/providertest"
	"errand/internal/testclient"

	"github.com/stretchr/testify/require"
)

// ModelRequest is a request that a [Model] received, with the parts that scripts use.
type ModelRequest struct {
	// UserMessage is the last message of the user.
	UserMessage string
	// ToolResults are the JSON tool results after UserMessage.
	ToolResults []string
	// ToolsOffered reports whether the request lists tools that may be called.
	ToolsOffered bool
	// Request is the decoded request, and Body its JSON.
	Request providertest.ChatRequest
	Body    string
}

// Model is a fake model provider that responds by a script, in the protocol of every provider. Scripts are written in
// the frames of OpenAI's protocol, which are translated for the others.
type Model struct {
	// Provider selects the protocol in Settings, as LLM_PROVIDER names it; empty means openai. "responses" is the
	// Responses API of openai.
	Provider string
	// URL is the base URL of the fake server.
	URL    string
	script func(request ModelRequest) providertest.Step

	mu       sync.Mutex
	received []ModelRequest
	arrived  chan struct{}
}

// StartModel starts a model that calls script for each request and stops when the test ends. Script calls may be
// concurrent.
func StartModel(t *testing.T, script func(request ModelRequest) providertest.Step) *Model {
	t.Helper()
	m := &Model{script: script, arrived: make(chan struct{}, 1)}
	server := httptest.NewServer(providertest.FakeProviders(m))
	t.Cleanup(server.Close)
	m.URL = server.URL
	return m
}

// Name returns the name of the provider in LLM_PROVIDER.
func (m *Model) Name() string {
	if m.Provider == responsesProvider {
		return "openai"
	}
	return cmp.Or(m.Provider, "openai")
}

// responsesProvider is the value of Provider for the Responses API of OpenAI.
const responsesProvider = "responses"

// Settings returns the settings with which a server uses the model. Title generation is off.
func (m *Model) Settings() Settings {
	api := "chat"
	if m.Provider == responsesProvider {
		api = "responses"
	}
	return Settings{
		"OPENAI_API": api, "LLM_PROVIDER": m.Name(), "LLM_MODEL": "scripted", "LLM_TITLES": "false",
		"OPENAI_API_KEY": providertest.APIKey, "OPENAI_BASE_URL": m.URL + "/v1",
		"GEMINI_API_KEY": providertest.APIKey, "GEMINI_BASE_URL": m.URL,
		"ANTHROPIC_API_KEY": providertest.APIKey, "ANTHROPIC_BASE_URL": m.URL,
		"OLLAMA_BASE_URL": m.URL + providertest.OllamaPath,
	}
}

// ServeHTTP implements http.Handler for requests in OpenAI's protocol.
func (m *Model) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller disconnected
	}
	var chat providertest.ChatRequest
	if err := json.Unmarshal(body, &chat); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	request := ModelRequest{
		Request:      chat,
		ToolsOffered: len(chat.Tools) > 0 && string(chat.ToolChoice) != `"none"`,
		Body:         string(body),
	}
	for _, message := range chat.Messages {
		switch message.Role {
		case "user":
			request.UserMessage, _ = SplitTime(message.Content)
			request.ToolResults = nil
		case "tool":
			request.ToolResults = append(request.ToolResults, message.Content)
		}
	}
	m.mu.Lock()
	m.received = append(m.received, request)
	m.mu.Unlock()
	select {
	case m.arrived <- struct{}{}:
	default: // already signaled
	}
	m.script(request)(w, r)
}

// SplitTime splits the content of a user's message into the user's words and the time that the agent adds to the newest
// message.
func SplitTime(content string) (words, time string) {
	words, time, found := strings.Cut(content, "<current-time>")
	if !found {
		return words, ""
	}
	return strings.TrimSuffix(words, "\n\n"), "<current-time>" + time
}

// Requests returns the requests received so far.
func (m *Model) Requests() []ModelRequest {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]ModelRequest(nil), m.received...)
}

// WaitForRequest waits until the model has received a request that satisfies ok. It fails the test after
// [testclient.Timeout].
func (m *Model) WaitForRequest(t testing.TB, ok func(request ModelRequest) bool) {
	t.Helper()
	deadline := time.After(testclient.Timeout)
	for checked := 0; ; {
		all := m.Requests()
		for ; checked < len(all); checked++ {
			if ok(all[checked]) {
				return
			}
		}
		select {
		case <-m.arrived:
		case <-deadline:
			require.Fail(t, "the model received no matching request")
		}
	}
}

// Frames of OpenAI's stream.
const (
	// DoneFrame ends the stream.
	DoneFrame = "data: [DONE]\n\n"
	// UsageFrame reports 11 prompt tokens, 3 of them cached, and 7 completion tokens.
	UsageFrame = `data: {"choices":[],"usage":{"prompt_tokens":11,"completion_tokens":7,` +
		`"prompt_tokens_details":{"cached_tokens":3}}}` + "\n\n"
)

// ChunkFrame returns a frame with a delta and a finish reason; an empty reason means null.
func ChunkFrame(delta any, finish string) string {
	choice := map[string]any{"index": 0, "delta": delta, "finish_reason": nil}
	if finish != "" {
		choice["finish_reason"] = finish
	}
	data, _ := json.Marshal(map[string]any{"choices": []any{choice}})
	return "data: " + string(data) + "\n\n"
}

// TextFrames returns a frame for each piece of text, without a final frame.
func TextFrames(pieces ...string) []string {
	var frames []string
	for _, p := range pieces {
		frames = append(frames, ChunkFrame(map[string]any{"content": p}, ""))
	}
	return frames
}

// TextResponse returns a step that streams the pieces of text as a complete response.
func TextResponse(pieces ...string) providertest.Step {
	return providertest.Stream(append(TextFrames(pieces...), ChunkFrame(map[string]any{}, "stop"), UsageFrame,
		DoneFrame)...)
}

// ToolCall is a tool call in a scripted response; Arguments is JSON.
type ToolCall struct{ Name, Arguments string }

// AddTaskCall returns a call of add_task that creates a task with the title.
func AddTaskCall(title string) ToolCall {
	return ToolCall{"add_task", fmt.Sprintf(`{"title":%q}`, title)}
}

// ToolCallFrames returns a frame with text and a frame for each parallel tool call, without a final frame.
func ToolCallFrames(text string, calls ...ToolCall) []string {
	frames := TextFrames(text)
	for i, call := range calls {
		frames = append(frames, ChunkFrame(map[string]any{"tool_calls": []any{map[string]any{
			"index": i, "id": fmt.Sprintf("c%d", i), "type": "function",
			"function": map[string]any{"name": call.Name, "arguments": call.Arguments},
		}}}, ""))
	}
	return frames
}

// ToolCallResponse returns a step that streams text and tool calls as a complete response.
func ToolCallResponse(text string, calls ...ToolCall) providertest.Step {
	return providertest.Stream(
		append(ToolCallFrames(text, calls...), ChunkFrame(map[string]any{}, "tool_calls"), UsageFrame, DoneFrame)...)
}
