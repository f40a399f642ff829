package ws

import (
	"bytes"
	"context"
	"errors"

	"errand/internal/apperr"
	"errand/internal/graphqlhttp/exec"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// errCompleted is the cause of the end of the context of an operation that its client completed.
var errCompleted = errors.New("completed by the client")

// operationStarter starts and stops the operations of a socket.
type operationStarter struct{ *socket }

// start starts an operation of any kind.
func (s operationStarter) start(m incoming) {
	if !s.isInitialised() {
		s.close(CloseUnauthorized)
		return
	}
	if m.id == "" || len(m.payload) == 0 || m.payload[0] != '{' {
		s.close(CloseBadMessage)
		return
	}
	raw, err := exec.DecodeRaw(m.payload)
	if err != nil {
		s.close(CloseBadMessage)
		return
	}
	request, err := s.engine.Decode(raw)
	if err != nil && err.Malformed && !s.protocol.legacy { // the legacy protocol has an error message for it
		s.close(CloseBadMessage.withText(CloseBadMessage.Reason + ": " + err.Errors[0].Message))
		return
	}
	ctx, o := s.add(m.id)
	if o == nil {
		return
	}
	r := &operationRunner{socket: s.socket, operation: o, ctx: ctx}
	if err != nil {
		r.fail(err.Errors)
		return
	}
	if r.op, err = s.engine.Prepare(request, exec.Identity{UserID: s.userID()}, false); err != nil {
		r.op.Report(ctx, s.protocol.transport, err.Code())
		r.fail(err.Errors)
		return
	}
	s.running.Add(1)
	go r.run()
}

// add adds an operation with this ID to the socket; nil when it is rejected.
func (s operationStarter) add(id string) (context.Context, *operation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing || s.leaving != nil {
		return nil, nil
	}
	if previous := s.operations.find(id); previous != nil {
		if !s.protocol.legacy {
			s.closeLocked(CloseDuplicateID.withText("Subscriber for " + id + " already exists"))
			return nil, nil
		}
		s.remove(previous) // the legacy protocol replaces it
	}
	if len(s.operations) >= s.options.OperationsPerSocket {
		body := exec.GetBuffer()
		err := exec.TooMany("operationsPerSocket", s.options.OperationsPerSocket,
			"At most %d operations may be in progress on a connection; end one first.")
		s.protocol.writeError(body, id, err.Errors)
		s.queue.enqueue(message{body: body})
		return nil, nil
	}
	ctx, cancel := context.WithCancelCause(s.userCtx)
	o := &operation{id: id, cancel: cancel, identity: s.identity}
	s.operations = append(s.operations, o)
	return ctx, o
}

// remove stops an operation and drops its queued messages; the caller holds mu.
func (s operationStarter) remove(o *operation) {
	s.operations.remove(o)
	s.queue.dropOperation(o)
	o.stop(errCompleted)
	s.closeWhenIdle()
}

// stop handles the client's complete message. The ID may be unknown: client and server may complete an operation at
// the same moment.
func (s operationStarter) stop(m incoming) {
	if m.id == "" {
		s.close(CloseBadMessage)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.operations.find(m.id); o != nil {
		s.remove(o)
	}
}

// operationRunner executes one operation and enqueues its results.
type operationRunner struct {
	*socket
	operation *operation
	ctx       context.Context
	op        *exec.Operation
}

// run executes a query or mutation to its end, or starts a subscription.
func (r *operationRunner) run() {
	if r.op.Kind == ast.Subscription {
		subscription, err := r.op.NewSubscription(r.operation.identity, r.send, r.subscriptionEnded)
		if err != nil {
			r.fail(err.Errors)
			r.report(err.Code())
			return
		}
		r.mu.Lock()
		r.operation.wake = subscription.Wake
		r.endUnscoped() // the token may have been renewed since the operation was added
		r.mu.Unlock()
		subscription.Start(r.ctx)
		return
	}
	response := r.op.Execute(r.ctx)
	if r.send(exec.Result{Response: response}) {
		r.complete()
	}
	r.report(exec.CodeOf(response.Errors))
}

func (r *operationRunner) subscriptionEnded(code apperr.Code, failure *gqlerror.Error) {
	if failure != nil {
		r.fail(gqlerror.List{failure})
	}
	r.complete()
	r.report(code)
}

// report records the end of the operation.
func (r *operationRunner) report(code apperr.Code) {
	r.operation.cancel(nil)
	r.op.Report(r.ctx, r.protocol.transport, code)
	r.running.Done()
}

// send enqueues one result; false when the operation is over, also because this result is an error message.
func (r *operationRunner) send(result exec.Result) bool {
	if !r.waitForSpace(r.ctx) {
		return false
	}
	if result.Failed() {
		r.fail(result.Response.Errors)
		return false
	}
	return r.enqueue(r.operation, func(b *bytes.Buffer) { r.protocol.writeNext(b, r.operation.id, result) })
}

// fail ends the operation with an error message. It does nothing when the operation is over.
func (r *operationRunner) fail(errs gqlerror.List) {
	r.end(func(b *bytes.Buffer) { r.protocol.writeError(b, r.operation.id, errs) })
}

// complete ends the operation with a complete message. It does nothing when the operation is over.
func (r *operationRunner) complete() {
	r.end(func(b *bytes.Buffer) { writeMessage(b, "complete", r.operation.id, nil) })
}

// end enqueues the last message and frees the ID in one step, so that the client may use the ID again as soon as it
// receives the message.
func (r *operationRunner) end(encode func(*bytes.Buffer)) {
	defer r.operation.cancel(nil)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closing || !r.operations.has(r.operation) {
		return
	}
	r.operations.remove(r.operation)
	body := exec.GetBuffer()
	encode(body)
	r.queue.enqueue(message{body: body})
	r.closeWhenIdle()
}
