package ws

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"time"

	"errand/internal/graphqlhttp/exec"

	"github.com/gorilla/websocket"
)

// unauthenticatedMessageBytes is the maximum size of messages of clients that are not authenticated.
const unauthenticatedMessageBytes = 16 << 10

// socket is one WebSocket. An idle socket has one goroutine, which reads; a second one writes while there are messages
// to write, and idle subscriptions have none.
type socket struct {
	*shared
	conn     *websocket.Conn
	remote   string    // the address of the peer
	protocol *protocol // nil when the client offers no known subprotocol
	// ctx carries the values of the upgrade request. It never ends: the socket ends each of its operations itself,
	// which takes less memory than a tree of contexts.
	ctx context.Context
	// running counts the operations in progress.
	running sync.WaitGroup

	mu           sync.Mutex
	starting     bool            // the limiter counts this socket as one before connection_init
	initialised  bool            // connection_ack was enqueued
	userCtx      context.Context // the context in which operations run
	identity     exec.Identity
	assignedUser string // the user for whom the limiter counts this socket
	operations   operationSet
	queue        writeQueue
	timer        *time.Timer // for connection_init, then for the next ping
	tokenTimer   *time.Timer
	stopWatch    func()       // ends the watch for the revocation of the token; nil before connection_ack
	leaving      *CloseReason // if set, the socket closes with it when its last operation has ended
	closing      bool
	closeCode    int
}

// newSocket returns a socket that is authenticated by its upgrade request, or anonymous until connection_init. The
// limiters have counted it.
func newSocket(
	sh *shared, conn *websocket.Conn, p *protocol, requestCtx context.Context, identity exec.Identity,
) *socket {
	ctx := context.WithoutCancel(requestCtx) // the request's context ends when its handler returns
	s := &socket{
		shared:    sh,
		conn:      conn,
		protocol:  p,
		ctx:       ctx,
		userCtx:   ctx,
		identity:  identity,
		closeCode: closeLost,

		starting:     true,
		assignedUser: identity.UserID,
	}
	s.queue = writeQueue{
		mu:           &s.mu,
		conn:         conn,
		maxBytes:     sh.options.QueueBytes,
		writeTimeout: sh.options.WriteTimeout,
	}
	conn.SetReadLimit(unauthenticatedMessageBytes)
	conn.SetPingHandler(s.answerPingFrame)
	conn.SetPongHandler(func(string) error { s.extendReadDeadline(); return nil })
	s.mu.Lock()
	s.timer = time.AfterFunc(sh.options.InitTimeout, s.initTimedOut)
	s.mu.Unlock()
	return s
}

// enqueue encodes a message and adds it to the write queue; false when the socket is closing or the message's
// operation, if it has one, is over.
func (s *socket) enqueue(o *operation, encode func(*bytes.Buffer)) bool {
	body := exec.GetBuffer()
	encode(body)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing || o != nil && !s.operations.has(o) {
		exec.PutBuffer(body)
		return false
	}
	s.queue.enqueue(message{operation: o, body: body})
	return true
}

// waitForSpace waits until the write queue has space, and closes the socket when the client reads too slowly. False
// when the socket or ctx is over.
func (s *socket) waitForSpace(ctx context.Context) bool {
	err := s.queue.waitForSpace(ctx, s.options.SlowReaderTimeout)
	if errors.Is(err, errSlowReader) {
		s.close(CloseSlowReader)
	}
	return err == nil
}

// extendReadDeadline postpones the time at which the connection counts as lost. Before connection_init it does
// nothing.
func (s *socket) extendReadDeadline() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.initialised && !s.closing {
		_ = s.conn.SetReadDeadline(time.Now().Add(s.options.KeepAlive * 5 / 2))
	}
}

// answerPingFrame answers a WebSocket ping frame (RFC 6455, section 5.5.2).
func (s *socket) answerPingFrame(data string) error {
	s.extendReadDeadline()
	_ = s.conn.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(s.options.WriteTimeout))
	return nil
}

// sendPing keeps the connection open in proxies, and makes the client send a pong.
func (s *socket) sendPing() {
	_ = s.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(s.options.WriteTimeout))
	if s.protocol.legacy {
		s.enqueue(nil, func(b *bytes.Buffer) { writeMessage(b, "ka", "", nil) })
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closing {
		s.timer.Reset(s.options.KeepAlive)
	}
}

// started frees the socket's place among those before connection_init. Later calls do nothing.
func (s *socket) started() {
	s.mu.Lock()
	starting := s.starting
	s.starting = false
	s.mu.Unlock()
	if starting {
		s.shared.starting.Release("")
	}
}

func (s *socket) initTimedOut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.initialised {
		s.closeLocked(CloseInitTimeout)
	}
}

func (s *socket) isClosing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

func (s *socket) isInitialised() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.initialised
}

func (s *socket) userID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.identity.UserID
}
