package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"
)

// model is a slow provider with OpenAI's chat completions API. Every answer has a different text, so that a mixture of
// two attempts at one reply is detected.
type model struct {
	server     *httptest.Server
	violations *violations

	mu       sync.Mutex
	random   *rand.Rand
	requests int
}

func newModel(random *rand.Rand, v *violations) *model {
	m := &model{random: random, violations: v}
	m.server = httptest.NewServer(m)
	return m
}

// modelRequest holds the fields of a chat completions request that the model uses.
type modelRequest struct {
	Messages []struct {
		Role    string
		Content json.RawMessage
	}
}

// ServeHTTP implements http.Handler.
func (m *model) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in modelRequest
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return // the replica died during the request
	}
	content, results := "", 0 // the last user message and the number of tool results after it
	for _, message := range in.Messages {
		switch message.Role {
		case "user":
			content, results = "", 0
			_ = json.Unmarshal(message.Content, &content)
			content, _, _ = strings.Cut(content, "\n\n<current-time>") // which the agent adds
		case "tool":
			results++
		}
	}
	if tool, arguments, ok := parseCall(content); ok {
		if results > 0 {
			tool = "" // done, or decided
		}
		m.writeAnswer(w, r, tool, arguments)
		return
	}
	s, ok := parseScript(content)
	if !ok { // for example the request of a conversation summary
		m.writeAnswer(w, r, "add_task")
		return
	}
	titles, ok := s.step(results)
	if !ok {
		m.violations.add("turn %s: a request has %d tool results, after which no step starts", s.turn, results)
		return
	}
	calls := make([]string, len(titles))
	for i, title := range titles {
		calls[i] = fmt.Sprintf(`{"title":%q}`, title)
	}
	m.writeAnswer(w, r, "add_task", calls...)
}

// parseCall decodes a message that contains one tool call: "call ROUND: TOOL ARGUMENTS".
func parseCall(message string) (tool, arguments string, ok bool) {
	head, tail, found := strings.Cut(message, ": ")
	tool, arguments, ok = strings.Cut(tail, " ")
	return tool, arguments, ok && found && strings.HasPrefix(head, "call ")
}

// writeAnswer streams a random text and then a call of the tool with each of the arguments, none if tool is empty.
func (m *model) writeAnswer(w http.ResponseWriter, r *http.Request, tool string, calls ...string) {
	a := m.randomAnswer()
	if a.unavailable {
		http.Error(w, `{"error":{"message":"try again"}}`, http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	for i, chunk := range a.chunks {
		if a.abortAt == i {
			panic(http.ErrAbortHandler) // closes the connection within the response
		}
		fmt.Fprint(w, sseEvent(map[string]any{"content": chunk}, nil))
		if out.Flush() != nil {
			return
		}
		sleep(r.Context(), a.interval)
	}
	finish := "stop"
	for i, arguments := range calls {
		if tool == "" {
			break
		}
		finish = "tool_calls"
		fmt.Fprint(w, sseEvent(map[string]any{"tool_calls": []any{map[string]any{
			"index": i, "id": fmt.Sprintf("call_%d", i), "type": "function",
			"function": map[string]any{"name": tool, "arguments": arguments},
		}}}, nil))
	}
	fmt.Fprint(w, sseEvent(map[string]any{}, finish), "data: [DONE]\n\n")
}

// sseEvent encodes a chat completion chunk as a server-sent event.
func sseEvent(delta map[string]any, finish any) string {
	b, _ := json.Marshal(
		map[string]any{"choices": []any{map[string]any{"index": 0, "delta": delta, "finish_reason": finish}}},
	)
	return "data: " + string(b) + "\n\n"
}

// answer describes one response of the model.
type answer struct {
	chunks      []string
	interval    time.Duration // between chunks
	unavailable bool          // respond with status 503
	abortAt     int           // index of the chunk at which the connection breaks; -1 for none
}

var words = strings.Fields("alpha bravo charlie delta 🦊 echo foxtrot grün hotel índia 日本 juliet kilo 👩‍👩‍👧 lima mike")

func (m *model) randomAnswer() answer {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests++
	a := answer{
		abortAt:     -1,
		interval:    time.Duration(5+m.random.IntN(40)) * time.Millisecond,
		unavailable: m.random.IntN(60) == 0,
	}
	text, length := fmt.Sprintf("(%d)", m.requests), 1+m.random.IntN(8) // length: mean number of words in a chunk
	for range 5 + m.random.IntN(60) {
		text += " " + words[m.random.IntN(len(words))]
		if m.random.IntN(length) == 0 {
			a.chunks, text = append(a.chunks, text), ""
		}
	}
	a.chunks = append(a.chunks, text+".")
	if m.random.IntN(40) == 0 {
		a.abortAt = m.random.IntN(len(a.chunks))
	}
	return a
}
