package ws

import (
	"errors"
	"io"
	"net"
	"time"

	"github.com/gorilla/websocket"
)

// errSocketClosed is the cause of the end of the contexts of a closed socket's operations.
var errSocketClosed = errors.New("socket closed")

// errSignedOut is the cause of the end of the contexts of subscriptions whose credential was revoked.
var errSignedOut = errors.New("signed out")

// close closes the socket: its operations stop, queued messages are dropped, and the close frame is written. Later
// calls do nothing.
func (s *socket) close(r CloseReason) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closing {
		s.queue.drop()
	}
	s.closeLocked(r)
}

// closeAfterQueue is close, except that queued messages are written first.
func (s *socket) closeAfterQueue(r CloseReason) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closeLocked(r)
}

// closeLocked enqueues the close frame after the queued messages; the caller holds mu.
func (s *socket) closeLocked(r CloseReason) {
	if s.closing {
		return
	}
	s.stop(r.Code)
	_ = s.conn.SetReadDeadline(time.Now().Add(s.options.CloseTimeout))
	s.queue.enqueueCloseFrame(websocket.FormatCloseMessage(r.Code, r.Reason))
}

// closeWithoutFrame records that the connection ended without a close frame of the server.
func (s *socket) closeWithoutFrame(code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closing {
		s.stop(code)
		s.queue.drop()
	}
}

// stop ends the operations and timers of the socket; the caller holds mu.
func (s *socket) stop(code int) {
	s.closing, s.closeCode = true, code
	for _, o := range s.operations {
		o.stop(errSocketClosed)
	}
	for _, timer := range []*time.Timer{s.timer, s.tokenTimer} {
		if timer != nil {
			timer.Stop()
		}
	}
	if s.stopWatch != nil {
		s.stopWatch()
	}
	s.queue.close()
}

// readFailed closes the socket after a read error.
func (s *socket) readFailed(err error) {
	var closed *websocket.CloseError
	var network net.Error
	switch {
	case errors.As(err, &closed):
		s.closeWithoutFrame(closed.Code)
	case errors.Is(err, websocket.ErrReadLimit):
		s.closeUnreadable(CloseTooLarge)
	case errors.As(err, &network):
		s.closeWithoutFrame(closeLost)
	default:
		s.closeUnreadable(CloseProtocolError)
	}
}

// closeUnreadable ends a connection from which no further frame can be read. The library has sent a close frame in
// most cases, and then does not send another.
func (s *socket) closeUnreadable(r CloseReason) {
	s.closeWithoutFrame(r.Code)
	frame := websocket.FormatCloseMessage(r.Code, r.Reason)
	_ = s.conn.WriteControl(websocket.CloseMessage, frame, time.Now().Add(s.options.CloseTimeout))
	s.discardInput()
}

// discardInput reads until the client has received the close frame and closed the connection: closing a connection
// with unread data resets it, and the close frame may be lost.
func (s *socket) discardInput() {
	raw := s.conn.NetConn()
	if half, ok := raw.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // the client reads the end of the stream
	}
	_ = raw.SetReadDeadline(time.Now().Add(s.options.CloseTimeout))
	_, _ = io.CopyBuffer(io.Discard, io.LimitReader(raw, 16<<20), make([]byte, 4096))
}

// release releases everything when reading has ended, and returns the close code.
func (s *socket) release() int {
	_ = s.conn.Close()
	s.closeWithoutFrame(closeLost)
	s.running.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closeCode
}

// leave makes the socket close, if it is of this user, when its operations have ended.
func (s *socket) leave(userID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if userID == "" || s.identity.UserID != userID {
		return
	}
	s.leaving = &CloseAccountDeleted
	s.closeWhenIdle()
}

// revoke makes the socket close, if its token is of the revoked credential: its subscriptions end at once, and other
// operations in progress, such as the mutation that revokes the token, are answered before.
func (s *socket) revoke(credentialID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing || s.identity.CredentialID != credentialID {
		return
	}
	s.leaving = &CloseSignedOut
	var kept operationSet
	for _, o := range s.operations {
		if o.wake == nil {
			kept = append(kept, o)
			continue
		}
		s.queue.dropOperation(o)
		o.stop(errSignedOut)
	}
	s.operations = kept
	s.closeWhenIdle()
}

// closeWhenIdle closes a leaving socket after its last operation; the caller holds mu.
func (s *socket) closeWhenIdle() {
	if s.leaving != nil && len(s.operations) == 0 {
		s.closeLocked(*s.leaving)
	}
}
