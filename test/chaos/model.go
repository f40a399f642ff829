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

// model is a slow provider on OpenAI's wire. It never says the same twice: should two attempts
// at one reply mix, it shows.
type model struct {
	server *httptest.Server
	wrong  *violations

	mu     sync.Mutex
	random *rand.Rand
	asked  int
}

func newModel(random *rand.Rand, wrong *violations) *model {
	m := &model{random: random, wrong: wrong}
	m.server = httptest.NewServer(m)
	return m
}

// request is what replicas send, as far as it matters.
type request struct {
	Messages []struct {
		Role    string
		Content json.RawMessage
	}
}

// ServeHTTP implements http.Handler.
func (m *model) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var asked request
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		return // the replica died while asking
	}
	said, results := "", 0
	for _, one := range asked.Messages {
		switch one.Role {
		case "user":
			said, results = "", 0
			_ = json.Unmarshal(one.Content, &said)
		case "tool":
			results++
		}
	}
	p, ok := parsePlan(said)
	if !ok { // such as a summary of what was said long ago
		m.answer(w, r, nil)
		return
	}
	titles, ok := p.step(results)
	if !ok {
		m.wrong.add("turn %s: the model was asked again with %d results, which no step ends with", p.turn, results)
		return
	}
	m.answer(w, r, titles)
}

// answer says something, slowly, and asks for the tasks.
func (m *model) answer(w http.ResponseWriter, r *http.Request, titles []string) {
	a := m.improvise()
	if a.refused {
		http.Error(w, `{"error":{"message":"try again"}}`, http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	for i, piece := range a.pieces {
		if a.breaksAt == i {
			panic(http.ErrAbortHandler) // a provider that dies
		}
		fmt.Fprint(w, frame(map[string]any{"content": piece}, nil))
		if out.Flush() != nil {
			return
		}
		pause(r.Context(), a.pace)
	}
	finish := "stop"
	for i, title := range titles {
		finish = "tool_calls"
		fmt.Fprint(w, frame(map[string]any{"tool_calls": []any{map[string]any{
			"index": i, "id": fmt.Sprintf("call_%d", i), "type": "function",
			"function": map[string]any{"name": "add_task", "arguments": fmt.Sprintf(`{"title":%q}`, title)},
		}}}, nil))
	}
	fmt.Fprint(w, frame(map[string]any{}, finish), "data: [DONE]\n\n")
}

func frame(delta map[string]any, finish any) string {
	b, _ := json.Marshal(
		map[string]any{"choices": []any{map[string]any{"index": 0, "delta": delta, "finish_reason": finish}}},
	)
	return "data: " + string(b) + "\n\n"
}

// improvisation is how one answer goes.
type improvisation struct {
	pieces   []string
	pace     time.Duration
	refused  bool
	breaksAt int // -1 for never
}

var words = strings.Fields("alpha bravo charlie delta 🦊 echo foxtrot grün hotel índia 日本 juliet kilo 👩‍👩‍👧 lima mike")

func (m *model) improvise() improvisation {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked++
	a := improvisation{
		breaksAt: -1,
		pace:     time.Duration(5+m.random.IntN(40)) * time.Millisecond,
		refused:  m.random.IntN(60) == 0,
	}
	text, length := fmt.Sprintf("(%d)", m.asked), 1+m.random.IntN(8) // words in a piece, about
	for range 5 + m.random.IntN(60) {
		text += " " + words[m.random.IntN(len(words))]
		if m.random.IntN(length) == 0 {
			a.pieces, text = append(a.pieces, text), ""
		}
	}
	a.pieces = append(a.pieces, text+".")
	if m.random.IntN(40) == 0 {
		a.breaksAt = m.random.IntN(len(a.pieces))
	}
	return a
}
