// Package ws serves GraphQL over WebSocket: the subprotocols graphql-transport-ws and, for old Apollo clients,
// graphql-ws. Package graphqlhttp documents the close codes and the renewal of tokens.
package ws

import (
	"bufio"
	"context"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"errand/internal/apperr"
	"errand/internal/graphqlhttp/connlimit"
	"errand/internal/graphqlhttp/exec"

	"github.com/gorilla/websocket"
)

// Server upgrades HTTP requests to WebSockets and keeps track of them. It is safe for concurrent use.
type Server struct {
	shared

	mu       sync.Mutex
	open     map[*socket]struct{}
	stopping bool
}

// NewServer returns a server of the engine's schema.
func NewServer(engine *exec.Engine, o Options) *Server {
	o = o.WithDefaults()
	return &Server{
		shared: shared{
			engine:   engine,
			options:  o,
			limiter:  connlimit.New(o.Sockets, o.SocketsPerUser),
			starting: connlimit.New(max(1, o.Sockets/10), 0),
		},
		open: map[*socket]struct{}{},
	}
}

// upgrader uses little memory per socket: a small read buffer, and write buffers that are taken from a pool for each
// message.
var upgrader = websocket.Upgrader{
	HandshakeTimeout: 10 * time.Second,
	ReadBufferSize:   512,
	WriteBufferSize:  4096,
	WriteBufferPool:  &sync.Pool{},
	CheckOrigin:      func(*http.Request) bool { return true }, // package origin has checked it
	Error: func(w http.ResponseWriter, _ *http.Request, status int, _ error) {
		http.Error(w, http.StatusText(status), status)
	},
}

// Check returns why an upgrade request cannot be served, without authentication.
func (s *Server) Check(r *http.Request) *exec.RequestError {
	s.mu.Lock()
	stopping := s.stopping
	s.mu.Unlock()
	switch {
	case stopping:
		return unavailable("Service restart; reconnect.")
	case len(websocket.Subprotocols(r)) == 0:
		return exec.BadRequest(
			"Name a subprotocol in Sec-WebSocket-Protocol: graphql-transport-ws (or graphql-ws for old clients).")
	default:
		return nil
	}
}

// Upgrade turns a request, which Check has accepted, into a WebSocket of a user. ctx carries the user and the values
// for its operations; its end does not close the socket. When the error is nil, the response has been written.
func (s *Server) Upgrade(
	ctx context.Context, w http.ResponseWriter, r *http.Request, identity exec.Identity,
) *exec.RequestError {
	if err := s.acquire(identity.UserID); err != nil {
		return err
	}
	selected := selectProtocol(websocket.Subprotocols(r))
	header := http.Header{}
	if selected != nil {
		header.Set("Sec-WebSocket-Protocol", selected.name)
	}
	conn, err := upgrader.Upgrade(hijackable{w}, r, header)
	if err != nil {
		s.starting.Release("")
		s.limiter.Release(identity.UserID)
		return nil // the upgrader has written the response
	}
	socket := newSocket(&s.shared, conn, selected, ctx, identity)
	socket.remote = r.RemoteAddr
	s.serve(socket)
	return nil
}

// acquire counts a socket, for its user when the upgrade request names one, and as one before connection_init.
func (s *Server) acquire(userID string) *exec.RequestError {
	if !s.limiter.Acquire() {
		return unavailable("Too many connections are open.")
	}
	if !s.limiter.Assign(userID) {
		s.limiter.Release("")
		return exec.NewRequestError(http.StatusTooManyRequests,
			apperr.TooMany(time.Second, "Too many connections of this user are open; close one first.")).
			WithHeader("Retry-After", "1")
	}
	if !s.starting.Acquire() {
		s.limiter.Release(userID)
		return unavailable("Too many connections are being opened.")
	}
	return nil
}

func unavailable(message string) *exec.RequestError {
	err := &apperr.Error{Code: apperr.Unavailable, Message: message, RetryAfter: time.Second}
	return exec.NewRequestError(http.StatusServiceUnavailable, err).WithHeader("Retry-After", "1")
}

// serve reads the socket's messages in a new goroutine, so that the memory of the HTTP request is released.
func (s *Server) serve(socket *socket) {
	observer := s.engine.Observer()
	observer.SocketOpened()
	switch {
	case !s.add(socket):
		socket.close(CloseRestart)
	case socket.protocol == nil:
		socket.close(CloseBadSubprotocol)
	}
	go func() {
		messageReader{socket}.run()
		code := socket.release()
		s.remove(socket)
		socket.started()
		s.limiter.Release(socket.assignedUser)
		observer.SocketClosed(code)
	}()
}

// add registers a socket; false when the server is shutting down.
func (s *Server) add(socket *socket) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[socket] = struct{}{}
	return !s.stopping
}

func (s *Server) remove(socket *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, socket)
}

func (s *Server) sockets() []*socket {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.open))
}

// Disconnect closes a user's sockets with CloseAccountDeleted, each after the responses to its operations in progress,
// one of which may be the mutation that deletes the account. New operations are not started.
func (s *Server) Disconnect(userID string) {
	for _, socket := range s.sockets() {
		socket.leave(userID)
	}
}

// Shutdown closes all sockets with CloseRestart and rejects new ones. Later calls do the same.
func (s *Server) Shutdown() {
	s.mu.Lock()
	s.stopping = true
	s.mu.Unlock()
	for _, socket := range s.sockets() {
		socket.close(CloseRestart)
	}
}

// Wait returns nil when no socket is open, or ctx's error.
func (s *Server) Wait(ctx context.Context) error { return s.limiter.Wait(ctx) }

// hijackable finds the hijacker beneath middleware that wraps the ResponseWriter.
type hijackable struct{ http.ResponseWriter }

// Hijack implements http.Hijacker.
func (h hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(h.ResponseWriter).Hijack()
}
