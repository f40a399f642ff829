package ws

import (
	"bytes"
	"context"
	"time"

	"errand/internal/apperr"
	"errand/internal/graphqlhttp/exec"
	"errand/internal/refusal"

	"github.com/vektah/gqlparser/v2/gqlerror"
)

// initialisation handles connection_init: it authenticates the client and counts the socket for its user.
type initialisation struct{ *socket }

func (i initialisation) run(m incoming) {
	if i.isInitialised() {
		i.close(CloseTooManyInits)
		return
	}
	payload, ok := m.object()
	if !ok {
		i.close(CloseBadMessage)
		return
	}
	userCtx, identity := i.userCtx, i.identity // from the upgrade's Authorization header
	if token := payloadToken(payload); token != "" {
		var err *gqlerror.Error
		if userCtx, identity, err = i.engine.Authenticate(i.ctx, token, refusal.WebSocketInit, i.remote); err != nil {
			i.reject(err)
			return
		}
	}
	if identity.UserID == "" {
		i.rejectAnonymous()
		return
	}
	if !i.limiter.Reassign(i.assignedUser, identity.UserID) {
		i.close(CloseTryLater)
		return
	}
	i.acknowledge(userCtx, identity)
	i.started()
}

// rejectAnonymous closes a socket without a token: all subscriptions need a user, so that it would only take a place.
func (i initialisation) rejectAnonymous() {
	i.engine.Refusals().NoToken(i.ctx, refusal.GraphQL, refusal.WebSocketInit, i.remote)
	i.writeConnectionError(exec.ToGraphQLError(apperr.New(apperr.Unauthenticated, "%s", CloseNoToken.Reason)))
	i.closeAfterQueue(CloseNoToken)
}

// writeConnectionError enqueues the legacy protocol's message for a rejected connection_init.
func (i initialisation) writeConnectionError(err *gqlerror.Error) {
	if i.protocol.legacy {
		i.enqueue(nil, func(b *bytes.Buffer) {
			writeMessage(b, "connection_error", "", func(b *bytes.Buffer) { exec.WriteJSON(b, err) })
		})
	}
}

// reject closes a socket whose token was rejected, or cannot be verified at present.
func (i initialisation) reject(err *gqlerror.Error) {
	i.writeConnectionError(err)
	if code := exec.CodeOf(gqlerror.List{err}); code == apperr.Unauthenticated || code == apperr.Forbidden {
		i.closeAfterQueue(CloseForbidden.withText("Forbidden: " + err.Message))
		return
	}
	i.closeAfterQueue(CloseTokenUnverified.withText(err.Message))
}

// acknowledge enqueues connection_ack as the first message of the connection, and starts pings and the token's timer.
func (i initialisation) acknowledge(userCtx context.Context, identity exec.Identity) {
	i.mu.Lock()
	i.assignedUser = identity.UserID
	if i.closing {
		i.mu.Unlock()
		return
	}
	i.initialised = true
	i.userCtx, i.identity = userCtx, identity
	i.conn.SetReadLimit(i.options.MessageBytes) // larger than before: clients without a token must not hold much memory
	i.timer.Stop()
	i.timer = time.AfterFunc(i.options.KeepAlive, i.sendPing)
	i.enqueueControl("connection_ack")
	if i.protocol.legacy {
		i.enqueueControl("ka")
	}
	tokenRenewal(i).schedule(identity.Expires)
	tokenRenewal(i).watchRevocation()
	i.mu.Unlock()
	i.extendReadDeadline()
}

// enqueueControl enqueues a message without ID and payload; the caller holds mu.
func (i initialisation) enqueueControl(kind string) {
	body := exec.GetBuffer()
	writeMessage(body, kind, "", nil)
	i.queue.enqueue(message{body: body})
}
