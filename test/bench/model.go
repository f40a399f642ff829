package main

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// chunks and pace of the scripted model: each chunk holds the time at which it was sent.
const (
	chunks = 60
	pace   = 25 * time.Millisecond
)

// startModel serves a scripted model on OpenAI's wire and gives its address.
func startModel() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat/completions", answer)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }() // until the program ends
	return "http://" + listener.Addr().String() + "/v1", nil
}

func answer(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	say := func(delta, finish string) {
		fmt.Fprintf(
			w,
			`data: {"id":"x","object":"chat.completion.chunk","choices":[{"index":0,"delta":%s,"finish_reason":%s}]}`+"\n\n",
			delta,
			finish,
		)
		_ = http.NewResponseController(w).Flush()
	}
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for range chunks {
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
		say(`{"content":"`+stamp(time.Now())+` "}`, "null")
	}
	say("{}", `"stop"`)
	fmt.Fprint(w, "data: [DONE]\n\n")
}

func stamp(t time.Time) string { return "t" + strconv.FormatInt(t.UnixNano(), 36) }

// stamps are the times that a piece of text holds.
func stamps(text string) []time.Time {
	var out []time.Time
	for _, word := range strings.Fields(text) {
		if n, err := strconv.ParseInt(strings.TrimPrefix(word, "t"), 36, 64); err == nil {
			out = append(out, time.Unix(0, n))
		}
	}
	return out
}
