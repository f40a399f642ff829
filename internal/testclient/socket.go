package testclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

// Socket is a graphql-transport-ws connection that carries any number of subscriptions. It is safe for
// concurrent use.
type Socket struct {
	conn *websocket.Conn

	writeMu       sync.Mutex
	mu            sync.Mutex
	lastID        int
	subscriptions map[string]*Subscription
	err           error // set before done is closed
	done          chan struct{}
}

// frame is a message of the protocol.
type frame struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// Dial opens and initializes a socket, which is closed at the end of the test.
func (c *Client) Dial(t testing.TB) *Socket {
	t.Helper()
	s, err := c.TryDial(t.Context())
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// TryDial opens and initializes a socket. If the server rejects the initialization, the error wraps a
// *websocket.CloseError.
func (c *Client) TryDial(ctx context.Context) (*Socket, error) {
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}, HandshakeTimeout: Timeout}
	conn, _, err := dialer.DialContext(ctx, "ws"+strings.TrimPrefix(c.URL, "http")+"/graphql", nil)
	if err != nil {
		return nil, err
	}
	payload, _ := json.Marshal(map[string]string{"authorization": "Bearer " + c.Token})
	initFrame := frame{Type: "connection_init", Payload: payload}
	if c.Token == "" {
		initFrame.Payload = nil
	}
	var ack frame
	_ = conn.SetReadDeadline(time.Now().Add(Timeout))
	if err := errors.Join(conn.WriteJSON(initFrame), conn.ReadJSON(&ack)); err != nil || ack.Type != "connection_ack" {
		_ = conn.Close()
		return nil, fmt.Errorf("expected connection_ack, received %q: %w", ack.Type, err)
	}
	_ = conn.SetReadDeadline(time.Time{})
	s := &Socket{conn: conn, subscriptions: map[string]*Subscription{}, done: make(chan struct{})}
	go s.readLoop()
	return s, nil
}

// RenewToken sends a new token for the connection. The server ignores one that it refuses.
func (s *Socket) RenewToken(t testing.TB, token string) {
	t.Helper()
	payload, err := json.Marshal(map[string]string{"authorization": "Bearer " + token})
	require.NoError(t, err)
	require.NoError(t, s.write(frame{Type: "ping", Payload: payload}))
}

// Close closes the connection and waits for the read loop to return.
func (s *Socket) Close() {
	_ = s.conn.Close()
	<-s.done
}

// CloseCode waits until the server closes the socket and returns the close code.
func (s *Socket) CloseCode(t testing.TB) int {
	t.Helper()
	select {
	case <-s.done:
	case <-time.After(Timeout):
		require.Fail(t, "the server did not close the socket")
	}
	var closed *websocket.CloseError
	require.ErrorAs(t, s.err, &closed)
	return closed.Code
}

func (s *Socket) readLoop() {
	defer close(s.done)
	for {
		var f frame
		if err := s.conn.ReadJSON(&f); err != nil {
			s.failAll(err)
			return
		}
		switch f.Type {
		case "ping":
			_ = s.write(frame{Type: "pong"})
		case "next", "error", "complete":
			s.deliver(f)
		}
	}
}

func (s *Socket) write(f frame) error {
	s.writeMu.Lock()
	defer s.writeMu.Unlock()
	return s.conn.WriteJSON(f)
}

func (s *Socket) failAll(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
	for _, sub := range s.subscriptions {
		sub.end(err)
	}
}

func (s *Socket) deliver(f frame) {
	s.mu.Lock()
	sub := s.subscriptions[f.ID]
	if f.Type != "next" {
		delete(s.subscriptions, f.ID)
	}
	s.mu.Unlock()
	if sub == nil {
		return // stopped by Subscription.Stop
	}
	switch f.Type {
	case "next":
		sub.push(f.Payload)
	case "error":
		var list Errors
		_ = json.Unmarshal(f.Payload, &list)
		sub.end(list)
	default:
		sub.end(io.EOF)
	}
}

// Subscription receives the responses of one operation.
type Subscription struct {
	socket *Socket
	id     string
	mu     sync.Mutex
	queue  []json.RawMessage
	err    error
	wake   chan struct{}
}

// Subscribe starts an operation.
func (s *Socket) Subscribe(t testing.TB, document string, vars Vars) *Subscription {
	t.Helper()
	sub, err := s.TrySubscribe(document, vars)
	require.NoError(t, err)
	return sub
}

// TrySubscribe starts an operation and returns the error of a closed socket.
func (s *Socket) TrySubscribe(document string, vars Vars) (*Subscription, error) {
	s.mu.Lock()
	s.lastID++
	sub := &Subscription{socket: s, id: strconv.Itoa(s.lastID), wake: make(chan struct{}, 1), err: s.err}
	s.subscriptions[sub.id] = sub
	s.mu.Unlock()
	payload, err := json.Marshal(map[string]any{"query": document, "variables": vars})
	if err != nil {
		return nil, err
	}
	return sub, s.write(frame{ID: sub.id, Type: "subscribe", Payload: payload})
}

// Stop completes the operation from the client's side. Next returns the responses received before.
func (s *Subscription) Stop() {
	s.socket.mu.Lock()
	delete(s.socket.subscriptions, s.id)
	s.socket.mu.Unlock()
	_ = s.socket.write(frame{ID: s.id, Type: "complete"})
}

func (s *Subscription) push(payload json.RawMessage) {
	s.mu.Lock()
	s.queue = append(s.queue, payload)
	s.mu.Unlock()
	s.notify()
}

func (s *Subscription) end(err error) {
	s.mu.Lock()
	if s.err == nil {
		s.err = err
	}
	s.mu.Unlock()
	s.notify()
}

func (s *Subscription) notify() {
	select {
	case s.wake <- struct{}{}:
	default: // a wake-up is already pending
	}
}

// Next waits for the next response, at most for Timeout. After the last one it returns io.EOF if the server
// completed the operation, Errors if it rejected the operation, and the socket's error if the socket closed.
func (s *Subscription) Next(ctx context.Context) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, Timeout, errors.New("testclient: timed out waiting for a response"))
	defer cancel()
	for {
		payload, err, ok := s.take()
		if ok {
			return payload, err
		}
		select {
		case <-s.wake:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func (s *Subscription) take() (payload json.RawMessage, err error, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) > 0 {
		payload, s.queue = s.queue[0], s.queue[1:]
		return payload, nil, true
	}
	return nil, s.err, s.err != nil
}
