package graphqlhttp

import (
	"bytes"
	"time"

	"errand/internal/apperr"

	"github.com/vektah/gqlparser/v2/gqlerror"
)

// The notices about tokens, in the member "errand" of ping and pong payloads.
const (
	noticeExpiring = "token-expiring"
	noticeAccepted = "token-accepted"
	noticeRefused  = "token-refused"
)

// watchToken arranges the notice before the token's end, and the end; the caller holds mu.
func (s *socket) watchToken(expires time.Time) {
	if s.token != nil {
		s.token.Stop()
		s.token = nil
	}
	if expires.IsZero() {
		return
	}
	notice := time.Until(expires) - s.handler.options.Times.TokenNotice
	s.token = time.AfterFunc(max(notice, 0), func() { s.warn(expires) })
}

// warn tells the client that its token is about to end. The legacy protocol has no
// message for that.
func (s *socket) warn(expires time.Time) {
	if !s.protocol.legacy {
		s.sendNotice("ping", noticeExpiring, map[string]any{"expiresAt": expires.UTC().Format(time.RFC3339)})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closing && s.who.expires.Equal(expires) {
		s.token = time.AfterFunc(time.Until(expires), func() { s.expire(expires) })
	}
}

// expire ends the socket unless a new token has come meanwhile.
func (s *socket) expire(expires time.Time) {
	s.mu.Lock()
	current := s.who.expires.Equal(expires)
	s.mu.Unlock()
	if current {
		s.close(CloseForbidden, "Token expired")
	}
}

// renew replaces the socket's token by a new one of the same user. Live operations go
// on; later ones act in the new token's context. A token that is refused changes nothing.
func (s *socket) renew(token string) {
	viewer, who, err := s.handler.authenticate(s.ctx, token)
	s.mu.Lock()
	if err == nil && (!s.initialised || who.userID != s.who.userID) {
		err = wire(apperr.New(apperr.Forbidden, "A connection can only be renewed by its own user."))
	}
	if err == nil && !s.closing {
		s.viewer, s.who = viewer, who
		s.watchToken(who.expires)
	}
	s.mu.Unlock()
	if err != nil {
		s.sendNotice(
			"pong",
			noticeRefused,
			map[string]any{"code": string(codeOf(gqlerror.List{err})), "message": err.Message},
		)
		return
	}
	details := map[string]any{}
	if !who.expires.IsZero() {
		details["expiresAt"] = who.expires.UTC().Format(time.RFC3339)
	}
	s.sendNotice("pong", noticeAccepted, details)
}

func (s *socket) sendNotice(kind, notice string, details map[string]any) {
	details["errand"] = notice
	s.send(nil, func(b *bytes.Buffer) {
		writeMessage(b, kind, "", func(b *bytes.Buffer) { writeJSON(b, details) })
	})
}
