package graphqlhttp

import (
	"bufio"
	"net"
	"net/http"
	"sync"
	"time"

	"errand/internal/apperr"

	"github.com/gorilla/websocket"
)

// upgrader keeps little memory per socket: a small read buffer, and write buffers that
// are borrowed for the time of one message.
var upgrader = websocket.Upgrader{
	HandshakeTimeout: 10 * time.Second,
	ReadBufferSize:   512,
	WriteBufferSize:  4096,
	WriteBufferPool:  &sync.Pool{},
	CheckOrigin:      func(*http.Request) bool { return true }, // decided before
	Error: func(w http.ResponseWriter, _ *http.Request, status int, _ error) {
		http.Error(w, http.StatusText(status), status)
	},
}

// serveSocket turns the request into a WebSocket, or tells why not.
func (h *Handler) serveSocket(w http.ResponseWriter, r *http.Request) {
	offered := websocket.Subprotocols(r)
	if p := h.checkUpgrade(r, offered); p != nil {
		h.refuseHTTP(w, r, p)
		return
	}
	ctx, who, p := h.authenticateRequest(r)
	if p != nil {
		h.refuseHTTP(w, r, p)
		return
	}
	if !h.sockets.enter() {
		h.refuseHTTP(w, r, noRoom("Too many connections are open."))
		return
	}
	chosen := chooseProtocol(offered)
	header := http.Header{}
	if chosen != nil {
		header.Set("Sec-WebSocket-Protocol", chosen.name)
	}
	conn, err := upgrader.Upgrade(hijackable{w}, r, header)
	if err != nil {
		h.sockets.leave("") // the upgrader has answered
		return
	}
	newSocket(h, conn, chosen, ctx, who).begin()
}

// checkUpgrade refuses what need not become a connection. Browsers send the Origin with
// every upgrade and apply no CORS to it, so it is the server that must look.
func (h *Handler) checkUpgrade(r *http.Request, offered []string) *problem {
	switch {
	case h.stopping.Err() != nil:
		return noRoom("Service restart, come back.")
	case !h.options.Origins.allows(r):
		return refuse(http.StatusForbidden, apperr.New(apperr.Forbidden, "Pages from this origin may not connect."))
	case len(offered) == 0:
		return malformed(
			"Name a subprotocol in Sec-WebSocket-Protocol: graphql-transport-ws (or graphql-ws for old clients).",
		)
	default:
		return nil
	}
}

func noRoom(message string) *problem {
	err := &apperr.Error{Code: apperr.Unavailable, Message: message, RetryAfter: time.Second}
	return refuse(http.StatusServiceUnavailable, err).with("Retry-After", "1")
}

// hijackable finds the hijacker beneath middleware that wraps the ResponseWriter.
type hijackable struct{ http.ResponseWriter }

// Hijack implements http.Hijacker.
func (h hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(h.ResponseWriter).Hijack()
}
