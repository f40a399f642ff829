package graphqlhttp

import (
	"bytes"
	"context"
	"time"

	"errand/internal/apperr"

	"github.com/vektah/gqlparser/v2/gqlerror"
)

// initialise answers connection_init: who the client is, if it says so, and whether it
// may stay.
func (s *socket) initialise(m incoming) {
	if s.isInitialised() {
		s.close(CloseTooManyInits, "Too many initialisation requests")
		return
	}
	payload, ok := m.object()
	if !ok {
		s.close(CloseBadMessage, "Invalid message received")
		return
	}
	viewer, who := s.viewer, s.who // from the upgrade's Authorization header
	if token := payloadToken(payload); token != "" {
		var err *gqlerror.Error
		if viewer, who, err = s.handler.authenticate(s.ctx, token); err != nil {
			s.refuseInit(err)
			return
		}
	}
	if !s.handler.sockets.join(who.userID) {
		s.close(CloseTryLater, "Too many connections for this user")
		return
	}
	s.welcome(viewer, who)
}

// refuseInit ends a socket whose token was refused, or could not be checked.
func (s *socket) refuseInit(err *gqlerror.Error) {
	if s.protocol.legacy {
		s.send(nil, func(b *bytes.Buffer) {
			writeMessage(b, "connection_error", "", func(b *bytes.Buffer) { writeJSON(b, err) })
		})
	}
	if code := codeOf(gqlerror.List{err}); code == apperr.Unauthenticated || code == apperr.Forbidden {
		s.closeAfterQueue(CloseForbidden, "Forbidden: "+err.Message)
		return
	}
	s.closeAfterQueue(CloseTryLater, err.Message)
}

// welcome lets the socket in: acknowledged first, then nothing before its time.
func (s *socket) welcome(viewer context.Context, who identity) {
	times := s.handler.options.Times
	s.mu.Lock()
	s.joined = who.userID
	if s.closing {
		s.mu.Unlock()
		return
	}
	s.initialised = true
	s.viewer, s.who = viewer, who
	if who.userID != "" { // nobody may hold much memory without saying who it is for
		s.conn.SetReadLimit(s.handler.options.Sizes.Message)
	}
	s.ping.Stop()
	s.ping = time.AfterFunc(times.KeepAlive, s.sendPing)
	body := takeBuffer()
	writeMessage(body, "connection_ack", "", nil)
	s.push(message{body: body})
	if s.protocol.legacy {
		body := takeBuffer()
		writeMessage(body, "ka", "", nil)
		s.push(message{body: body})
	}
	s.watchToken(who.expires)
	s.mu.Unlock()
	s.alive()
}
