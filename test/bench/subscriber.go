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
	... on MessageAdded{message{id role content status}} ... on MessageDelta{messageId offset text}
	... on MessageFinished{message{id content status}}}}`

// subscriber follows one conversation on its own socket.
type subscriber struct {
	conn   *websocket.Conn
	delays []time.Duration
	events int
}

func (b *bench) subscribe(ctx context.Context, address, token, conversation string) (*subscriber, error) {
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
	s := &subscriber{conn: conn}
	if err := s.write("connection_init", nil); err != nil {
		return nil, err
	}
	if _, err := s.read(); err != nil { // connection_ack
		return nil, err
	}
	return s, s.write("subscribe", map[string]any{"query": streamDocument, "variables": map[string]any{"c": conversation}})
}

func (s *subscriber) write(kind string, payload any) error {
	frame := map[string]any{"type": kind}
	if payload != nil {
		frame["id"], frame["payload"] = "1", payload
	}
	return s.conn.WriteJSON(frame)
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

func (s *subscriber) read() (f frame, err error) {
	for {
		_, message, err := s.conn.ReadMessage()
		if err != nil {
			return f, err
		}
		if err := json.Unmarshal(message, &f); err != nil {
			return f, err
		}
		if f.Type != "ping" {
			return f, nil
		}
		if err := s.write("pong", nil); err != nil {
			return f, err
		}
	}
}

// readReply reads events until the reply is finished and records the age of each chunk on arrival.
func (s *subscriber) readReply() error {
	for {
		f, err := s.read()
		if err != nil {
			return err
		}
		now := time.Now()
		s.events++
		for _, sent := range timestamps(f.Payload.Data.MessageStream.Text) {
			s.delays = append(s.delays, now.Sub(sent))
		}
		if f.Payload.Data.MessageStream.Typename == "MessageFinished" {
			return nil
		}
	}
}

// readAllReplies runs readReply for all subscribers concurrently and closes their connections.
func readAllReplies(subscribers []*subscriber) error {
	errs := make([]error, len(subscribers))
	var wg sync.WaitGroup
	for i, s := range subscribers {
		wg.Go(func() {
			errs[i] = s.readReply()
			_ = s.conn.Close()
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
