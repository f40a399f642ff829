package graphqlhttp

import (
	"bytes"
	"context"
	"errors"
	"net"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"
)

// initMessageLimit bounds messages in bytes unless the client has said who it is.
const initMessageLimit = 16 << 10

// socket is one WebSocket. An idle one costs a goroutine that reads; writing borrows
// another while there is something to write, and each subscription has one of its own.
type socket struct {
	handler  *Handler
	conn     *websocket.Conn
	protocol *protocol
	// ctx carries the values of the upgrade's request. It never ends: the socket ends each
	// of its operations itself, which costs less memory than a tree of contexts.
	ctx context.Context
	// running counts the goroutines of operations.
	running sync.WaitGroup

	mu sync.Mutex
	// state follows the protocol: waiting for connection_init, then initialised.
	initialised bool
	viewer      context.Context // the context in which operations act
	who         identity
	joined      string // the user counted in sockets
	operations  operations
	outbox      outbox
	ping        *time.Timer // waits for connection_init first, then for the next ping
	token       *time.Timer
	leaving     bool // closes when the last operation has ended
	closing     bool
	code        int
}

func newSocket(h *Handler, conn *websocket.Conn, p *protocol, viewer context.Context, who identity) *socket {
	// The request's context ends when its handler returns; its values stay.
	ctx := context.WithoutCancel(viewer)
	return &socket{handler: h, conn: conn, protocol: p, ctx: ctx, viewer: ctx, who: who, code: closeVanished}
}

// begin starts reading in a goroutine of its own, so that the memory of the HTTP request
// is released.
func (s *socket) begin() {
	s.handler.options.Observer.socketOpened()
	s.conn.SetReadLimit(initMessageLimit)
	s.conn.SetPingHandler(s.pinged)
	s.conn.SetPongHandler(func(string) error { s.alive(); return nil })
	s.mu.Lock()
	s.ping = time.AfterFunc(s.handler.options.Times.Init, s.initTimeout)
	s.mu.Unlock()
	switch running := s.handler.sockets.add(s); {
	case !running:
		s.close(CloseRestart, restartReason)
	case s.protocol == nil:
		s.close(CloseBadSubprotocol, "Subprotocol not acceptable")
	}
	go s.read()
}

// read handles messages until the connection ends. When the socket is closing it only
// waits for the peer's close frame, for Times.Close at most.
func (s *socket) read() {
	defer s.end()
	for {
		kind, message, err := s.receive()
		if err != nil {
			s.lost(err)
			return
		}
		if s.isClosing() {
			releaseBuffer(message)
			continue
		}
		s.alive()
		if kind != websocket.TextMessage {
			s.close(CloseBadMessage, "Messages are text")
		} else if !utf8.Valid(message.Bytes()) {
			s.close(CloseInvalidText, "Messages are UTF-8")
		} else if s.waitForRoom(s.ctx) {
			s.handle(message.Bytes())
		}
		releaseBuffer(message)
	}
}

func (s *socket) receive() (kind int, message *bytes.Buffer, err error) {
	kind, reader, err := s.conn.NextReader()
	if err != nil {
		return 0, nil, err
	}
	message = takeBuffer()
	if _, err := message.ReadFrom(reader); err != nil {
		releaseBuffer(message)
		return 0, nil, err
	}
	return kind, message, nil
}

// lost says why reading ended, if that was not our doing.
func (s *socket) lost(err error) {
	var closed *websocket.CloseError
	var network net.Error
	switch {
	case errors.As(err, &closed):
		s.ended(closed.Code)
	case errors.Is(err, websocket.ErrReadLimit):
		s.broken(CloseTooLarge)
	case errors.As(err, &network):
		s.ended(closeVanished)
	default:
		s.broken(CloseProtocolError)
	}
}

// broken ends a connection whose frames cannot be read on. The library has sent the code
// in most cases, and then sends it no more.
func (s *socket) broken(code int) {
	s.ended(code)
	farewell := websocket.FormatCloseMessage(code, "")
	_ = s.conn.WriteControl(websocket.CloseMessage, farewell, time.Now().Add(s.handler.options.Times.Close))
	s.drain()
}

// alive puts off the moment at which the peer counts as dead. Before connection_init
// nothing does.
func (s *socket) alive() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.initialised && !s.closing {
		_ = s.conn.SetReadDeadline(time.Now().Add(s.handler.options.Times.KeepAlive * 5 / 2))
	}
}

// pinged answers a WebSocket ping, as RFC 6455 demands.
func (s *socket) pinged(data string) error {
	s.alive()
	_ = s.conn.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(s.handler.options.Times.Write))
	return nil
}

// sendPing proves to proxies and to us that the peer is there.
func (s *socket) sendPing() {
	_ = s.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(s.handler.options.Times.Write))
	if s.protocol.legacy {
		s.send(nil, func(b *bytes.Buffer) { writeMessage(b, "ka", "", nil) })
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closing {
		s.ping.Reset(s.handler.options.Times.KeepAlive)
	}
}

func (s *socket) initTimeout() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.initialised {
		s.shut(CloseInitTimeout, "Connection initialisation timeout")
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
