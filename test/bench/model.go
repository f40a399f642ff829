package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Size and speed of the scripted model's answers. Each chunk contains the time at which it was sent.
const (
	chunks        = 60
	chunkInterval = 25 * time.Millisecond
)

// Messages of the user that select what the scripted model does. Others are answered with text.
const (
	askTool  = "Add a task"           // calls a tool, then answers with text
	askQuick = "Answer quickly"       // answers with one word at once
	askHang  = "Answer after a while" // does not answer
)

// startModel starts a scripted provider with OpenAI's chat completions API, which serves until the program ends, and
// returns its base URL.
func startModel() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat/completions", answer)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	return "http://" + listener.Addr().String() + "/v1", nil
}

// answer answers the newest message of the request.
func answer(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Messages []struct{ Role, Content string }
	}
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	asked, toolDone := "", false
	for _, m := range request.Messages {
		if m.Role == "user" {
			asked, toolDone = m.Content, false
		}
		toolDone = toolDone || m.Role == "tool"
	}
	w.Header().Set("Content-Type", "text/event-stream")
	switch {
	case strings.HasPrefix(asked, askTool) && !toolDone:
		writeChunk(w, `{"tool_calls":[{"index":0,"id":"call_1","type":"function",`+
			`"function":{"name":"add_task","arguments":"{\"title\":\"Buy groceries\"}"}}]}`, "null")
		writeChunk(w, "{}", `"tool_calls"`)
	case strings.HasPrefix(asked, askQuick):
		writeChunk(w, `{"content":"Done."}`, "null")
		writeChunk(w, "{}", `"stop"`)
	case strings.HasPrefix(asked, askHang):
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	default:
		tick := time.NewTicker(chunkInterval)
		defer tick.Stop()
		for range chunks {
			select {
			case <-tick.C:
			case <-r.Context().Done():
				return
			}
			writeChunk(w, `{"content":"`+timestamp(time.Now())+` "}`, "null")
		}
		writeChunk(w, "{}", `"stop"`)
	}
	fmt.Fprint(w, "data: [DONE]\n\n")
}

func writeChunk(w http.ResponseWriter, delta, finish string) {
	const frame = `data: {"id":"x","object":"chat.completion.chunk",` +
		`"choices":[{"index":0,"delta":%s,"finish_reason":%s}]}` + "\n\n"
	fmt.Fprintf(w, frame, delta, finish)
	_ = http.NewResponseController(w).Flush()
}

func timestamp(t time.Time) string { return "t" + strconv.FormatInt(t.UnixNano(), 36) }

// timestamps returns the times that a text contains.
func timestamps(text string) []time.Time {
	var out []time.Time
	for _, word := range strings.Fields(text) {
		if n, err := strconv.ParseInt(strings.TrimPrefix(word, "t"), 36, 64); err == nil {
			out = append(out, time.Unix(0, n))
		}
	}
	return out
}
