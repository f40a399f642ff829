package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

const streamDocument = `subscription($c:ID!){messageStream(conversationId:$c){__typename cursor
	... on MessageAdded{message{id role content status}} ... on MessageDelta{messageId offset text} ... on MessageFinished{message{id content status}}}}`

// watcher is one subscriber of one conversation on a socket of its own.
type watcher struct {
	conn   *websocket.Conn
	delays []time.Duration
	events int
}

func (b *bench) watch(ctx context.Context, address, token, conversation string) (*watcher, error) {
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}, ReadBufferSize: 1024, WriteBufferSize: 512}
	conn, resp, err := dialer.DialContext(
		ctx,
		"ws://"+address+"/graphql",
		http.Header{"Authorization": {"Bearer " + token}},
	)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	resp.Body.Close()
	w := &watcher{conn: conn}
	if err := w.write("connection_init", nil); err != nil {
		return nil, err
	}
	if _, err := w.read(); err != nil { // connection_ack
		return nil, err
	}
	return w, w.write("subscribe", map[string]any{"query": streamDocument, "variables": map[string]any{"c": conversation}})
}

func (w *watcher) write(kind string, payload any) error {
	frame := map[string]any{"type": kind}
	if payload != nil {
		frame["id"], frame["payload"] = "1", payload
	}
	return w.conn.WriteJSON(frame)
}

type frame struct {
	Type    string `json:"type"`
	Payload struct {
		Data struct {
			MessageStream struct {
				Typename string `json:"__typename"`
				Text     string `json:"text"`
			} `json:"messageStream"`
		} `json:"data"`
	} `json:"payload"`
}

func (w *watcher) read() (f frame, err error) {
	for {
		_, message, err := w.conn.ReadMessage()
		if err != nil {
			return f, err
		}
		if err := json.Unmarshal(message, &f); err != nil {
			return f, err
		}
		if f.Type != "ping" {
			return f, nil
		}
		if err := w.write("pong", nil); err != nil {
			return f, err
		}
	}
}

// follow reads until the reply is finished, noting how old each piece of text is on arrival.
func (w *watcher) follow() error {
	for {
		f, err := w.read()
		if err != nil {
			return err
		}
		now := time.Now()
		w.events++
		for _, sent := range stamps(f.Payload.Data.MessageStream.Text) {
			w.delays = append(w.delays, now.Sub(sent))
		}
		if f.Payload.Data.MessageStream.Typename == "MessageFinished" {
			return nil
		}
	}
}

// followAll follows with every watcher and closes them.
func followAll(watchers []*watcher) error {
	errs := make([]error, len(watchers))
	var wg sync.WaitGroup
	for i, w := range watchers {
		wg.Go(func() {
			errs[i] = w.follow()
			_ = w.conn.Close()
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
