package graphqlhttp

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"errand/internal/apperr"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// errTokenExpired is why the context of a stream or socket ends with its token.
var errTokenExpired = errors.New("token expired")

// framing is how one streaming format wraps responses.
type framing interface {
	// contentType of the HTTP response.
	contentType() string
	// begin is written before anything else.
	begin(b *bytes.Buffer)
	// next wraps one response.
	next(b *bytes.Buffer, r reply)
	// heartbeat keeps the connection alive and says nothing.
	heartbeat(b *bytes.Buffer)
	// end is written last. The reason is nil when the operation is complete.
	end(b *bytes.Buffer, reason *apperr.Error)
}

// stream writes frames to one HTTP response. Heartbeats come from a timer, so writes
// are serialised.
type stream struct {
	framing framing
	every   time.Duration
	timeout time.Duration
	// failed is called once when the client cannot be written to.
	failed func()

	mu      sync.Mutex
	w       http.ResponseWriter
	control *http.ResponseController
	beat    *time.Timer
	closed  bool
}

// open sends the header and the beginning.
func (x *exchange) open(f framing, failed func()) *stream {
	header := x.w.Header()
	header.Set("Content-Type", f.contentType())
	header.Set("Cache-Control", "no-cache, no-store")
	header.Set("X-Accel-Buffering", "no") // proxies must not hold events back
	x.w.WriteHeader(http.StatusOK)
	s := &stream{
		framing: f,
		every:   x.handler.options.Times.KeepAlive,
		timeout: x.handler.options.Times.Write,
		failed:  failed,
		w:       x.w,
		control: http.NewResponseController(x.w),
	}
	s.write(f.begin)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.beat = time.AfterFunc(s.every, s.heartbeat)
	return s
}

// write sends what fill puts into the buffer, at once.
func (s *stream) write(fill func(b *bytes.Buffer)) {
	b := takeBuffer()
	defer releaseBuffer(b)
	fill(b)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	_ = s.control.SetWriteDeadline(time.Now().Add(s.timeout))
	if _, err := s.w.Write(b.Bytes()); err != nil || s.control.Flush() != nil {
		s.closed = true
		s.failed()
	}
}

func (s *stream) send(r reply) {
	s.write(func(b *bytes.Buffer) { s.framing.next(b, r) })
}

func (s *stream) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

func (s *stream) heartbeat() {
	s.write(s.framing.heartbeat)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.beat.Reset(s.every)
	}
}

// close writes the end. Nothing touches the response afterwards.
func (s *stream) close(reason *apperr.Error) {
	s.write(func(b *bytes.Buffer) { s.framing.end(b, reason) })
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.beat.Stop()
	_ = s.control.SetWriteDeadline(time.Time{})
}

// serve runs the operation, or tells its refusal, inside a stream.
func (x *exchange) serve(ctx context.Context, f framing, name string, p *problem) {
	ctx, cancel := x.lifetime(ctx)
	defer cancel(nil)
	streams := x.handler.streams
	if !streams.enter() {
		x.refuseStream(ctx, name)
		return
	}
	if !streams.join(x.who.userID) {
		streams.leave("")
		x.refuseStream(ctx, name)
		return
	}
	defer streams.leave(x.who.userID)

	s := x.open(f, func() { cancel(context.Canceled) })
	var code apperr.Code
	var reason *apperr.Error
	switch {
	case p != nil:
		code = codeOf(p.errors)
		s.send(reply{response: failure(p.errors...)})
	case x.op.kind != ast.Subscription:
		response := x.op.once(ctx)
		code = codeOf(response.Errors)
		s.send(reply{response: response})
	default:
		code, reason = x.subscribe(ctx, s)
	}
	s.close(reason)
	x.op.report(ctx, name, code)
}

func (x *exchange) refuseStream(ctx context.Context, name string) {
	p := refuse(http.StatusTooManyRequests, apperr.TooMany(time.Second, "Too many streams are open; close one first."))
	x.op.report(ctx, name, apperr.RateLimited)
	x.handler.refuseHTTP(x.w, x.r, p.with("Retry-After", "1"))
}

// lifetime bounds a stream by its client, its token and the server.
func (x *exchange) lifetime(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	forget := context.AfterFunc(x.handler.stopping, func() { cancel(errShutdown) })
	stopTimer := func() bool { return true }
	if !x.who.expires.IsZero() {
		stopTimer = time.AfterFunc(time.Until(x.who.expires), func() { cancel(errTokenExpired) }).Stop
	}
	return ctx, func(cause error) {
		cancel(cause)
		forget()
		stopTimer()
	}
}

// subscribe sends every response of a subscription and says how it ended.
func (x *exchange) subscribe(ctx context.Context, s *stream) (apperr.Code, *apperr.Error) {
	observer := x.handler.options.Observer
	observer.subscriptionOpened()
	defer observer.subscriptionClosed()
		next, started := x.op.start(ctx)
	var code apperr.Code
	if from := sourceOf(x.op.context); from != nil {
		code = x.follow(started, s, from, next)
	} else {
		for response := next(started); response != nil; response = next(started) {
			if code == "" {
				code = codeOf(response.Errors)
			}
			s.send(reply{response: response})
		}
	}
	reason := endReason(ctx)
	if reason != nil && code == "" {
		code = reason.Code
	}
	return code, reason
}

// follow lets a drive send the events of a source, and waits for its end.
func (x *exchange) follow(
	ctx context.Context,
	s *stream,
	from source,
	next func(context.Context) *graphql.Response,
) apperr.Code {
	ended := make(chan apperr.Code, 1)
	d := &drive{op: x.op, ctx: ctx, source: from, next: next, twin: twinOf(x.op, x.who.userID)}
	d.deliver = func(r reply) bool {
		s.send(r)
		return !s.isClosed()
	}
	d.ended = func(code apperr.Code, fault *gqlerror.Error) {
		if fault != nil {
			s.send(reply{response: failure(fault)})
		}
		ended <- code
	}
	forget := context.AfterFunc(ctx, d.wake)
	defer forget()
	d.begin()
	return <-ended
}

// endReason tells a client why its stream ends before its time; nil when it is complete.
func endReason(ctx context.Context) *apperr.Error {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errTokenExpired):
		return apperr.New(apperr.Unauthenticated, "The token has expired.")
	case errors.Is(cause, errShutdown):
		return apperr.New(apperr.Unavailable, "Service restart, come back.")
	default:
		return nil
	}
}
