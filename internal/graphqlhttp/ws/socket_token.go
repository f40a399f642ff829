package ws

import (
	"bytes"
	"errors"
	"time"

	"errand/internal/apperr"
	"errand/internal/graphqlhttp/exec"
	"errand/internal/refusal"

	"github.com/vektah/gqlparser/v2/gqlerror"
)

// The notices about tokens, in the member "errand" of ping and pong payloads.
const (
	noticeExpiring = "token-expiring"
	noticeAccepted = "token-accepted"
	noticeRefused  = "token-refused"
)

// errFewerScopes is the cause of the end of the context of a subscription that endUnscoped ended.
var errFewerScopes = errors.New("the new token has fewer scopes")

// tokenRenewal notifies the client before its token expires, accepts a new one, and closes the socket otherwise.
type tokenRenewal struct{ *socket }

// schedule starts the timer of the notice and, later, of the expiry; the caller holds mu.
func (t tokenRenewal) schedule(expires time.Time) {
	if t.tokenTimer != nil {
		t.tokenTimer.Stop()
		t.tokenTimer = nil
	}
	if expires.IsZero() {
		return
	}
	notice := time.Until(expires) - t.options.TokenNotice
	t.tokenTimer = time.AfterFunc(max(notice, 0), func() { t.notify(expires) })
}

// watchRevocation closes the socket when the credential of its token is revoked; the caller holds mu.
func (t tokenRenewal) watchRevocation() {
	if t.stopWatch != nil {
		t.stopWatch()
	}
	credential := t.identity.CredentialID
	t.stopWatch = t.engine.AfterRevoked(t.identity, func() { t.revoke(credential) })
}

// notify sends the notice. The legacy protocol has no message for it.
func (t tokenRenewal) notify(expires time.Time) {
	if !t.protocol.legacy {
		t.send("ping", noticeExpiring, map[string]any{"expiresAt": expires.UTC().Format(time.RFC3339)})
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closing && t.identity.Expires.Equal(expires) {
		t.tokenTimer = time.AfterFunc(time.Until(expires), func() { t.expire(expires) })
	}
}

// expire closes the socket unless its token was renewed.
func (t tokenRenewal) expire(expires time.Time) {
	t.mu.Lock()
	current := t.identity.Expires.Equal(expires)
	t.mu.Unlock()
	if current {
		t.engine.Refusals().Token(t.ctx, refusal.GraphQL, refusal.WebSocket, t.remote, refusal.ErrExpired)
		t.close(CloseTokenExpired)
	}
}

// renew replaces the socket's token with a new one of the same user. Operations in progress continue, except
// subscriptions that started with more scopes than the new token has; later ones run in the new token's context. A
// token that is rejected changes nothing.
func (t tokenRenewal) renew(token string) {
	userCtx, identity, err := t.engine.Authenticate(t.ctx, token, refusal.WebSocketRenewal, t.remote)
	t.mu.Lock()
	if err == nil && (!t.initialised || identity.UserID != t.identity.UserID) {
		other := apperr.Wrap(refusal.ErrOtherUser, apperr.Forbidden, "The new token must be of the connection's user.")
		t.engine.Refusals().Token(t.ctx, refusal.GraphQL, refusal.WebSocketRenewal, t.remote, other)
		err = exec.ToGraphQLError(other)
	}
	if err == nil && !t.closing {
		t.userCtx, t.identity = userCtx, identity
		t.schedule(identity.Expires)
		t.watchRevocation()
		t.endUnscoped()
	}
	t.mu.Unlock()
	if err != nil {
		code := exec.CodeOf(gqlerror.List{err})
		t.send("pong", noticeRefused, map[string]any{"code": string(code), "message": err.Message})
		return
	}
	details := map[string]any{}
	if !identity.Expires.IsZero() {
		details["expiresAt"] = identity.Expires.UTC().Format(time.RFC3339)
	}
	t.send("pong", noticeAccepted, details)
}

// endUnscoped ends the subscriptions that started with more scopes than the socket's token has now. A client may
// subscribe again, which succeeds if the scopes suffice. The caller holds mu.
func (s *socket) endUnscoped() {
	var kept operationSet
	for _, o := range s.operations {
		if o.wake == nil || s.identity.Scopes.Include(o.identity.Scopes) {
			kept = append(kept, o)
			continue
		}
		s.queue.dropOperation(o)
		body := exec.GetBuffer()
		err := apperr.New(apperr.Forbidden, "The new token has fewer scopes. Subscribe again.")
		s.protocol.writeError(body, o.id, gqlerror.List{exec.ToGraphQLError(err)})
		s.queue.enqueue(message{body: body})
		o.stop(errFewerScopes)
	}
	s.operations = kept
	s.closeWhenIdle()
}

func (t tokenRenewal) send(kind, notice string, details map[string]any) {
	details["errand"] = notice
	t.enqueue(nil, func(b *bytes.Buffer) {
		writeMessage(b, kind, "", func(b *bytes.Buffer) { exec.WriteJSON(b, details) })
	})
}
