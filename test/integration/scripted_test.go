package integration

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

// asked is a model's request, as far as scripts look at it.
type asked struct {
	// said is the person's last message.
	said string
	// results are the tool results since then, as JSON.
	results []string
	// offered says that tools may be called.
	offered bool
	// request is the whole request, and body its JSON.
	request providertest.ChatRequest
	body    string
}

// model says what a script tells it, on the wire of every provider. Scripts are written in
// OpenAI's frames.
type model struct {
	// provider is whose wire a server speaks that is told the model's environ; "" is OpenAI's.
	provider string
	url      string
	script   func(a asked) providertest.Step

	mu   sync.Mutex
	seen []asked
	news chan struct{}
}

// scripted starts a model that ends with the test.
func scripted(t *testing.T, script func(a asked) providertest.Step) *model {
	t.Helper()
	m := &model{script: script, news: make(chan struct{}, 1)}
	server := httptest.NewServer(providertest.FakeProviders(m))
	t.Cleanup(server.Close)
	m.url = server.URL
	return m
}

// environ makes a server use the model.
func (m *model) environ() settings {
	return settings{
		"LLM_PROVIDER": cmp.Or(m.provider, "openai"), "LLM_MODEL": "scripted", "LLM_TITLES": "false",
		"OPENAI_API_KEY": providertest.APIKey, "OPENAI_BASE_URL": m.url + "/v1",
		"GEMINI_API_KEY": providertest.APIKey, "GEMINI_BASE_URL": m.url,
		"ANTHROPIC_API_KEY": providertest.APIKey, "ANTHROPIC_BASE_URL": m.url,
		"OLLAMA_BASE_URL": m.url + providertest.OllamaPath,
	}
}

// ServeHTTP implements http.Handler; the request is one of OpenAI's wire.
func (m *model) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller gave up while sending
	}
	var request providertest.ChatRequest
	if err := json.Unmarshal(body, &request); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	a := asked{request: request, offered: len(request.Tools) > 0, body: string(body)}
	for _, one := range request.Messages {
		switch one.Role {
		case "user":
			a.said, a.results = one.Content, nil
		case "tool":
			a.results = append(a.results, one.Content)
		}
	}
	m.mu.Lock()
	m.seen = append(m.seen, a)
	m.mu.Unlock()
	select {
	case m.news <- struct{}{}:
	default: // told already
	}
	m.script(a)(w, r)
}

// requests are the requests so far.
func (m *model) requests() []asked {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]asked(nil), m.seen...)
}

// await waits until a request satisfies ok.
func (m *model) await(t testing.TB, ok func(a asked) bool) {
	t.Helper()
	deadline := time.After(testclient.Timeout)
	for looked := 0; ; {
		all := m.requests()
		for ; looked < len(all); looked++ {
			if ok(all[looked]) {
				return
			}
		}
		select {
		case <-m.news:
		case <-deadline:
			require.Fail(t, "the model was not asked")
		}
	}
}

// The frames of OpenAI's stream.
const (
	doneFrame  = "data: [DONE]\n\n"
	usageFrame = `data: {"choices":[],"usage":{"prompt_tokens":11,"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":3}}}` + "\n\n"
)

func frameOf(delta any, finish string) string {
	choice := map[string]any{"index": 0, "delta": delta, "finish_reason": nil}
	if finish != "" {
		choice["finish_reason"] = finish
	}
	b, _ := json.Marshal(map[string]any{"choices": []any{choice}})
	return "data: " + string(b) + "\n\n"
}

// textFrames say something piece by piece, and do not end.
func textFrames(pieces ...string) []string {
	var frames []string
	for _, p := range pieces {
		frames = append(frames, frameOf(map[string]any{"content": p}, ""))
	}
	return frames
}

// sayText is a complete answer.
func sayText(pieces ...string) providertest.Step {
	return providertest.Stream(append(textFrames(pieces...), frameOf(map[string]any{}, "stop"), usageFrame, doneFrame)...)
}

// toolUse is a call as a script asks for it.
type toolUse struct{ name, arguments string }

// addTask is the tool use that adds a task.
func addTask(title string) toolUse { return toolUse{"add_task", fmt.Sprintf(`{"title":%q}`, title)} }

// callFrames say something and ask for tools, all at once, and do not end.
func callFrames(text string, uses ...toolUse) []string {
	frames := textFrames(text)
	for i, u := range uses {
		frames = append(frames, frameOf(map[string]any{"tool_calls": []any{map[string]any{
			"index": i, "id": fmt.Sprintf("c%d", i), "type": "function",
			"function": map[string]any{"name": u.name, "arguments": u.arguments},
		}}}, ""))
	}
	return frames
}

// useTools is a complete answer that asks for tools.
func useTools(text string, uses ...toolUse) providertest.Step {
	return providertest.Stream(
		append(callFrames(text, uses...), frameOf(map[string]any{}, "tool_calls"), usageFrame, doneFrame)...)
}
