package graphqlhttp

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"errand/internal/apperr"
	"errand/internal/graphqlhttp/exec"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// errTokenExpired is the cause of the end of a stream's context when the user's token expires.
var errTokenExpired = errors.New("token expired")

// errSignedOut is the cause when the sign-in session or API token is revoked.
var errSignedOut = errors.New("signed out")

// framing is a streaming format.
type framing interface {
	// transport is the name of the format in reports.
	transport() string
	// contentType is the media type of the HTTP response.
	contentType() string
	// begin is written first.
	begin(b *bytes.Buffer)
	// next frames one result.
	next(b *bytes.Buffer, r exec.Result)
	// heartbeat keeps the connection alive without data.
	heartbeat(b *bytes.Buffer)
	// end is written last. The reason is nil when the operation is complete.
	end(b *bytes.Buffer, reason *apperr.Error)
}

// stream writes frames to one HTTP response. A timer writes heartbeats, so that writes are serialised.
type stream struct {
	framing   framing
	keepAlive time.Duration
	timeout   time.Duration
	// failed is called once when a write fails.
	failed func()

	mu      sync.Mutex
	w       http.ResponseWriter
	control *http.ResponseController
	timer   *time.Timer
	closed  bool
}

// openStream writes the header and the beginning of the stream.
func (x *exchange) openStream(f framing, failed func()) *stream {
	header := x.w.Header()
	header.Set("Content-Type", f.contentType())
	// Proxies must neither compress events, which holds them back until a block is full, nor buffer them.
	header.Set("Cache-Control", "no-cache, no-transform, no-store")
	header.Set("X-Accel-Buffering", "no")
	x.w.WriteHeader(http.StatusOK)
	s := &stream{
		framing:   f,
		keepAlive: x.handler.options.KeepAlive,
		timeout:   x.handler.options.WriteTimeout,
		failed:    failed,
		w:         x.w,
		control:   http.NewResponseController(x.w),
	}
	s.write(f.begin)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timer = time.AfterFunc(s.keepAlive, s.heartbeat)
	return s
}

// write encodes a frame, and writes and flushes it.
func (s *stream) write(encode func(b *bytes.Buffer)) {
	b := exec.GetBuffer()
	defer exec.PutBuffer(b)
	encode(b)
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

// send writes a result; false when the stream is closed.
func (s *stream) send(r exec.Result) bool {
	s.write(func(b *bytes.Buffer) { s.framing.next(b, r) })
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.closed
}

func (s *stream) heartbeat() {
	s.write(s.framing.heartbeat)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.timer.Reset(s.keepAlive)
	}
}

// close writes the end of the stream. The response is not used afterwards.
func (s *stream) close(reason *apperr.Error) {
	s.write(func(b *bytes.Buffer) { s.framing.end(b, reason) })
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.timer.Stop()
}

// serveStream executes the operation, or reports why it was rejected, inside a stream.
func (x *exchange) serveStream(ctx context.Context, f framing, err *exec.RequestError) {
	ctx, cancel := x.streamContext(ctx)
	defer cancel(nil)
	limiter := x.handler.streams
	limiter.Acquire() // without a limit in total
	if !limiter.Assign(x.identity.UserID) {
		limiter.Release("")
		x.rejectStream(ctx, f, exec.TooMany("streamsPerUser", x.handler.options.StreamsPerUser,
			"At most %d streams of a user may be open on this server; close one first."))
		return
	}
	defer limiter.Release(x.identity.UserID)
	if err == nil && x.op.Kind == ast.Subscription {
		x.subscribe(ctx, f, cancel)
		return
	}
	s := x.openStream(f, func() { cancel(context.Canceled) })
	var response *graphql.Response
	if err != nil {
		response = exec.ErrorResponse(err.Errors...)
	} else {
		response = x.op.Execute(ctx)
	}
	s.send(exec.Result{Response: response})
	s.close(nil)
	x.report(ctx, f.transport(), exec.CodeOf(response.Errors))
}

// rejectStream reports an error before the stream has begun.
func (x *exchange) rejectStream(ctx context.Context, f framing, err *exec.RequestError) {
	x.report(ctx, f.transport(), err.Code())
	x.handler.writeRequestError(x.w, x.r, err)
}

// streamContext returns a context that ends with the request, the user's token or the server.
func (x *exchange) streamContext(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stopAfter := context.AfterFunc(x.handler.stopping, func() { cancel(errServiceRestart) })
	stopTimer := func() bool { return true }
	if !x.identity.Expires.IsZero() {
		stopTimer = time.AfterFunc(time.Until(x.identity.Expires), func() { cancel(errTokenExpired) }).Stop
	}
	stopWatch := x.handler.engine.AfterRevoked(x.identity, func() { cancel(errSignedOut) })
	return ctx, func(cause error) {
		cancel(cause)
		stopAfter()
		stopWatch()
		stopTimer()
	}
}

// subscribe opens a stream and writes the results of a subscription until it ends.
func (x *exchange) subscribe(ctx context.Context, f framing, cancel context.CancelCauseFunc) {
	var s *stream // set before the subscription starts
	ended := make(chan apperr.Code, 1)
	send := func(r exec.Result) bool { return s.send(r) }
	subscription, err := x.op.NewSubscription(x.identity, send, func(code apperr.Code, failure *gqlerror.Error) {
		if failure != nil {
			send(exec.Result{Response: exec.ErrorResponse(failure)})
		}
		ended <- code
	})
	if err != nil {
		x.rejectStream(ctx, f, err)
		return
	}
	s = x.openStream(f, func() { cancel(context.Canceled) })
	stopAfter := context.AfterFunc(ctx, subscription.Wake)
	defer stopAfter()
	subscription.Start(ctx)
	code := <-ended
	reason := endReason(ctx)
	if reason != nil && code == "" {
		code = reason.Code
	}
	s.close(reason)
	x.report(ctx, f.transport(), code)
}

// endReason returns why a stream ended early; nil when its operation is complete.
func endReason(ctx context.Context) *apperr.Error {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errTokenExpired):
		return apperr.New(apperr.Unauthenticated, "The token has expired.")
	case errors.Is(cause, errSignedOut):
		return apperr.New(apperr.Unauthenticated, "Signed out.")
	case errors.Is(cause, errServiceRestart):
		return apperr.New(apperr.Unavailable, "Service restart; reconnect.")
	default:
		return nil
	}
}
