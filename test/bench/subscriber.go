package main

import (
	"bytes"
	"fmt"
	"strings"
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

func (s *subscriber) write(kind string, payload any) error {
	frame := map[string]any{"type": kind}
	if payload != nil {
		frame["id"], frame["payload"] = "1", payload
	}
	return s.conn.WriteJSON(frame)
}

// read returns the next message that is not a ping.
func (s *subscriber) read() ([]byte, error) {
	for {
		_, message, err := s.conn.ReadMessage()
		if err != nil {
			return nil, err
		}
		if !bytes.Contains(message, []byte(`"type":"ping"`)) {
			return message, nil
		}
		if err := s.write("pong", nil); err != nil {
			return nil, err
		}
	}
}

// readReply reads events until the reply is finished and records the age of each chunk on arrival. It decodes no JSON,
// as a thousand subscribers share the machine with the server.
func (s *subscriber) readReply() error {
	for {
		message, err := s.read()
		if err != nil {
			return err
		}
		now := time.Now()
		s.events++
		switch {
		case bytes.Contains(message, []byte(`"MessageDelta"`)):
			_, text, _ := strings.Cut(string(message), `"text":"`)
			text, _, _ = strings.Cut(text, `"`)
			for _, sent := range timestamps(text) {
				s.delays = append(s.delays, now.Sub(sent))
			}
		case bytes.Contains(message, []byte(`"MessageFinished"`)):
			return nil
		case bytes.Contains(message, []byte(`"type":"error"`)), bytes.Contains(message, []byte(`"errors"`)):
			return fmt.Errorf("the subscription failed: %s", message)
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
