package graphqlhttp

import (
	"errors"
	"io"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

// errSocketClosed is why the context of a socket's operations ends.
var errSocketClosed = errors.New("socket closed")

// close ends the socket with a code: operations stop, what waits to be written is
// dropped, and the close frame goes out. Later calls do nothing.
func (s *socket) close(code int, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closing {
		s.outbox.drop()
	}
	s.shut(code, reason)
}

// closeAfterQueue is close, except that queued messages go out first.
func (s *socket) closeAfterQueue(code int, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shut(code, reason)
}

// shut sends the close frame after what is queued; the caller holds mu.
func (s *socket) shut(code int, reason string) {
	if s.closing {
		return
	}
	s.stop(code)
	s.outbox.farewell = websocket.FormatCloseMessage(code, cutReason(reason))
	_ = s.conn.SetReadDeadline(time.Now().Add(s.handler.options.Times.Close))
	s.wake()
}

// ended notes that the connection is over without a close frame of ours.
func (s *socket) ended(code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closing {
		s.stop(code)
		s.outbox.drop()
	}
}

// stop ends everything that runs for the socket; the caller holds mu.
func (s *socket) stop(code int) {
	s.closing, s.code = true, code
	cause := errSocketClosed
	if code == CloseRestart {
		cause = errShutdown
	}
	for _, l := range s.operations {
		l.end(cause)
	}
	for _, timer := range []*time.Timer{s.ping, s.token} {
		if timer != nil {
			timer.Stop()
		}
	}
	s.outbox.makeRoom()
}

// drain throws away what the peer still sends until it has seen the close frame and
// gone. A connection closed with unread data is reset, and the frame may be lost.
func (s *socket) drain() {
	raw := s.conn.NetConn()
	if half, ok := raw.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // so the peer knows that nothing more comes
	}
	_ = raw.SetReadDeadline(time.Now().Add(s.handler.options.Times.Close))
	_, _ = io.CopyBuffer(io.Discard, io.LimitReader(raw, 16<<20), make([]byte, 4096))
}

// end releases everything. It runs once, when reading is over.
func (s *socket) end() {
	_ = s.conn.Close()
	s.ended(closeVanished)
	s.running.Wait()
	s.mu.Lock()
	code, joined := s.code, s.joined
	s.mu.Unlock()
	s.handler.sockets.remove(s)
	s.handler.sockets.leave(joined)
	s.handler.options.Observer.socketClosed(code)
}

// cutReason keeps a reason within the 123 bytes of a close frame.
func cutReason(reason string) string {
	return strings.ToValidUTF8(reason[:min(len(reason), 120)], "")
}
