package graphqlhttp

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"errand/internal/apperr"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// errStopped is why the context of an operation ends that its client completed.
var errStopped = errors.New("stopped by the client")

// live is an operation under way on a socket. Its id is taken until the server has
// queued the last message for it, or the client has completed it.
type live struct {
	id     string
	cancel context.CancelCauseFunc
	// wake makes a drive notice that its context has ended; nil without a drive.
	wake func()
}

// end stops an operation; the caller holds the socket's mu.
func (l *live) end(cause error) {
	l.cancel(cause)
	if l.wake != nil {
		l.wake()
	}
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
		s.protocol.writeError(body, id, gqlerror.List{wire(apperr.TooMany(time.Second,
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
	l.end(errStopped)
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

// run executes an operation to its end, or as far as a drive takes over.
func (s *socket) run(ctx context.Context, l *live, op *operation) {
	if op.kind == ast.Subscription {
		s.stream(ctx, l, op)
		return
	}
	response := op.once(ctx)
	if s.deliver(ctx, l, reply{response: response}) {
		s.complete(l)
	}
	s.done(ctx, l, op, codeOf(response.Errors))
}

// done accounts for the end of an operation.
func (s *socket) done(ctx context.Context, l *live, op *operation, code apperr.Code) {
	l.cancel(nil)
	op.report(ctx, s.protocol.transport, code)
	s.running.Done()
}

// stream starts a subscription. With a Source it returns at once and leaves the rest to a
// drive; otherwise it waits for each event until either side ends.
func (s *socket) stream(ctx context.Context, l *live, op *operation) {
	observer := s.handler.options.Observer
	observer.subscriptionOpened()
		next, started := op.start(ctx)
	if from := sourceOf(op.context); from != nil {
		s.drive(started, l, op, from, next)
		return
	}
	var code apperr.Code
	for response := next(started); response != nil; response = next(started) {
		if code == "" {
			code = codeOf(response.Errors)
		}
		if !s.deliver(ctx, l, reply{response: response}) {
			break
		}
	}
	s.complete(l) // which does nothing if the operation is over already
	observer.subscriptionClosed()
	s.done(ctx, l, op, code)
}

// drive hands a subscription over to its source.
func (s *socket) drive(
	ctx context.Context,
	l *live,
	op *operation,
	from source,
	next func(context.Context) *graphql.Response,
) {
	d := &drive{op: op, ctx: ctx, source: from, next: next, twin: twinOf(op, s.user())}
	d.deliver = func(r reply) bool { return s.deliver(ctx, l, r) }
	d.ended = func(code apperr.Code, failure *gqlerror.Error) {
		if failure != nil {
			s.fail(l, gqlerror.List{failure})
		}
		s.complete(l)
		s.handler.options.Observer.subscriptionClosed()
		s.done(ctx, l, op, code)
	}
	s.mu.Lock()
	l.wake = d.wake
	s.mu.Unlock()
	d.begin()
}

func (s *socket) user() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.who.userID
}

// deliver queues one response; false when the operation is over, be it because this
// response says that it was never executed.
func (s *socket) deliver(ctx context.Context, l *live, r reply) bool {
	if !s.waitForRoom(ctx) {
		return false
	}
	if r.response != nil && r.response.Data == nil && len(r.response.Errors) > 0 {
		s.fail(l, r.response.Errors)
		return false
	}
	return s.send(l, func(b *bytes.Buffer) { s.protocol.writeNext(b, l.id, r) })
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
