package transport

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"errand/internal/apperr"
)

// errStopped is why the context of an operation ends that its client completed.
var errStopped = errors.New("stopped by the client")

// live is an operation under way on a socket. Its id is taken until the server has
// queued the last message for it, or the client has completed it.
type live struct {
	id     string
	cancel context.CancelCauseFunc
}

// operations are the live ones of a socket: few, so a list is smaller than a map.
type operations []*live

func (o operations) find(id string) *live {
	for _, l := range o {
		if l.id == id {
			return l
		}
	}
	return nil
}

func (o operations) has(l *live) bool { return slices.Contains(o, l) }

func (o *operations) remove(l *live) {
	*o = slices.DeleteFunc(*o, func(other *live) bool { return other == l })
}

// subscribe starts an operation of any kind.
func (s *socket) subscribe(m incoming) {
	if !s.isInitialised() {
		s.close(CloseUnauthorized, "Unauthorized: connection_init comes first")
		return
	}
	if m.id == "" || len(m.payload) == 0 || m.payload[0] != '{' {
		s.close(CloseBadMessage, "Invalid message received")
		return
	}
	var raw members
	if decodeObject(m.payload, raw.slots()) != nil {
		s.close(CloseBadMessage, "Invalid message received")
		return
	}
	ctx, l := s.admit(m.id)
	if l == nil {
		return
	}
	req, p := s.handler.options.Sizes.decodeMembers(raw)
	if p != nil {
		s.fail(l, p.errors)
		return
	}
	op, p := s.handler.engine.prepare(ctx, req, false)
	if p != nil {
		op.report(ctx, s.protocol.transport, codeOf(p.errors))
		s.fail(l, p.errors)
		return
	}
	s.running.Add(1)
	go s.run(ctx, l, op)
}

// admit takes the id, or refuses the operation and returns nil.
func (s *socket) admit(id string) (context.Context, *live) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing || s.leaving {
		return nil, nil
	}
	if previous := s.operations.find(id); previous != nil {
		if !s.protocol.legacy {
			s.shut(CloseDuplicateID, "Subscriber for "+id+" already exists")
			return nil, nil
		}
		s.forget(previous) // the old library's own rule: the new one replaces it
	}
	if len(s.operations) >= s.handler.options.Sizes.SocketOperations {
		body := takeBuffer()
		s.protocol.writeError(body, id, gqlerror.List{wire(apperr.New(apperr.RateLimited,
			"This connection already has %d live operations, which is its limit.", len(s.operations)))})
		s.push(message{body: body})
		return nil, nil
	}
	ctx, cancel := context.WithCancelCause(s.viewer)
	l := &live{id: id, cancel: cancel}
	s.operations = append(s.operations, l)
	return ctx, l
}

// forget stops an operation and whatever it still has in the queue; the caller holds mu.
func (s *socket) forget(l *live) {
	s.operations.remove(l)
	s.outbox.forget(l)
	l.cancel(errStopped)
	s.leaveWhenIdle()
}

// stopOperation handles the client's complete. The id may be free already: the two
// sides may complete at the same moment.
func (s *socket) stopOperation(m incoming) {
	if m.id == "" {
		s.close(CloseBadMessage, "Invalid message received")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.operations.find(m.id); l != nil {
		s.forget(l)
	}
}

// run executes an operation to its end.
func (s *socket) run(ctx context.Context, l *live, op *operation) {
	defer s.running.Done()
	defer l.cancel(nil)
	var code apperr.Code
	if op.kind == ast.Subscription {
		code = s.pump(ctx, l, op)
	} else {
		response := op.once(ctx)
		code = codeOf(response.Errors)
		if s.deliver(ctx, l, response) {
			s.complete(l)
		}
	}
	op.report(ctx, s.protocol.transport, code)
}

// pump sends the responses of a subscription until it ends on either side.
func (s *socket) pump(ctx context.Context, l *live, op *operation) (code apperr.Code) {
	observer := s.handler.options.Observer
	observer.subscriptionOpened()
	defer observer.subscriptionClosed()
	next, started := op.start(ctx)
	for response := next(started); response != nil; response = next(started) {
		if code == "" {
			code = codeOf(response.Errors)
		}
		if !s.deliver(ctx, l, response) {
			return code
		}
	}
	s.complete(l)
	return code
}

// deliver queues one response; false when the operation is over, be it because this
// response says that it was never executed.
func (s *socket) deliver(ctx context.Context, l *live, response *graphql.Response) bool {
	if !s.waitForRoom(ctx) {
		return false
	}
	if response.Data == nil && len(response.Errors) > 0 {
		s.fail(l, response.Errors)
		return false
	}
	return s.send(l, func(b *bytes.Buffer) { s.protocol.writeNext(b, l.id, response) })
}

// fail ends an operation with an error message, complete with a complete message:
// nothing follows either.
func (s *socket) fail(l *live, errs gqlerror.List) {
	s.finish(l, func(b *bytes.Buffer) { s.protocol.writeError(b, l.id, errs) })
}

func (s *socket) complete(l *live) {
	s.finish(l, func(b *bytes.Buffer) { writeMessage(b, "complete", l.id, nil) })
}

// finish queues the last message and frees the id in one step, so that the client may
// use the id again as soon as it reads the message.
func (s *socket) finish(l *live, fill func(*bytes.Buffer)) {
	defer l.cancel(nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing || !s.operations.has(l) {
		return
	}
	s.operations.remove(l)
	body := takeBuffer()
	fill(body)
	s.push(message{body: body})
	s.leaveWhenIdle()
}
