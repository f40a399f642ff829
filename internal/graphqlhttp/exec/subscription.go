package exec

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync"

	"errand/internal/apperr"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Subscription is a subscription in progress: the pump from its source to one subscriber. An event takes these steps:
// the source yields it, the subscription executes it (or takes a shared execution) and passes the result to the
// subscriber's send function, which encodes, enqueues and writes it.
//
// An idle subscription has no goroutine: its source calls Wake when it has events.
type Subscription struct {
	op       *Operation
	userID   string
	dedupKey dedupKey
	turn     *executionTurn
	// send passes a result on; false when the subscriber has left.
	send func(Result) bool
	// end is called once.
	end func(code apperr.Code, failure *gqlerror.Error)

	// Set by Start, before the first pump.
	ctx    context.Context
	source source
	next   func(context.Context) *graphql.Response
	code   apperr.Code // of the first error; only the pumping goroutine uses it

	mu      sync.Mutex
	started bool
	pumping bool
	pending bool // Wake was called since the pump last began
	ended   bool
}

// NewSubscription returns a subscription of op, which must be of the kind Subscription. Subscriptions of the same user,
// with tokens of the same scopes, and with the same document and variables share executions.
//
// send passes a result to the subscriber, may block while the client reads slowly, and returns false when the
// subscriber has left. end is called once, after the last send, with the code of the first error ("": none) and the
// failure of the source, which is nil when the source is complete or the subscriber has left.
//
// The error is RATE_LIMITED when the user has too many subscriptions. Otherwise the subscription is counted until its
// end, so that the caller must call Start.
func (op *Operation) NewSubscription(
	identity Identity, send func(Result) bool, end func(code apperr.Code, failure *gqlerror.Error),
) (*Subscription, *RequestError) {
	s := &Subscription{op: op, userID: identity.UserID, send: send, end: end}
	if variables, err := json.Marshal(op.context.Variables); err == nil {
		s.dedupKey = newDedupKey(op.hash, op.name, identity.UserID, string(identity.Scopes), string(variables))
	}
	var err *RequestError
	s.turn, err = op.engine.subscriptions.acquire(s.userID, s.dedupKey, op.cost)
	return s, err
}

// Start runs the resolver, which must return the channel of Subscribe or an error, and returns. Events are delivered
// until the source or ctx ends; the caller must call Wake when ctx has ended.
func (s *Subscription) Start(ctx context.Context) {
	s.op.engine.options.Observer.SubscriptionOpened()
	if s.ctx = ctx; !s.turn.begin(ctx) {
		s.release()
		s.finish(nil)
		return
	}
	s.next, s.ctx = s.op.dispatch(ctx)
	s.source = sourceOf(s.op.context)
	if s.source == nil { // the resolver failed, which is the only response
		r := Result{Response: s.next(s.ctx)}
		s.turn.end()
		s.deliver(r)
		s.release()
		s.finish(nil)
		return
	}
	s.turn.end()
	s.op.engine.shared.join(s.dedupKey)
	s.mu.Lock()
	s.started = true
	s.mu.Unlock()
	s.source.onReady(s.Wake)
	s.Wake()
}

// Wake makes the subscription take the pending events of its source, or end when its context has ended. It does not
// block.
func (s *Subscription) Wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending = true
	if s.started && !s.pumping && !s.ended {
		s.pumping = true
		go s.pump()
	}
}

// pump delivers events until the source has no more for now.
func (s *Subscription) pump() {
	for s.takePending() {
		ended, failure := s.deliverPending()
		if !ended && s.ctx.Err() == nil {
			continue
		}
		s.mu.Lock()
		s.ended = true
		s.mu.Unlock()
		s.op.engine.shared.leave(s.dedupKey)
		s.release()
		s.source.close()
		s.finish(failure)
		return
	}
}

// takePending resets pending. When it was not set, the pump is over.
func (s *Subscription) takePending() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pumping, s.pending = s.pending, false
	return s.pumping
}

// deliverPending delivers the pending events. ended without a failure means that the source is complete or the
// subscriber has left.
func (s *Subscription) deliverPending() (ended bool, failure error) {
	defer s.op.recoverPanic(s.ctx, func(r *graphql.Response) {
		s.deliver(Result{Response: r})
		ended = true
	})
	defer s.turn.end()
	if !s.turn.begin(s.ctx) {
		return true, nil
	}
	for key, put := range s.source.pending(s.ctx) {
		r, ok := s.execute(key, put)
		s.turn.end() // a client that reads slowly must not hold up the user's other subscriptions
		if !ok || !s.deliver(r) || !s.turn.begin(s.ctx) {
			return true, nil
		}
	}
	if err := s.source.err(); !errors.Is(err, io.EOF) {
		return err != nil, err
	}
	return true, nil
}

// execute returns the result of one event, which it executes unless a subscription with the same dedup key has. False
// when the subscription's context has ended.
func (s *Subscription) execute(key any, put func()) (Result, bool) {
	if s.ctx.Err() != nil {
		return Result{}, false
	}
	return s.op.engine.shared.do(s.ctx, s.dedupKey, key, func() Result {
		put()
		return Result{Response: s.next(s.ctx)}
	})
}

func (s *Subscription) deliver(r Result) bool {
	if r.Response == nil && r.encoded == nil {
		return false
	}
	if s.code == "" && r.Response != nil {
		s.code = CodeOf(r.Response.Errors)
	}
	return s.send(r)
}

// release frees the subscription's place among those of its user.
func (s *Subscription) release() { s.op.engine.subscriptions.release(s.userID, s.dedupKey, s.op.cost) }

func (s *Subscription) finish(failure error) {
	var presented *gqlerror.Error
	if failure != nil && s.ctx.Err() == nil {
		presented = s.op.engine.options.ErrorPresenter(s.ctx, failure)
	}
	if presented != nil && s.code == "" {
		s.code = CodeOf(gqlerror.List{presented})
	}
	s.op.engine.options.Observer.SubscriptionClosed()
	s.end(s.code, presented)
}
