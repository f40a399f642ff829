package harness

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"errand/internal/llm/providertest"
	"errand/internal/testclient"

	"github.com/stretchr/testify/require"
)

// ModelRequest is a model's request, as far as scripts look at it.
type ModelRequest struct {
	// said is the person's last message.
	UserMessage string
	// results are the tool results since then, as JSON.
	ToolResults []string
	// offered says that tools may be called.
	ToolsOffered bool
	// request is the whole request, and body its JSON.
	Request providertest.ChatRequest
	Body    string
}

// Model says what a script tells it, on the wire of every provider. Scripts are written in
// OpenAI's frames.
type Model struct {
	// provider is whose wire a server speaks that is told the model's environ; "" is OpenAI's.
	Provider string
	URL      string
	script   func(a ModelRequest) providertest.Step

	mu       sync.Mutex
	received []ModelRequest
	arrived  chan struct{}
}

// StartModel starts a model that ends with the test.
func StartModel(t *testing.T, script func(a ModelRequest) providertest.Step) *Model {
	t.Helper()
	m := &Model{script: script, arrived: make(chan struct{}, 1)}
	server := httptest.NewServer(providertest.FakeProviders(m))
	t.Cleanup(server.Close)
	m.URL = server.URL
	return m
}

// Settings makes a server use the model.
func (m *Model) Settings() Settings {
	return Settings{
		"LLM_PROVIDER": cmp.Or(m.Provider, "openai"), "LLM_MODEL": "scripted", "LLM_TITLES": "false",
		"OPENAI_API_KEY": providertest.APIKey, "OPENAI_BASE_URL": m.URL + "/v1",
		"GEMINI_API_KEY": providertest.APIKey, "GEMINI_BASE_URL": m.URL,
		"ANTHROPIC_API_KEY": providertest.APIKey, "ANTHROPIC_BASE_URL": m.URL,
		"OLLAMA_BASE_URL": m.URL + providertest.OllamaPath,
	}
}

// ServeHTTP implements http.Handler; the request is one of OpenAI's wire.
func (m *Model) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller gave up while sending
	}
	var request providertest.ChatRequest
	if err := json.Unmarshal(body, &request); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	a := ModelRequest{Request: request, ToolsOffered: len(request.Tools) > 0, Body: string(body)}
	for _, one := range request.Messages {
		switch one.Role {
		case "user":
			a.UserMessage, a.ToolResults = one.Content, nil
		case "tool":
			a.ToolResults = append(a.ToolResults, one.Content)
		}
	}
	m.mu.Lock()
	m.received = append(m.received, a)
	m.mu.Unlock()
	select {
	case m.arrived <- struct{}{}:
	default: // told already
	}
	m.script(a)(w, r)
}

// Requests are the requests so far.
func (m *Model) Requests() []ModelRequest {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]ModelRequest(nil), m.received...)
}

// WaitForRequest waits until a request satisfies ok.
func (m *Model) WaitForRequest(t testing.TB, ok func(a ModelRequest) bool) {
	t.Helper()
	deadline := time.After(testclient.Timeout)
	for looked := 0; ; {
		all := m.Requests()
		for ; looked < len(all); looked++ {
			if ok(all[looked]) {
				return
			}
		}
		select {
		case <-m.arrived:
		case <-deadline:
			require.Fail(t, "the model was not asked")
		}
	}
}

// The frames of OpenAI's stream.
const (
	DoneFrame  = "data: [DONE]\n\n"
	UsageFrame = `data: {"choices":[],"usage":{"prompt_tokens":11,"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":3}}}` + "\n\n"
)

func ChunkFrame(delta any, finish string) string {
	choice := map[string]any{"index": 0, "delta": delta, "finish_reason": nil}
	if finish != "" {
		choice["finish_reason"] = finish
	}
	b, _ := json.Marshal(map[string]any{"choices": []any{choice}})
	return "data: " + string(b) + "\n\n"
}

// TextFrames say something piece by piece, and do not end.
func TextFrames(pieces ...string) []string {
	var frames []string
	for _, p := range pieces {
		frames = append(frames, ChunkFrame(map[string]any{"content": p}, ""))
	}
	return frames
}

// TextResponse is a complete answer.
func TextResponse(pieces ...string) providertest.Step {
	return providertest.Stream(append(TextFrames(pieces...), ChunkFrame(map[string]any{}, "stop"), UsageFrame, DoneFrame)...)
}

// ToolCall is a call as a script asks for it.
type ToolCall struct{ Name, Arguments string }

// AddTaskCall is the tool use that adds a task.
func AddTaskCall(title string) ToolCall {
	return ToolCall{"add_task", fmt.Sprintf(`{"title":%q}`, title)}
}

// ToolCallFrames say something and ask for tools, all at once, and do not end.
func ToolCallFrames(text string, uses ...ToolCall) []string {
	frames := TextFrames(text)
	for i, u := range uses {
		frames = append(frames, ChunkFrame(map[string]any{"tool_calls": []any{map[string]any{
			"index": i, "id": fmt.Sprintf("c%d", i), "type": "function",
			"function": map[string]any{"name": u.Name, "arguments": u.Arguments},
		}}}, ""))
	}
	return frames
}

// ToolCallResponse is a complete answer that asks for tools.
func ToolCallResponse(text string, uses ...ToolCall) providertest.Step {
	return providertest.Stream(
		append(ToolCallFrames(text, uses...), ChunkFrame(map[string]any{}, "tool_calls"), UsageFrame, DoneFrame)...)
}
