package main

import (
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

// startModel starts a scripted provider with OpenAI's chat completions API and returns its base URL.
func startModel() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat/completions", writeAnswer)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }() // serves until the program ends
	return "http://" + listener.Addr().String() + "/v1", nil
}

func writeAnswer(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	writeChunk := func(delta, finish string) {
		fmt.Fprintf(
			w,
			`data: {"id":"x","object":"chat.completion.chunk","choices":[{"index":0,"delta":%s,"finish_reason":%s}]}`+"\n\n",
			delta,
			finish,
		)
		_ = http.NewResponseController(w).Flush()
	}
	tick := time.NewTicker(chunkInterval)
	defer tick.Stop()
	for range chunks {
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
		writeChunk(`{"content":"`+timestamp(time.Now())+` "}`, "null")
	}
	writeChunk("{}", `"stop"`)
	fmt.Fprint(w, "data: [DONE]\n\n")
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
